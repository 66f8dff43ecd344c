// One SQLite file, opened the way the house wants it. The only file that imports node:sqlite.
import { closeSync, existsSync, openSync, realpathSync } from 'node:fs';
import { DatabaseSync, type StatementSync } from 'node:sqlite';

/** A row as a plain object. */
export type Row = Record<string, unknown>;

/** What SQLite takes as a parameter. */
type Value = string | number | bigint | null | Uint8Array;

/** An open file. Every call is synchronous. */
export interface SqliteFile {
  /** Run a statement; tells its rows, or how many rows it changed when it gives none. */
  run(sql: string, parameters: readonly unknown[]): { rows: Row[]; changed: number };
  /** Run statements that take no parameters and give no rows. */
  exec(sql: string): void;
  /** Whether a transaction is open: after a full disk it may be gone by itself. */
  inTransaction(): boolean;
  /** Closing it again changes nothing. */
  close(): void;
}

/** Why SQLite said no, in words of the house. */
export type SqliteFault =
  | { kind: 'duplicate'; column: string }
  | { kind: 'damaged' }
  | { kind: 'other'; message: string };

/** How a file is opened. */
export interface SqliteOptions {
  readonly readOnly?: boolean;
  /** Milliseconds to wait for a lock that another process holds. */
  readonly lockWithin?: number;
}

const statementsKept = 256;
// What a log that grew in a burst may keep of the disk once it has been written back.
const logKept = 64 * 1024 * 1024;

/** Open (and, when it is not there, make) a file: WAL, full sync, foreign keys, five seconds of patience with other processes. */
export function openSqlite(
  path: string,
  { readOnly = false, lockWithin = 5_000 }: SqliteOptions = {},
): SqliteFile {
  // A time-out of 0, the default, makes a writer in a second process fail at once.
  const database = new DatabaseSync(path, {
    readOnly,
    timeout: lockWithin,
    enableForeignKeyConstraints: true,
  });
  try {
    if (!readOnly) switchToWal(database, lockWithin);
    database.exec('PRAGMA synchronous = FULL');
    // On macOS fsync() alone leaves what was written in the memory of the disk; elsewhere this says nothing new.
    database.exec('PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON');
    // Who deletes an account is promised that it is gone, not only that nothing points to it.
    database.exec('PRAGMA secure_delete = ON');
    database.exec(`PRAGMA journal_size_limit = ${logKept}`);
  } catch (error) {
    database.close();
    throw error;
  }
  const statements = new Map<string, { statement: StatementSync; gives: boolean }>();

  function prepared(sql: string): { statement: StatementSync; gives: boolean } {
    let entry = statements.get(sql);
    if (entry === undefined) {
      const statement = database.prepare(sql);
      entry = { statement, gives: statement.columns().length > 0 };
      if (statements.size >= statementsKept) statements.delete(statements.keys().next().value as string);
      statements.set(sql, entry);
    }
    return entry;
  }

  return {
    run(sql, parameters) {
      const { statement, gives } = prepared(sql);
      const values = parameters as Value[];
      if (!gives) return { rows: [], changed: Number(statement.run(...values).changes) };
      // Rows come with a null prototype; spread makes them what everybody expects.
      const rows = statement.all(...values).map((row) => ({ ...row }));
      return { rows, changed: rows.length };
    },
    exec: (sql) => database.exec(sql),
    inTransaction: () => database.isTransaction,
    close() {
      if (database.isOpen) database.close();
    },
  };
}

/** A claim on a store. The system lets go of it when the process dies, however it dies, so none is ever left behind. */
export interface Hold {
  release(): void;
}

/**
 * Claim the store at `path`: `shared` by everyone who has it open, `whole` while its file is exchanged. Null: others stand in the way.
 * The claim lies on a file of its own, so that it holds also while the database is damaged. Node has no file locks but these.
 */
export function holdStore(path: string, how: 'shared' | 'whole', patienceMs = 0): Hold | null {
  const file = lockFileOf(path);
  // Not made by SQLite, so that nobody else can read or hold it. Never opened when it is there: closing it would drop our own claims on it.
  if (!existsSync(file)) closeSync(openSync(file, 'a', 0o600));
  const database = new DatabaseSync(file, { timeout: patienceMs });
  try {
    database.exec(how === 'whole' ? 'BEGIN EXCLUSIVE' : 'BEGIN');
    if (how === 'shared') database.prepare('SELECT count(*) FROM sqlite_schema').get();
  } catch (error) {
    database.close();
    // SQLITE_BUSY.
    if (((error as { errcode?: number }).errcode ?? 0) % 256 === 5) return null;
    throw error;
  }
  return { release: () => database.close() };
}

/** The file on which claims on a store lie: beside the file itself, whatever other name it is opened by. */
export function lockFileOf(path: string): string {
  return `${existsSync(path) ? realpathSync(path) : path}.lock`;
}

/** The switch to WAL is refused at once where everything else waits for a lock: of two first starts together one would fail. */
function switchToWal(database: DatabaseSync, lockWithin: number): void {
  const giveUpAt = performance.now() + lockWithin;
  for (;;) {
    try {
      database.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      if (primaryCode(error) !== 5 || performance.now() >= giveUpAt) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}

function primaryCode(error: unknown): number {
  return ((error as { errcode?: number } | null)?.errcode ?? 0) & 0xff;
}

/** Read an error of SQLite. */
export function sqliteFault(error: unknown): SqliteFault {
  const code = (error as { errcode?: number } | null)?.errcode ?? 0;
  const message = error instanceof Error ? error.message : String(error);
  if (code === 2067 || code === 1555) {
    return { kind: 'duplicate', column: /failed: ([a-z_.]+)/.exec(message)?.[1] ?? '' };
  }
  if ([11, 26].includes(primaryCode(error))) return { kind: 'damaged' };
  return { kind: 'other', message };
}
