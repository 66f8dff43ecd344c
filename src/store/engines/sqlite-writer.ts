// The thread that writes: it takes a batch of units, gives each a savepoint of its own, and commits them with one sync.
// What it cannot do never sinks the others, and no result leaves before COMMIT has returned.
import { parentPort, workerData } from 'node:worker_threads';
import type { RevocationRow, Statement, Unit, Written } from '../engine.ts';
import { openSqlite, type Row, type SqliteFile, sqliteFault } from './sqlite-file.ts';

/** What the thread is given at its start. */
export interface WriterData {
  readonly path: string;
  /** Milliseconds to wait for a lock that another process holds. */
  readonly lockWithin: number;
}

/** What it is asked. */
export type Ask = { readonly ask: 'write'; readonly units: readonly Unit[] } | { readonly ask: 'close' };

/** What became of one unit; `failed` was surely not carried out. */
export type UnitResult = Written | { readonly outcome: 'failed'; readonly message: string };

/** What became of a batch: the revocations that it caused always come with its results. */
export interface BatchResult {
  readonly results: readonly UnitResult[];
  readonly entries: readonly RevocationRow[];
  /** Whether nothing of it was carried out, for a reason that the next batch would meet too: no lock, no space, no disk. */
  readonly refused: boolean;
}

/** What it answers. */
export type Answer = ({ readonly answer: 'written' } & BatchResult) | { readonly answer: 'closed' };

/** A unit that must be undone, as a throw that only leaves its savepoint. */
class Undo {
  readonly result: Written;
  constructor(result: Written) {
    this.result = result;
  }
}

/** Carry out a batch on an open file. Exported for the tests; the thread below is its only other caller. */
export function writeBatch(file: SqliteFile, units: readonly Unit[]): BatchResult {
  const all = (message: string): BatchResult => ({
    results: units.map(() => ({ outcome: 'failed', message })),
    entries: [],
    refused: true,
  });
  try {
    file.exec('BEGIN IMMEDIATE');
  } catch (error) {
    return all(String(error));
  }
  const results: UnitResult[] = [];
  const entries: RevocationRow[] = [];
  for (const unit of units) {
    try {
      file.exec('SAVEPOINT unit');
      const rows = unit.statements.map((statement, index) => runStatement(file, statement, index));
      const revoked = unit.entries === undefined ? [] : runStatement(file, unit.entries, -1);
      file.exec('RELEASE unit');
      entries.push(...(revoked as unknown as RevocationRow[]));
      results.push({ outcome: 'done', rows });
    } catch (error) {
      // A full disk rolls back the whole transaction; what came after would commit one by one.
      if (!file.inTransaction()) return all(String(error));
      file.exec('ROLLBACK TO unit');
      file.exec('RELEASE unit');
      results.push(failure(error));
    }
  }
  try {
    file.exec('COMMIT');
  } catch (error) {
    if (file.inTransaction()) file.exec('ROLLBACK');
    return all(String(error));
  }
  return { results, entries, refused: false };
}

function runStatement(
  file: SqliteFile,
  { sql, parameters, rows: expected }: Statement,
  index: number,
): Row[] {
  const { rows, changed } = file.run(sql, parameters);
  if (expected !== null && changed !== expected) throw new Undo({ outcome: 'conflict', statement: index });
  return rows;
}

function failure(error: unknown): UnitResult {
  if (error instanceof Undo) return error.result;
  const fault = sqliteFault(error);
  if (fault.kind === 'duplicate') return { outcome: 'duplicate', column: fault.column };
  return { outcome: 'failed', message: String(error) };
}

if (parentPort !== null && (workerData as WriterData | null)?.path !== undefined) {
  const port = parentPort;
  const { path, lockWithin } = workerData as WriterData;
  const file = openSqlite(path, { lockWithin });
  const tell = (answer: Answer): void => port.postMessage(answer);
  port.on('message', (ask: Ask) => {
    if (ask.ask === 'write') {
      tell({ answer: 'written', ...writeBatch(file, ask.units) });
    } else {
      file.close();
      tell({ answer: 'closed' });
      port.close();
    }
  });
}
