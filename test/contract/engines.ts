// The engines that the contract is held against, one entry each. A place is one store that several instances may open.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { KyselyPlugin } from 'kysely';
import type { Engine } from '../../src/store/engine.ts';
import { openSqliteEngine } from '../../src/store/engines/sqlite.ts';
import { openSqlite } from '../../src/store/engines/sqlite-file.ts';

/** One store; every `open` is an instance of its own, as another process would have it. */
export interface Place {
  open(): Promise<Engine>;
  /** How the engine carries out a statement, a line for each step. */
  plan(sql: string): string[];
  remove(): void;
}

/** One engine. */
export interface EngineUnderTest {
  readonly name: string;
  /** A plan line that reads a whole table or index. */
  readonly wholeTable: RegExp;
  makePlace(): Place;
}

/** All engines. */
export const engines: readonly EngineUnderTest[] = [
  {
    name: 'sqlite',
    wholeTable: /^SCAN (users|sessions|keys|revocations|services|facts)\b/,
    makePlace() {
      const folder = mkdtempSync(join(tmpdir(), 'latchkey-'));
      const path = join(folder, 'latchkey.sqlite');
      return {
        open: () => openSqliteEngine(path),
        plan(sql) {
          const file = openSqlite(path, { readOnly: true });
          try {
            const { rows } = file.run(`EXPLAIN QUERY PLAN ${sql}`, []);
            return rows.map(({ detail }) => String(detail));
          } finally {
            file.close();
          }
        },
        remove: () => rmSync(folder, { recursive: true, force: true }),
      };
    },
  },
];

/** The same engine, telling every statement that is compiled on it. */
export function overheard(engine: Engine, tell: (sql: string) => void): Engine {
  const plugin: KyselyPlugin = {
    transformQuery({ node, queryId }) {
      tell(engine.db.getExecutor().compileQuery(node, queryId).sql);
      return node;
    },
    transformResult: async ({ result }) => result,
  };
  return { ...facesOf(engine), db: engine.db.withPlugin(plugin) };
}

/** The same engine, doing something else once, just before its next write. */
export function overtaken(engine: Engine, first: () => Promise<unknown>): Engine {
  let done = false;
  return {
    ...facesOf(engine),
    async write(unit) {
      if (!done) {
        done = true;
        await first();
      }
      return engine.write(unit);
    },
  };
}

function facesOf(engine: Engine): Engine {
  return {
    name: engine.name,
    foundAlone: engine.foundAlone,
    db: engine.db,
    write: (unit) => engine.write(unit),
    catchUp: () => engine.catchUp(),
    listen: (listener) => engine.listen(listener),
    onRecovery: (renew) => engine.onRecovery(renew),
    healthy: () => engine.healthy(),
    copyTo: (file) => engine.copyTo(file),
    close: () => engine.close(),
  };
}
