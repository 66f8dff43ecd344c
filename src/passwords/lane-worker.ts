// The thread of a lane: one job in, one reply out, everything synchronous. Keeps nothing between jobs.
import { readlinkSync } from 'node:fs';
import { setPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { hashPassword } from './hash.ts';
import type { Reply } from './job-queue.ts';
import type { LaneJob } from './lane.ts';
import { checkNewPassword } from './rules.ts';
import { compare } from './verify.ts';

/** How nice the thread is to the others: with one core for both, the main thread goes first. */
const niceness = 10;

/** Lower the priority of this thread alone. Only Linux counts threads as processes here, and it is no loss elsewhere. */
function lowerPriority(): void {
  try {
    setPriority(Number(readlinkSync('/proc/thread-self').split('/').at(-1)), niceness);
  } catch {
    // Not Linux, or /proc is not there: all threads run alike.
  }
}

function work(job: LaneJob): Reply<unknown> {
  if (job.act === 'check') return { answer: checkNewPassword(job.password, job.context) };
  const begun = performance.now();
  const answer = job.act === 'hash' ? hashPassword(job.password) : compare(job.password, job.encoded);
  return { answer, milliseconds: performance.now() - begun };
}

lowerPriority();
parentPort?.on('message', (job: LaneJob) => parentPort?.postMessage(work(job)));
