// The engine on one SQLite file: reads here, synchronously; writes in a thread, gathered so that all that arrives
// while a commit runs goes into the next one (group commit). Several processes may share the file.
import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { StartError } from '../../errors.ts';
import { randomText } from '../../secrets.ts';
import { startThread } from '../../threads.ts';
import {
  type Engine,
  type News,
  type RevocationRow,
  type Unit,
  unavailable,
  type Written,
} from '../engine.ts';
import { type MigrationState, migrateUp, migrationStates } from '../migrations/migrations.ts';
import type { KeysTable, Tables } from '../tables.ts';
import type { CopierData } from './sqlite-copier.ts';
import { kyselyOn } from './sqlite-dialect.ts';
import { type Hold, holdStore, openSqlite, type SqliteFile, sqliteFault } from './sqlite-file.ts';
import type { Answer, Ask, UnitResult, WriterData } from './sqlite-writer.ts';

const batchAtMost = 512;
const waitingAtMost = 10_000;
const entriesAtOnce = 1_000;
// Beyond the five seconds that a writer waits for another process's lock.
const patience = 6_000;
// How long a start waits for somebody who holds the store for a moment.
const claimPatience = 2_000;
const smallestPage = 512;
const quickCheckBelow = 64 * 1024 * 1024;

interface Waiting {
  readonly unit: Unit;
  readonly resolve: (written: Written) => void;
  readonly reject: (error: Error) => void;
}

/** Open a file as the engine; makes it and its folder where they are not there, and brings its tables up. */
export async function openSqliteEngine(path: string): Promise<Engine> {
  const folder = dirname(path);
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { hold, alone } = claim(path);
  try {
    if (!existsSync(path)) await makeFile(path);
    chmodSync(path, 0o600);
    await bringUp(path, 'ours');
    return new SqliteEngine(path, openSqlite(path, { readOnly: true }), hold, alone);
  } catch (error) {
    hold.release();
    throw error;
  }
}

function claim(path: string): { hold: Hold; alone: boolean } {
  const whole = holdStore(path, 'whole');
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
    await bringUp(made, 'empty');
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

async function bringUp(path: string, expected: 'ours' | 'empty'): Promise<void> {
  let file: SqliteFile | undefined;
  try {
    if (expected === 'ours') mustBeOurs(path);
    file = openSqlite(path);
    await migrateUp(kyselyOn(file));
  } catch (error) {
    if (error instanceof StartError) throw error;
    const fault = sqliteFault(error);
    if (fault.kind === 'damaged') throw damaged(path, error);
    throw new StartError(
      `The database ${path} cannot be opened: ${error instanceof Error ? error.message : error}.`,
      {
        cause: error,
      },
    );
  } finally {
    file?.close();
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

function damaged(path: string, cause?: unknown): StartError {
  return new StartError(
    `The database ${path} is damaged, or is not a database. Nothing was changed. Put it aside and bring back a copy with \`latchkey restore FILE\`.`,
    { cause },
  );
}

/** Files are made whole, so one without our tables is somebody else's, or has lost them. */
function isOurs(file: SqliteFile): boolean {
  const tables = file.run("SELECT name FROM sqlite_schema WHERE type = 'table'", []).rows;
  return ['migrations', 'users', 'keys', 'facts'].every((name) =>
    tables.some((table) => table.name === name),
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

class SqliteEngine implements Engine {
  readonly name = 'sqlite';
  readonly db: Engine['db'];
  readonly foundAlone: boolean;
  readonly #path: string;
  readonly #hold: Hold;
  readonly #reader: SqliteFile;
  #writer: Worker | null = null;
  #waiting: Waiting[] = [];
  #flying: readonly Waiting[] = [];
  #deadline: NodeJS.Timeout | undefined;
  #flush: NodeJS.Immediate | undefined;
  #listener: (news: News) => void = () => {};
  #listening = false;
  #renew: Parameters<Engine['onRecovery']>[0] = async () => {};
  #inDoubt = new Set<string>();
  #recovering: Promise<void> | null = null;
  #stuck = false;
  #closing = false;
  #closed: (() => void) | null = null;
  #lookedThisTurn = false;
  #dataVersion = -1;
  #cursor = 0;
  #ring = '';

  constructor(path: string, reader: SqliteFile, hold: Hold, alone: boolean) {
    this.foundAlone = alone;
    this.#path = path;
    this.#hold = hold;
    this.#reader = reader;
    this.db = kyselyOn<Tables>(reader);
    this.#start();
  }

  listen(listener: (news: News) => void): void {
    this.#listener = listener;
    this.#listening = true;
    this.#dataVersion = -1;
    this.#lookedThisTurn = false;
    this.catchUp();
  }

  onRecovery(renew: Parameters<Engine['onRecovery']>[0]): void {
    this.#renew = renew;
  }

  healthy(): boolean {
    return this.#writer !== null && !this.#stuck;
  }

  async write(unit: Unit): Promise<Written> {
    if (this.#recovering !== null) await this.#recovering;
    return this.#submit(unit);
  }

  #submit(unit: Unit): Promise<Written> {
    if (this.#closed !== null) return Promise.reject(unavailable('The store is closed.'));
    if (this.#writer === null || this.#stuck)
      return Promise.reject(unavailable('The writer is gone or stuck.'));
    if (this.#waiting.length >= waitingAtMost)
      return Promise.reject(unavailable('Too many writes are waiting.'));
    return new Promise((resolve, reject) => {
      this.#waiting.push({ unit, resolve, reject });
      // After this turn of the loop, so that everything that arrived in it shares one commit.
      if (this.#flying.length === 0) this.#flush ??= setImmediate(() => this.#send());
    });
  }

  #send(): void {
    this.#flush = undefined;
    if (this.#writer === null || this.#flying.length > 0 || this.#waiting.length === 0) return;
    this.#flying = this.#waiting.splice(0, batchAtMost);
    this.#deadline = setTimeout(() => this.#lose('The writer does not answer.', true), patience);
    this.#ask({ ask: 'write', units: this.#flying.map(({ unit }) => unit) });
  }

  #ask(ask: Ask): void {
    this.#writer?.postMessage(ask);
    this.#writer?.ref();
  }

  #start(): void {
    const workerData: WriterData = { path: this.#path };
    const writer = startThread(import.meta.url, 'sqlite-writer', { workerData });
    // An idle store never keeps the process alive.
    writer.unref();
    writer.on('message', (answer: Answer) => this.#hear(answer));
    writer.on('error', (error) => this.#gone(writer, error as Error));
    writer.on('exit', () => this.#gone(writer, new Error('The writer stopped.')));
    this.#writer = writer;
  }

  #hear(answer: Answer): void {
    if (answer.answer === 'written') this.#settle(answer.results, answer.entries);
    else this.#closed?.();
  }

  #settle(results: readonly UnitResult[], entries: readonly RevocationRow[]): void {
    clearTimeout(this.#deadline);
    // Whoever looks after their own write finds it.
    this.#lookedThisTurn = false;
    // Revocations first: whoever is answered next is answered by a view that holds them.
    if (entries.length > 0) this.#listener({ entries, keys: null });
    const flown = this.#flying;
    this.#flying = [];
    for (const [index, { resolve, reject }] of flown.entries()) {
      const result = results[index];
      if (result === undefined || result.outcome === 'failed') reject(unavailable(result?.message));
      else resolve(result);
    }
    if (this.#stuck) {
      this.#stuck = false;
      this.#recover();
    }
    if (this.#waiting.length > 0) this.#send();
    else this.#rest();
  }

  #rest(): void {
    if (this.#closing && this.#writer !== null) {
      // The writer is the last to let go, so that it can fold the log back into the file.
      this.#reader.close();
      this.#ask({ ask: 'close' });
    } else this.#writer?.unref();
  }

  /** The outcome of what flies is unknown: it may have happened, or may happen yet. */
  #lose(message: string, stuck: boolean): void {
    clearTimeout(this.#deadline);
    for (const { unit } of this.#flying) if (unit.rotates !== undefined) this.#inDoubt.add(unit.rotates);
    for (const { reject } of [...this.#flying, ...this.#waiting]) reject(unavailable(message));
    this.#waiting = [];
    // A stuck writer still owes an answer: until it comes nothing else is sent.
    this.#stuck = stuck;
    if (!stuck) this.#flying = [];
  }

  #gone(writer: Worker, error: Error): void {
    if (this.#writer !== writer) return;
    this.#writer = null;
    if (this.#closed !== null) {
      this.#closed();
      return;
    }
    this.#lose(error.message, false);
    setTimeout(() => {
      if (this.#closed !== null) return;
      this.#start();
      this.#recover();
    }, 100);
  }

  #recover(): void {
    this.#lookedThisTurn = false;
    this.#dataVersion = -1;
    this.catchUp();
    const doubtful = [...this.#inDoubt];
    this.#inDoubt.clear();
    if (doubtful.length === 0) return;
    this.#recovering = this.#renew(doubtful, (unit) => this.#submit(unit))
      .catch(() => {
        for (const id of doubtful) this.#inDoubt.add(id);
      })
      .finally(() => {
        this.#recovering = null;
      });
  }

  catchUp(): boolean {
    // Before anybody listens there is nobody to tell: what is there stays to be told.
    if (this.#lookedThisTurn || !this.#listening) return true;
    try {
      const version = Number(this.#reader.run('PRAGMA data_version', []).rows[0]?.data_version);
      if (version !== this.#dataVersion) {
        this.#load();
        this.#dataVersion = version;
      }
    } catch {
      return false;
    }
    this.#lookedThisTurn = true;
    setImmediate(() => {
      this.#lookedThisTurn = false;
    });
    return true;
  }

  #load(): void {
    // Under the one write lock of SQLite the order of ids is the order of commits.
    for (;;) {
      const { rows } = this.#reader.run('SELECT * FROM revocations WHERE id > ? ORDER BY id LIMIT ?', [
        this.#cursor,
        entriesAtOnce,
      ]);
      const entries = rows as unknown as RevocationRow[];
      const keys = this.#ringIfMoved();
      if (entries.length > 0 || keys !== null) this.#listener({ entries, keys });
      this.#cursor = entries.at(-1)?.id ?? this.#cursor;
      if (entries.length < entriesAtOnce) return;
    }
  }

  #ringIfMoved(): KeysTable[] | null {
    const { rows } = this.#reader.run("SELECT value FROM facts WHERE name = 'ring'", []);
    const ring = String(rows[0]?.value ?? '');
    if (ring === this.#ring) return null;
    this.#ring = ring;
    return this.#reader.run('SELECT * FROM keys ORDER BY created_at, kid LIMIT 1000', [])
      .rows as unknown as KeysTable[];
  }

  copyTo(file: string): Promise<void> {
    return copySqlite(this.#path, file);
  }

  async close(): Promise<void> {
    if (this.#closed !== null) return;
    await this.db.destroy();
    await new Promise<void>((resolve) => {
      this.#closed = resolve;
      this.#closing = true;
      if (this.#writer === null || this.#stuck) {
        this.#reader.close();
        resolve();
      }
      // What was taken is carried out first; the last answer leads to the close.
      else if (this.#flying.length === 0 && this.#waiting.length === 0) this.#rest();
    });
    clearTimeout(this.#deadline);
    await this.#writer?.terminate();
    this.#hold.release();
  }
}
