// A bounded queue in front of a few threads, each of which does one job at a time.
// A thread keeps the process alive only while it has a job, so that an idle program may end.
import type { Worker } from 'node:worker_threads';
import { refuse } from '../errors.ts';

/** What a thread sends back for a job. */
export interface Reply<Answer> {
  readonly answer: Answer;
  /** How long the job took in the thread; missing for jobs that say nothing about the others. */
  readonly milliseconds?: number;
}

/** What the queue needs to know. */
export interface QueueSettings {
  /** Starts a thread that answers each message with one `Reply`. */
  readonly start: () => Worker;
  /** The most threads. */
  readonly workers: number;
  /** The most jobs that wait. */
  readonly maxWaiting: number;
  /** The longest that a job may have to wait before it is begun. */
  readonly maxWaitMs: number;
}

interface Entry<Job, Answer> {
  readonly job: Job;
  readonly since: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
}

type Running<Answer> = Pick<Entry<unknown, Answer>, 'resolve' | 'reject'>;

/** How long a job is believed to take before the first one was timed. */
const firstGuessMs = 30;
/** How much the newest job weighs in the average. */
const newestWeight = 0.1;

/** The queue and its threads. Must be closed. */
export class JobQueue<Job, Answer> {
  readonly #settings: QueueSettings;
  readonly #waiting: Entry<Job, Answer>[] = [];
  readonly #idle: Worker[] = [];
  /** Every thread that lives, with its job if it has one. The job itself is not kept: it holds a password. */
  readonly #threads = new Map<Worker, Running<Answer> | undefined>();
  #averageMs = firstGuessMs;
  #closed: Promise<void> | undefined;
  #drained: (() => void) | undefined;

  constructor(settings: QueueSettings) {
    this.#settings = settings;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get running(): number {
    return this.#threads.size - this.#idle.length;
  }

  /** Do a job in turn. Rejects with `busy` at once if it could not be begun in time, and if its thread dies. */
  run(job: Job): Promise<Answer> {
    const { workers, maxWaiting, maxWaitMs } = this.#settings;
    const mustWait = this.running >= workers;
    const full = mustWait && (this.waiting >= maxWaiting || this.#estimateMs() > maxWaitMs);
    if (this.#closed || full) return Promise.reject(this.#busy());
    return new Promise((resolve, reject) => {
      if (mustWait) this.#waiting.push({ job, since: performance.now(), resolve, reject });
      else this.#give(job, { resolve, reject });
    });
  }

  /** Take no more jobs, finish those that were taken, then end the threads. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    if (this.waiting + this.running > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
      });
    }
    await Promise.all([...this.#threads.keys()].map((thread) => thread.terminate()));
  }

  /** How long a new job would wait until it is begun, when no thread is free. */
  #estimateMs(): number {
    return ((this.waiting + this.running) * this.#averageMs) / this.#settings.workers;
  }

  #busy(cause?: unknown): Error {
    return refuse('busy', { retryAfter: Math.max(1, Math.ceil(this.#estimateMs() / 1000)), cause });
  }

  #next(): void {
    while (this.waiting > 0 && this.running < this.#settings.workers) {
      const { job, since, resolve, reject } = this.#waiting.shift()!;
      // The estimate was wrong and whoever asked has given up: the time is better spent on the next one.
      if (performance.now() - since > this.#settings.maxWaitMs) reject(this.#busy());
      else this.#give(job, { resolve, reject });
    }
    if (this.waiting + this.running === 0) this.#drained?.();
  }

  #give(job: Job, running: Running<Answer>): void {
    try {
      const thread = this.#idle.pop() ?? this.#start();
      this.#threads.set(thread, running);
      thread.ref();
      thread.postMessage(job);
    } catch (cause) {
      // The system has no thread to give just now.
      running.reject(this.#busy(cause));
    }
  }

  #start(): Worker {
    const thread = this.#settings.start();
    let cause: unknown;
    thread.on('message', (reply: Reply<Answer>) => this.#finish(thread, reply));
    thread.on('error', (error) => {
      cause = error;
    });
    thread.on('exit', () => this.#bury(thread, cause));
    return thread;
  }

  #finish(thread: Worker, { answer, milliseconds }: Reply<Answer>): void {
    if (milliseconds !== undefined) this.#averageMs += newestWeight * (milliseconds - this.#averageMs);
    const running = this.#threads.get(thread);
    this.#threads.set(thread, undefined);
    this.#idle.push(thread);
    thread.unref();
    running?.resolve(answer);
    this.#next();
  }

  /** A thread has ended. Its job is refused rather than tried again: it may be what ended the thread. */
  #bury(thread: Worker, cause: unknown): void {
    const running = this.#threads.get(thread);
    this.#threads.delete(thread);
    const at = this.#idle.indexOf(thread);
    if (at !== -1) this.#idle.splice(at, 1);
    running?.reject(this.#busy(cause));
    this.#next();
  }
}
