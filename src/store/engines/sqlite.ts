// The engine on one SQLite file: reads here, synchronously; writes in a thread, gathered so that all that arrives
// while a commit runs goes into the next one (group commit). What other processes wrote comes through sqlite-news.ts.
import type { Worker } from 'node:worker_threads';
import { startThread } from '../../threads.ts';
import { type Engine, type Rotation, type Unit, unavailable, type Written } from '../engine.ts';
import type { Tables } from '../tables.ts';
import { type Claim, copySqlite, readyDatabase } from './sqlite-database.ts';
import { kyselyOn } from './sqlite-dialect.ts';
import { type Hold, openSqlite, type SqliteFile } from './sqlite-file.ts';
import { type NewsReader, openNews } from './sqlite-news.ts';
import type { Answer, Ask, BatchResult, WriterData } from './sqlite-writer.ts';

const batchAtMost = 512;
const waitingAtMost = 10_000;
const restartFirstAfter = 100;
const restartLastAfter = 5_000;

/** What tests turn: how long things may take, and the thread that writes. */
export interface SqliteEngineOptions {
  /** Milliseconds that the writer waits for a lock that another process holds. */
  readonly lockWithin?: number;
  /** Milliseconds in which the writer must answer a batch; beyond `lockWithin`. */
  readonly answerWithin?: number;
  readonly startWriter?: (data: WriterData) => Worker;
}

interface Waiting {
  readonly unit: Unit;
  readonly resolve: (written: Written) => void;
  readonly reject: (error: Error) => void;
}

/** Open a file as the engine; makes it and its folder where they are not there, and brings its tables up. */
export async function openSqliteEngine(path: string, options: SqliteEngineOptions = {}): Promise<Engine> {
  const { hold, alone } = await readyDatabase(path);
  return new SqliteEngine(path, openSqlite(path, { readOnly: true }), { hold, alone }, options);
}

class SqliteEngine implements Engine {
  readonly name = 'sqlite';
  readonly db: Engine['db'];
  readonly foundAlone: boolean;
  readonly #path: string;
  readonly #hold: Hold;
  readonly #reader: SqliteFile;
  readonly #news: NewsReader;
  readonly #options: Required<SqliteEngineOptions>;
  #writer: Worker | null = null;
  #waiting: Waiting[] = [];
  #flying: readonly Waiting[] = [];
  #deadline: NodeJS.Timeout | undefined;
  #flush: NodeJS.Immediate | undefined;
  #renew: Parameters<Engine['onRecovery']>[0] = async () => {};
  /** By session: of one session no second rotation begins while the outcome of the first is unknown. */
  readonly #inDoubt = new Map<string, Rotation>();
  #recovering: Promise<void> | null = null;
  #restartAfter = restartFirstAfter;
  #stuck = false;
  #closing: Promise<void> | null = null;
  #closed: () => void = () => {};

  constructor(path: string, reader: SqliteFile, { hold, alone }: Claim, options: SqliteEngineOptions) {
    this.foundAlone = alone;
    this.#path = path;
    this.#hold = hold;
    this.#reader = reader;
    this.#news = openNews(reader);
    // The writer's own patience, and a second for the work.
    this.#options = { lockWithin: 5_000, answerWithin: 6_000, startWriter, ...options };
    this.db = kyselyOn<Tables>(refusing(reader));
    this.#start();
  }

  listen(listener: Parameters<Engine['listen']>[0]): void {
    this.#news.listen(listener);
  }

  onRecovery(renew: Parameters<Engine['onRecovery']>[0]): void {
    this.#renew = renew;
  }

  healthy(): boolean {
    return this.#writer !== null && !this.#stuck && this.#closing === null;
  }

  async write(unit: Unit): Promise<Written> {
    if (this.#inDoubt.size > 0) this.#recover();
    if (this.#recovering !== null) await this.#recovering;
    // Nothing passes what is in doubt: a rotation whose grace was not renewed would be judged as theft.
    if (this.#inDoubt.size > 0)
      throw unavailable('What was being written when the writer failed is in doubt.');
    return this.#submit(unit);
  }

  #submit(unit: Unit): Promise<Written> {
    if (this.#closing !== null) return Promise.reject(unavailable('The store is closed.'));
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
    this.#deadline = setTimeout(
      () => this.#lose('The writer does not answer.', true),
      this.#options.answerWithin,
    );
    this.#ask({ ask: 'write', units: this.#flying.map(({ unit }) => unit) });
  }

  #ask(ask: Ask): void {
    this.#writer?.postMessage(ask);
    this.#writer?.ref();
  }

  #start(): void {
    const { startWriter, lockWithin } = this.#options;
    const writer = startWriter({ path: this.#path, lockWithin });
    // An idle store never keeps the process alive.
    writer.unref();
    writer.on('message', (answer: Answer) => this.#hear(answer));
    writer.on('error', (error) => this.#gone(writer, error as Error));
    writer.on('exit', () => this.#gone(writer, new Error('The writer stopped.')));
    this.#writer = writer;
  }

  #hear(answer: Answer): void {
    if (answer.answer === 'written') this.#settle(answer);
    else this.#closed();
  }

  #settle({ results, entries, refused }: BatchResult): void {
    clearTimeout(this.#deadline);
    this.#restartAfter = restartFirstAfter;
    // Revocations first: whoever is answered next is answered by a view that holds them.
    this.#news.tell(entries);
    const flown = this.#flying;
    this.#flying = [];
    for (const [index, { resolve, reject }] of flown.entries()) {
      const result = results[index];
      if (result === undefined || result.outcome === 'failed') reject(unavailable(result?.message));
      else resolve(result);
    }
    // Whoever waited as long as these did would wait as long again, and be refused too.
    if (refused) this.#refuseWaiting('The batch before could not be written.');
    if (this.#stuck) {
      this.#stuck = false;
      this.#lookAnew();
      this.#recover();
    }
    if (this.#waiting.length > 0) this.#send();
    else this.#rest();
  }

  #rest(): void {
    if (this.#closing !== null) {
      // The writer is the last to let go, so that it can fold the log back into the file.
      this.#reader.close();
      this.#ask({ ask: 'close' });
    } else this.#writer?.unref();
  }

  /** The outcome of what flies is unknown: it may have happened, or may happen yet. */
  #lose(message: string, stuck: boolean): void {
    clearTimeout(this.#deadline);
    // What was committed and not told is known before anybody is answered.
    this.#lookAnew();
    for (const { unit } of this.#flying)
      if (unit.rotates !== undefined) this.#inDoubt.set(unit.rotates.sessionId, unit.rotates);
    for (const { reject } of this.#flying) reject(unavailable(message));
    this.#refuseWaiting(message);
    // A stuck writer still owes an answer: until it comes nothing else is sent.
    this.#stuck = stuck;
    if (!stuck) this.#flying = [];
    if (this.#closing !== null) this.#closed();
  }

  #refuseWaiting(message: string): void {
    for (const { reject } of this.#waiting) reject(unavailable(message));
    this.#waiting = [];
  }

  #gone(writer: Worker, error: Error): void {
    if (this.#writer !== writer) return;
    this.#writer = null;
    this.#lose(error.message, false);
    if (this.#closing !== null) return;
    this.#startLater();
  }

  #startLater(): void {
    const restart = setTimeout(() => {
      if (this.#closing !== null) return;
      try {
        this.#start();
      } catch {
        // The system has no thread to give just now.
        return this.#startLater();
      }
      this.#lookAnew();
      this.#recover();
    }, this.#restartAfter);
    restart.unref();
    // A thread that dies again and again, on a disk that is gone, is not started ten times a second.
    this.#restartAfter = Math.min(this.#restartAfter * 2, restartLastAfter);
  }

  /** Renew the grace of what is in doubt; what could not be renewed stays there, and the next write tries again. */
  #recover(): void {
    if (this.#inDoubt.size === 0 || this.#recovering !== null) return;
    const doubtful = [...this.#inDoubt.values()];
    this.#recovering = this.#renew(doubtful, (unit) => this.#submit(unit))
      .then(
        () => {
          for (const { sessionId } of doubtful) this.#inDoubt.delete(sessionId);
        },
        () => {},
      )
      .finally(() => {
        this.#recovering = null;
      });
  }

  /** A closed file is not looked at: its last news were told. */
  #lookAnew(): void {
    if (this.#closing === null) this.#news.lookAnew();
  }

  catchUp(): boolean {
    return this.#closing === null && this.#news.look();
  }

  copyTo(file: string): Promise<void> {
    return copySqlite(this.#path, file);
  }

  close(): Promise<void> {
    if (this.#closing !== null) return this.#closing;
    this.#closing = new Promise<void>((resolve) => {
      this.#closed = resolve;
    }).then(() => this.#letGo());
    if (this.#writer === null || this.#stuck) this.#closed();
    // What was taken is carried out first; the last answer leads to the close.
    else if (this.#flying.length === 0 && this.#waiting.length === 0) this.#rest();
    return this.#closing;
  }

  async #letGo(): Promise<void> {
    clearTimeout(this.#deadline);
    this.#reader.close();
    const writer = this.#writer;
    this.#writer = null;
    await writer?.terminate();
    this.#hold.release();
  }
}

function startWriter(workerData: WriterData): Worker {
  return startThread(import.meta.url, 'sqlite-writer', { workerData });
}

/** A file whose faults are the refusal of a store that cannot be reached: a disk that fails is no fault of the request. */
function refusing(file: SqliteFile): SqliteFile {
  return {
    ...file,
    run(sql, parameters) {
      try {
        return file.run(sql, parameters);
      } catch (error) {
        throw unavailable(error);
      }
    },
  };
}
