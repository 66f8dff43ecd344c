// What happens to a SQLite file before the engine opens it: it is looked at while nothing is changed, made where it is not there,
// and brought up to this version. Whatever is wrong is a StartError that names the file.
import { chmodSync, closeSync, existsSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { StartError } from '../../errors.ts';
import { migrateUp } from '../migrations/migrations.ts';
import { kyselyOn } from './sqlite-dialect.ts';
import { openSqlite, type SqliteFile, sqliteFault } from './sqlite-file.ts';

const quickCheckBelow = 64 * 1024 * 1024;
// "LATK": what stands in a file of ours where SQLite keeps the number of the program that a file belongs to.
const applicationId = 0x4c41544b;

/** Make a file and its folder where they are not there, and bring its tables up. Throws `StartError` for a file that cannot be used. */
export async function prepareFile(path: string): Promise<void> {
  try {
    if (existsSync(path) && statSync(path).size > 0) inspect(path);
    makeFile(path);
    await bringUp(path);
  } catch (error) {
    if (error instanceof StartError) throw error;
    if (sqliteFault(error).kind === 'damaged') throw damaged(path, error);
    const message = error instanceof Error ? error.message : String(error);
    throw new StartError(`The database ${path} cannot be opened: ${message}.`, { cause: error });
  }
}

/** Look at a file before anything is changed in it. Throws when it is damaged or not ours. */
function inspect(path: string): void {
  const file = openSqlite(path, { readOnly: true });
  try {
    if (statSync(path).size < quickCheckBelow) {
      const { rows } = file.run('PRAGMA quick_check(1)', []);
      if (rows[0]?.quick_check !== 'ok') throw damaged(path);
    }
    // A start that was killed between the first byte and the mark leaves a file without anything in it.
    const empty = file.run('SELECT name FROM sqlite_schema LIMIT 1', []).rows.length === 0;
    const owner = ownerOf(file);
    if (owner !== applicationId && !(owner === 0 && empty)) throw foreign(path);
  } finally {
    file.close();
  }
}

function ownerOf(file: SqliteFile): number {
  return Number(file.run('PRAGMA application_id', []).rows[0]?.application_id);
}

function makeFile(path: string): void {
  const folder = dirname(path);
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
  // Made here and not by SQLite, so that nobody else can read it from its first byte; -wal and -shm take its mode.
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600));
  else chmodSync(path, 0o600);
}

async function bringUp(path: string): Promise<void> {
  const file = openSqlite(path);
  try {
    if (ownerOf(file) !== applicationId) file.exec(`PRAGMA application_id = ${applicationId}`);
    await migrateUp(kyselyOn(file));
  } finally {
    file.close();
  }
}

function foreign(path: string): StartError {
  return new StartError(
    `The database ${path} belongs to another program. Nothing was changed. Name a file of Latchkey's own in LATCHKEY_DATABASE.`,
  );
}

function damaged(path: string, cause?: unknown): StartError {
  return new StartError(
    `The database ${path} is damaged, or is not a database. Nothing was changed. Put it aside and bring back a copy with \`latchkey restore FILE\`.`,
    { cause },
  );
}
