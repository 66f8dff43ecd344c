// Both kinds of lock: one at a time, and nobody waits without end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { turnableClock } from '../clock.ts';
import { type Lock, leaseLock, type WebLocks, webLock } from './locks.ts';
import { type ClientStorage, memoryStorage } from './storage.ts';

const clock = turnableClock();
const pause = async (milliseconds: number) => {
  clock.turn(milliseconds);
  await nextTurn();
};

function storageWith(text: string): ClientStorage {
  const storage = memoryStorage();
  void storage.write(text);
  return storage;
}

/** How many were inside at the same time, at most. */
async function mostInside(locks: readonly Lock[]): Promise<number> {
  let inside = 0;
  let most = 0;
  const act = async () => {
    inside += 1;
    most = Math.max(most, inside);
    for (let turn = 0; turn < 5; turn += 1) await nextTurn();
    inside -= 1;
  };
  await Promise.all(locks.map((lock) => lock(act)));
  return most;
}

test('a lease in the storage lets one in at a time, and leaves what lies there as it was', async () => {
  const storage = storageWith('{"access":"a"}');
  const locks = Array.from({ length: 5 }, () => leaseLock(storage, clock, pause));
  assert.equal(await mostInside(locks), 1);
  assert.equal(await storage.read(), '{"access":"a"}');
});

test('a lease that nobody gave back, or that a wrong clock made, holds up nobody for long', async () => {
  for (const until of [clock.now() + 4_000, clock.now() + 1e12]) {
    const start = clock.now();
    const storage = storageWith(JSON.stringify({ lease: { by: 'gone', until } }));
    await leaseLock(storage, clock, pause)(async () => {});
    assert.ok(clock.now() - start <= 5_000);
  }
});

test('a lease that is renewed for ever is not waited for for ever', async () => {
  const read = () => JSON.stringify({ lease: { by: 'other', until: clock.now() + 1_000 } });
  const storage = { ...memoryStorage(), read };
  assert.equal(await leaseLock(storage, clock, pause)(async () => 'in'), 'in');
});

test('a lease is given back when what ran under it failed', async () => {
  const storage = storageWith('{}');
  const failing = leaseLock(storage, clock, pause)(() => Promise.reject(new RangeError('no')));
  await assert.rejects(failing, RangeError);
  assert.equal(await storage.read(), '{}');
});

/** Web Locks with one queue for all names. */
function fakeLocks(): WebLocks {
  let last: Promise<unknown> = Promise.resolve();
  return {
    request(_name, _options, act) {
      const mine = last.then(act, act);
      last = mine;
      return mine;
    },
  };
}

test('web locks let one in at a time, and what fails inside runs once', async () => {
  const locks = fakeLocks();
  assert.equal(await mostInside(Array.from({ length: 5 }, () => webLock(locks, 'x'))), 1);
  let runs = 0;
  const failing = webLock(
    locks,
    'x',
  )(async () => {
    runs += 1;
    throw new RangeError('no');
  });
  await assert.rejects(failing, RangeError);
  assert.equal(runs, 1);
});

test('where a page may not use web locks it goes on without', async () => {
  const locks = { request: () => Promise.reject(new Error('SecurityError')) };
  assert.equal(await webLock(locks, 'x')(async () => 'in'), 'in');
});
