// Hashing in its own room: a few threads of lower priority behind a short queue, so that a storm of log-ins delays nothing else.
// Neither the main thread nor libuv's pool ever hashes: whatever waits on that pool would wait behind the hashes.
import { availableParallelism } from 'node:os';
import type { Worker } from 'node:worker_threads';
import { StartError } from '../errors.ts';
import { startThread } from '../threads.ts';
import { mustBePassword } from './hash.ts';
import { JobQueue } from './job-queue.ts';
import { isPassword } from './normalise.ts';
import { checkNewPassword, type PasswordContext, type PasswordFault } from './rules.ts';
import type { Verdict } from './verify.ts';

/** How a lane is built. */
export interface LaneOptions {
  /** The most threads; default: the machine's cores less one, at least one. */
  readonly workers?: number;
  /** The most jobs that wait; default 500. */
  readonly maxWaiting?: number;
  /** The longest that a job may have to wait, in milliseconds; default 5000. */
  readonly maxWaitMs?: number;
}

/** How full a lane is. */
export interface LaneDepth {
  /** Jobs that are not begun. */
  readonly waiting: number;
  /** Jobs that a thread works on. */
  readonly running: number;
}

/** Bounded hashing off the main thread. Every method rejects with `busy` and `retryAfter` when it could not be served soon. */
export interface Lane {
  /** `hashPassword` in a thread. Rejects with `password_refused` as that one throws. */
  hash(password: string): Promise<string>;
  /** `verifyPassword` in a thread. Null for an account that is not there: the same work, and no match. */
  verify(password: string, encoded: string | null): Promise<Verdict>;
  /** `checkNewPassword` in a thread, which reads the list of common passwords there. */
  check(password: string, context?: PasswordContext): Promise<PasswordFault[]>;
  /** How full it is now. */
  readonly depth: LaneDepth;
  /** Takes no more, finishes what it took, ends the threads. */
  close(): Promise<void>;
}

/** What is sent to a thread. A `password` of null stands for a text that is none: it is not sent, and the work is done all the same. */
export type LaneJob =
  | { readonly act: 'hash'; readonly password: string }
  | { readonly act: 'verify'; readonly password: string | null; readonly encoded: string | null }
  | { readonly act: 'check'; readonly password: string; readonly context: PasswordContext };

/** Open a lane. Throws `StartError` for options that are no whole numbers in bounds. No thread starts before the first job, and none keeps the process alive without one. */
export function createLane(options: LaneOptions = {}): Lane {
  const thread = { name: 'latchkey passwords' };
  return openLane(options, () => startThread(import.meta.url, 'lane-worker', thread));
}

/** `createLane` over threads of another making: tests count what reaches them, and let them die. */
export function openLane(options: LaneOptions, start: () => Worker): Lane {
  const { workers = Math.max(1, availableParallelism() - 1), maxWaiting = 500, maxWaitMs = 5000 } = options;
  mustBeWhole('workers', workers, 1);
  mustBeWhole('maxWaiting', maxWaiting, 0);
  mustBeWhole('maxWaitMs', maxWaitMs, 0);
  const queue = new JobQueue<LaneJob, unknown>({ start, workers, maxWaiting, maxWaitMs });
  return {
    async hash(password) {
      mustBePassword(password);
      return (await queue.run({ act: 'hash', password })) as string;
    },
    async verify(password, encoded) {
      // A megabyte is not copied to a thread, but takes its place in the queue and costs a hash like any wrong password (CVE-2025-22234).
      const tried = isPassword(password) ? password : null;
      return (await queue.run({ act: 'verify', password: tried, encoded })) as Verdict;
    },
    async check(password, context = {}) {
      // Answered without the list, and not worth copying.
      if (!isPassword(password)) return checkNewPassword(password, context);
      return (await queue.run({ act: 'check', password, context })) as PasswordFault[];
    },
    get depth() {
      return { waiting: queue.waiting, running: queue.running };
    },
    close: () => queue.close(),
  };
}

function mustBeWhole(name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new StartError(`The lane's option ${name} must be a whole number, ${least} or more.`);
}
