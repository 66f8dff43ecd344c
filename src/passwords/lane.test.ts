import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { describe, test } from 'node:test';
import type { Worker } from 'node:worker_threads';
import { isLatchkeyError, StartError } from '../errors.ts';
import { createLane, type LaneJob, openLane } from './lane.ts';
import { longestTried } from './normalise.ts';

/** Threads that do nothing by themselves: the test looks at what reached them, and answers. */
function fakeThreads() {
  const threads: FakeThread[] = [];
  class FakeThread extends EventEmitter {
    readonly jobs: LaneJob[] = [];
    alive = true;
    holdsProcess = true;
    postMessage(job: LaneJob): void {
      this.jobs.push(job);
    }
    ref(): void {
      this.holdsProcess = true;
    }
    unref(): void {
      this.holdsProcess = false;
    }
    async terminate(): Promise<number> {
      this.die();
      return 1;
    }
    answer(milliseconds: number, answer: unknown = { matches: true, rehash: false }): void {
      this.emit('message', { answer, milliseconds });
    }
    die(error?: Error): void {
      this.alive = false;
      if (error) this.emit('error', error);
      this.emit('exit', 1);
    }
  }
  const start = () => {
    const thread = new FakeThread();
    threads.push(thread);
    return thread as unknown as Worker;
  };
  return { threads, start };
}

const busy = (error: unknown): boolean =>
  isLatchkeyError(error) && error.code === 'busy' && (error.extra.retryAfter ?? 0) >= 1;

// A job that hangs would otherwise hold the whole run for minutes.
describe('a lane', { timeout: 20_000 }, () => {
  test('a lane hashes, verifies and checks in its threads, and a process with an idle lane may end', () => {
    const program = `
    import { createLane } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
    const lane = createLane({ workers: 1 });
    const encoded = await lane.hash('correct horse');
    console.log(JSON.stringify([
      await lane.verify('correct horse', encoded),
      await lane.verify('correct hors', encoded),
      await lane.verify('correct horse', null),
      (await lane.check('password1', { username: 'tim' })).map(({ code }) => code),
      lane.depth,
    ]));`;
    const run = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
      encoding: 'utf8',
      timeout: 30_000,
    });
    assert.equal(run.stderr, '');
    assert.equal(run.status, 0);
    assert.deepEqual(JSON.parse(run.stdout), [
      { matches: true, rehash: false },
      { matches: false, rehash: false },
      { matches: false, rehash: false },
      ['too_common'],
      { waiting: 0, running: 0 },
    ]);
  });

  const skip =
    process.platform === 'linux' && getPriority() < 10 ? false : 'skipped: no priorities of threads here';

  test('a thread of a lane runs at lower priority than the main thread', { skip }, async () => {
    const niceOf = (task: string) =>
      // proc(5): the 19th field; the second is in brackets and may hold blanks.
      Number(readFileSync(`/proc/self/task/${task}/stat`, 'utf8').split(') ')[1]!.split(' ')[16]);
    const lane = createLane({ workers: 1 });
    const before = getPriority();
    await lane.verify('correct horse', null);
    const nice = readdirSync('/proc/self/task').map(niceOf);
    await lane.close();
    assert.equal(nice.filter((value) => value === 10).length, 1);
    assert.equal(getPriority(), before);
  });

  test('a password that cannot be hashed is refused with its reason, not with the death of a thread', async () => {
    const { threads, start } = fakeThreads();
    const lane = openLane({}, start);
    await assert.rejects(lane.hash('\ud800'), { code: 'password_refused' });
    assert.deepEqual(
      (await lane.check('\ud800 and more')).map(({ code }) => code),
      ['not_text'],
    );
    assert.equal(threads.length, 0);
  });

  test('no thread starts before the first job, and no more than there is work for', async () => {
    const { threads, start } = fakeThreads();
    const lane = openLane({ workers: 2 }, start);
    assert.equal(threads.length, 0);
    const first = lane.verify('a', null);
    assert.equal(threads.length, 1);
    threads[0]!.answer(1);
    await first;
    const more = [lane.verify('b', null), lane.verify('c', null), lane.verify('d', null)];
    assert.equal(threads.length, 2);
    assert.deepEqual(lane.depth, { waiting: 1, running: 2 });
    threads[1]!.answer(1);
    threads[0]!.answer(1);
    threads[1]!.answer(1);
    await Promise.all(more);
    assert.deepEqual(lane.depth, { waiting: 0, running: 0 });
  });

  test('a thread holds the process only while it has a job', async () => {
    const { threads, start } = fakeThreads();
    const lane = openLane({ workers: 1 }, start);
    for (let round = 0; round < 2; round += 1) {
      const job = lane.verify('a', null);
      assert.equal(threads[0]!.holdsProcess, true);
      threads[0]!.answer(1);
      await job;
      assert.equal(threads[0]!.holdsProcess, false);
    }
  });

  test('jobs are done in the order in which they came', async () => {
    const { threads, start } = fakeThreads();
    const lane = openLane({ workers: 1 }, start);
    const jobs = ['a', 'b', 'c'].map((password) => lane.verify(password, null));
    for (let round = 0; round < 3; round += 1) threads[0]!.answer(1);
    await Promise.all(jobs);
    assert.deepEqual(
      threads[0]!.jobs.map(({ password }) => password),
      ['a', 'b', 'c'],
    );
  });

  test('what is beyond the count that may wait is refused at once', async () => {
    const { threads, start } = fakeThreads();
    const lane = openLane({ workers: 1, maxWaiting: 1 }, start);
    const taken = [lane.verify('a', null), lane.verify('b', null)];
    await assert.rejects(lane.verify('c', null), busy);
    threads[0]!.answer(1);
    threads[0]!.answer(1);
    await Promise.all(taken);
    assert.equal(threads[0]!.jobs.length, 2);
  });

  test('a lane of which nothing may wait still takes what a free thread can begin', async () => {
    const { threads, start } = fakeThreads();
    const lane = openLane({ workers: 1, maxWaiting: 0, maxWaitMs: 0 }, start);
    const job = lane.verify('a', null);
    await assert.rejects(lane.verify('b', null), busy);
    threads[0]!.answer(1);
    await job;
  });

  test('what could not be begun in time is refused at once, and told how long to wait', async () => {
    const { threads, start } = fakeThreads();
    const lane = openLane({ workers: 1, maxWaitMs: 5000 }, start);
    // One job of 40 s: the average becomes 30 + (40000 - 30) / 10 = 4027 ms.
    const slow = lane.verify('slow', null);
    threads[0]!.answer(40_000);
    await slow;
    const taken = [lane.verify('a', null), lane.verify('b', null)];
    await assert.rejects(
      lane.verify('c', null),
      (error) => isLatchkeyError(error) && error.code === 'busy' && error.extra.retryAfter === 9,
    );
    threads[0]!.answer(1);
    threads[0]!.answer(1);
    await Promise.all(taken);
  });

  test('checks of new passwords say nothing about how long a hash takes', async () => {
    const { threads, start } = fakeThreads();
    const lane = openLane({ workers: 1 }, start);
    const slow = lane.verify('slow', null);
    threads[0]!.answer(40_000);
    await slow;
    for (let round = 0; round < 50; round += 1) {
      const check = lane.check('kV9 xq2ß');
      threads[0]!.emit('message', { answer: [] });
      await check;
    }
    const taken = [lane.verify('a', null), lane.verify('b', null)];
    await assert.rejects(lane.verify('c', null), busy);
    threads[0]!.answer(1);
    threads[0]!.answer(1);
    await Promise.all(taken);
  });

  test('a job that waited too long after all is refused when its turn comes', async () => {
    const { threads, start } = fakeThreads();
    const lane = openLane({ workers: 1, maxWaitMs: 100 }, start);
    const first = lane.verify('a', null);
    const late = lane.verify('b', null);
    await new Promise((resolve) => setTimeout(resolve, 150));
    threads[0]!.answer(1);
    await first;
    await assert.rejects(late, busy);
    assert.equal(threads[0]!.jobs.length, 1);
    assert.deepEqual(lane.depth, { waiting: 0, running: 0 });
  });

  test('the job of a thread that dies is refused, and the next one gets a new thread', async () => {
    const { threads, start } = fakeThreads();
    const lane = openLane({ workers: 1 }, start);
    const lost = lane.verify('a', null);
    const next = lane.verify('b', null);
    const cause = new Error('out of memory');
    threads[0]!.die(cause);
    await assert.rejects(lost, (error) => busy(error) && (error as Error).cause === cause);
    assert.equal(threads.length, 2);
    threads[1]!.answer(1);
    assert.deepEqual(await next, { matches: true, rehash: false });
  });

  test('a thread that dies without a job is not given one', async () => {
    const { threads, start } = fakeThreads();
    const lane = openLane({ workers: 1 }, start);
    const first = lane.verify('a', null);
    threads[0]!.answer(1);
    await first;
    threads[0]!.die();
    assert.deepEqual(lane.depth, { waiting: 0, running: 0 });
    const next = lane.verify('b', null);
    threads[1]!.answer(1);
    await next;
  });

  test('a thread that cannot even start costs each job one refusal and never hangs', async () => {
    const lane = openLane({ workers: 1 }, () => {
      const { start } = fakeThreads();
      const thread = start();
      setImmediate(() => thread.emit('exit', 1));
      return thread;
    });
    const jobs = [lane.verify('a', null), lane.verify('b', null), lane.verify('c', null)];
    for (const job of await Promise.allSettled(jobs)) {
      assert.ok(job.status === 'rejected' && busy(job.reason));
    }
  });

  test('a job for which the system has no thread is refused', async () => {
    const lane = openLane({}, () => {
      throw new Error('EAGAIN');
    });
    await assert.rejects(lane.verify('a', null), busy);
    assert.deepEqual(lane.depth, { waiting: 0, running: 0 });
  });

  test('close finishes what was taken, takes no more and ends the threads', async () => {
    const { threads, start } = fakeThreads();
    const lane = openLane({ workers: 1 }, start);
    const taken = [lane.verify('a', null), lane.verify('b', null)];
    const closed = Promise.all([lane.close(), lane.close()]);
    await assert.rejects(lane.verify('c', null), busy);
    assert.equal(threads[0]!.alive, true);
    threads[0]!.answer(1);
    threads[0]!.answer(1);
    await Promise.all(taken);
    await closed;
    assert.equal(threads[0]!.alive, false);
  });

  test('a lane that was never used closes too', async () => {
    await createLane().close();
  });

  test('a longer password than is ever tried is not sent to a thread', async () => {
    const { threads, start } = fakeThreads();
    const lane = openLane({ workers: 1 }, start);
    const tried = ['x'.repeat(longestTried), 'x'.repeat(longestTried + 1), 'x\ud800'];
    for (const password of tried) {
      const job = lane.verify(password, 'encoded');
      threads[0]!.answer(1);
      await job;
    }
    assert.deepEqual(threads[0]!.jobs, [
      { act: 'verify', password: tried[0], encoded: 'encoded' },
      { act: 'verify', password: null, encoded: 'encoded' },
      { act: 'verify', password: null, encoded: 'encoded' },
    ]);
  });

  test('an option that makes no sense stops the start and is named', () => {
    for (const name of ['workers', 'maxWaiting', 'maxWaitMs']) {
      for (const value of [-1, 1.5, Number.NaN]) {
        assert.throws(
          () => createLane({ [name]: value }),
          (error) => error instanceof StartError && error.message.includes(name),
        );
      }
    }
    assert.throws(() => createLane({ workers: 0 }), StartError);
  });
});
