// The file as a database of ours: made whole, recognised, brought up, looked at, copied. The engine that works on it is in sqlite.ts.
import {
  accessSync,
  chmodSync,
  closeSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { StartError } from '../../errors.ts';
import { randomText } from '../../secrets.ts';
import { startThread } from '../../threads.ts';
import { type MigrationState, migrateUp, migrationStates } from '../migrations/migrations.ts';
import type { KeysTable } from '../tables.ts';
import type { CopierData } from './sqlite-copier.ts';
import { kyselyOn } from './sqlite-dialect.ts';
import { type Hold, holdStore, lockFileOf, openSqlite, type SqliteFile, sqliteFault } from './sqlite-file.ts';

// How long a start waits for somebody who holds the store for a moment.
const claimPatience = 2_000;
const smallestPage = 512;
const quickCheckBelow = 64 * 1024 * 1024;
// "LATK": what stands in a file of ours where SQLite keeps the number of the program that a file belongs to.
const applicationId = 0x4c41544b;

/** A claim on a database, and whether nobody else had one. */
export interface Claim {
  readonly hold: Hold;
  readonly alone: boolean;
}

/**
 * Make ready the database at `path`: made with its folder where it is not there, its tables brought up. The hold is released when
 * whoever uses it is done. Throws `StartError` for what is damaged, not ours, or being exchanged; nothing of it is changed then.
 */
export async function readyDatabase(path: string): Promise<Claim> {
  const folder = dirname(path);
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
  mustBeWritable(path);
  let claimed: Claim | undefined;
  try {
    claimed = claim(path);
    if (!existsSync(path)) await makeFile(path);
    mustBeOurs(path);
    chmodSync(path, 0o600);
    await bringUp(path);
    return claimed;
  } catch (error) {
    claimed?.hold.release();
    throw startError(path, error);
  }
}

/** What starts that were killed midway left behind. */
function discardDrafts(path: string): void {
  const drafts = readdirSync(dirname(path)).filter(
    (name) => name.startsWith(`${basename(path)}.`) && /\.new(-wal|-shm|-journal)?$/.test(name),
  );
  for (const name of drafts) rmSync(join(dirname(path), name), { force: true });
}

function startError(path: string, error: unknown): StartError {
  if (error instanceof StartError) return error;
  if (sqliteFault(error).kind === 'damaged') return damaged(path, error);
  const message = error instanceof Error ? error.message : String(error);
  return new StartError(`The database ${path} cannot be opened: ${message}.`, { cause: error });
}

function claim(path: string): Claim {
  const whole = holdStore(path, 'whole');
  // While nobody else can have one in the making.
  if (whole !== null && !existsSync(path)) discardDrafts(path);
  whole?.release();
  const hold = holdStore(path, 'shared', claimPatience);
  if (hold !== null) return { hold, alone: whole !== null };
  throw new StartError(
    `The database ${path} is being exchanged by another program, such as \`latchkey restore\`. Try again when it is done.`,
  );
}

/** Made whole under another name and then given its own: a file at `path` that is empty was never made here, it lost what it held. */
async function makeFile(path: string): Promise<void> {
  if (existsSync(`${path}-wal`)) {
    throw new StartError(
      `The database ${path} is missing, and ${path}-wal with the newest part of it is still there. Put the database back, or bring back a copy with \`latchkey restore FILE\`. Nothing was changed.`,
    );
  }
  const made = `${path}.${randomText(6)}.new`;
  // By us and not by SQLite, so that nobody else can read it from its first byte; -wal and -shm take its mode.
  closeSync(openSync(made, 'wx', 0o600));
  try {
    await bringUp(made);
    linkSync(made, path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Another process was faster, and its file is as good.
    if (code === 'EEXIST') return;
    if (code === undefined || existsSync(path)) throw error;
    // A file system without links.
    renameSync(made, path);
  } finally {
    rmSync(made, { force: true });
  }
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

/** Before it is opened at all: -wal and -shm take its mode, and what could be read only then stays so. */
function mustBeWritable(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`, lockFileOf(path)].filter((each) =>
    existsSync(each),
  )) {
    try {
      accessSync(file, constants.R_OK | constants.W_OK);
    } catch (error) {
      throw new StartError(
        `This user may not read and write ${file}. Give it to the user that runs Latchkey (chown), with the mode 600 (chmod). Nothing was changed.`,
        { cause: error },
      );
    }
  }
}

/** Before it is opened for writing, which alone would change the file of another program. */
function mustBeOurs(path: string): void {
  const { size } = statSync(path);
  // What is shorter than a page SQLite takes for a database in which nothing is yet.
  if (size < smallestPage) throw damaged(path);
  const file = openSqlite(path, { readOnly: true });
  try {
    const { rows } = size < quickCheckBelow ? file.run('PRAGMA quick_check(1)', []) : { rows: [] };
    if (rows.some(({ quick_check }) => quick_check !== 'ok')) throw damaged(path);
    if (!isOurs(file)) throw foreign(path);
  } finally {
    file.close();
  }
}

function ownerOf(file: SqliteFile): number {
  return Number(file.run('PRAGMA application_id', []).rows[0]?.application_id);
}

/** Files are made whole, so one without our mark and our tables is somebody else's, or has lost them. */
function isOurs(file: SqliteFile): boolean {
  const tables = file.run("SELECT name FROM sqlite_schema WHERE type = 'table'", []).rows;
  const whole = ['migrations', 'users', 'keys', 'facts'].every((name) =>
    tables.some((table) => table.name === name),
  );
  return whole && ownerOf(file) === applicationId;
}

function damaged(path: string, cause?: unknown): StartError {
  return new StartError(
    `The database ${path} is damaged, or is not a database. Nothing was changed. Put it aside and bring back a copy with \`latchkey restore FILE\`.`,
    { cause },
  );
}

function foreign(path: string): StartError {
  return new StartError(
    `The database ${path} is not one of Latchkey. Nothing was changed. Set LATCHKEY_DATABASE to the right file, or bring back a copy with \`latchkey restore FILE\`.`,
  );
}

/** What a look at a file tells, without changing it. */
export interface SqliteLook {
  /** What `PRAGMA integrity_check` says: `ok`, or the first faults. */
  readonly integrity: string;
  /** Empty where it is no database of Latchkey. */
  readonly migrations: readonly MigrationState[];
  readonly keys: readonly KeysTable[];
  /** The newest instant that was written, in milliseconds; 0: none. */
  readonly newest: number;
}

/** Look into a file that may be damaged, or nothing of ours. Throws `StartError` when it cannot be read as a database. */
export async function lookAtSqlite(path: string): Promise<SqliteLook> {
  let file: SqliteFile | undefined;
  try {
    if (statSync(path).size < smallestPage) throw damaged(path);
    file = openSqlite(path, { readOnly: true });
    const integrity = String(file.run('PRAGMA integrity_check(5)', []).rows[0]?.integrity_check);
    if (!isOurs(file)) return { integrity, migrations: [], keys: [], newest: 0 };
    const newest = file.run('SELECT max(last_seen_at) AS at FROM sessions', []).rows[0]?.at;
    return {
      integrity,
      migrations: await migrationStates(kyselyOn(file)),
      keys: file.run('SELECT * FROM keys LIMIT 1000', []).rows as unknown as KeysTable[],
      newest: Number(newest ?? 0),
    };
  } catch (error) {
    throw sqliteFault(error).kind === 'damaged' ? damaged(path, error) : error;
  } finally {
    file?.close();
  }
}

/** A whole copy of a database, also of one in use, in a new file that only we can read. Nothing of the database is changed. */
export async function copySqlite(path: string, file: string): Promise<void> {
  closeSync(openSync(file, 'wx', 0o600));
  const workerData: CopierData = { path, file };
  try {
    // In a thread of its own: a large file takes its time, and neither requests nor writes wait for it.
    const copier = startThread(import.meta.url, 'sqlite-copier', { workerData });
    await new Promise<void>((resolve, reject) => {
      copier.once('error', reject);
      copier.once('exit', (code) => (code === 0 ? resolve() : reject(new Error('The copy stopped.'))));
    });
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  }
}
