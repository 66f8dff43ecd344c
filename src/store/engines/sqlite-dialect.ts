// Kysely on one open SQLite file, in the process's own thread. Statements are kept prepared; a transaction takes the write lock at once.
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import type { SqliteFile } from './sqlite-file.ts';

class Adapter extends SqliteAdapter {
  // SQLite's DDL is transactional: a migration that was killed midway has not happened.
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

function connectionTo(file: SqliteFile): DatabaseConnection {
  return {
    async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
      const { rows, changed } = file.run(sql, parameters);
      return { rows: rows as R[], numAffectedRows: BigInt(changed) };
    },
    // An open iterator would pin the snapshot and stop the log from being written back.
    // biome-ignore lint/correctness/useYield: it never yields, on purpose
    async *streamQuery(): AsyncIterableIterator<never> {
      throw new Error('Reads are not streamed: page them with LIMIT.');
    },
  };
}

function driverOn(file: SqliteFile): Driver {
  const connection = connectionTo(file);
  const run = async (text: string): Promise<void> => {
    await connection.executeQuery(CompiledQuery.raw(text));
  };
  return {
    init: async () => {},
    acquireConnection: async () => connection,
    // A deferred transaction that turns into a writer fails at once when another process writes.
    beginTransaction: () => run('BEGIN IMMEDIATE'),
    commitTransaction: () => run('COMMIT'),
    rollbackTransaction: () => run('ROLLBACK'),
    releaseConnection: async () => {},
    destroy: async () => {},
  };
}

/** Kysely over an open file. Closing the file stays with whoever opened it. */
export function kyselyOn<T>(file: SqliteFile): Kysely<T> {
  const dialect: Dialect = {
    createAdapter: () => new Adapter(),
    createDriver: () => driverOn(file),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
  return new Kysely<T>({ dialect });
}
