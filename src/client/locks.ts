// One at a time among all who share a storage: Web Locks where they are, else a short lease that stands in the storage itself.
// Neither is waited for without end: two refreshes at once get the same successor from the server, so going ahead is safe.
import type { Clock } from '../clock.ts';
import { parse } from './client-error.ts';
import type { ClientStorage } from './storage.ts';

/** Runs what is given, one after the other. */
export type Lock = <Value>(act: () => Promise<Value>) => Promise<Value>;

/** What of `navigator.locks` is used. */
export interface WebLocks {
  request<Value>(name: string, options: { signal: AbortSignal }, act: () => Promise<Value>): Promise<Value>;
}

/** Waits some milliseconds. */
export type Pause = (milliseconds: number) => Promise<unknown>;

const patienceMs = 15_000;
const leaseMs = 5_000;
const lookMs = 50;

/** A lock by the Web Locks of the browser or of Node. */
export function webLock(locks: WebLocks, name: string): Lock {
  return async (act) => {
    let entered = false;
    const run = () => {
      entered = true;
      return act();
    };
    try {
      return await locks.request(name, { signal: AbortSignal.timeout(patienceMs) }, run);
    } catch (error) {
      if (entered) throw error;
      // Nobody let go in time, or a sandboxed page may not use locks.
      return act();
    }
  };
}

/** A lock by a lease in the storage. Whoever dies with it holds up the others for as long as the lease lasts. */
export function leaseLock(storage: ClientStorage, clock: Clock, pause: Pause): Lock {
  return async (act) => {
    const by = `${Math.random()}`;
    await take(storage, clock, pause, by);
    try {
      return await act();
    } finally {
      const held = parse((await storage.read()) ?? '');
      if (leaseIn(held)?.by === by) await storage.write(JSON.stringify({ ...held, lease: undefined }));
    }
  };
}

async function take(storage: ClientStorage, clock: Clock, pause: Pause, by: string): Promise<void> {
  for (let waited = 0; waited < patienceMs; waited += lookMs) {
    const held = parse((await storage.read()) ?? '');
    // Where nothing is held there is nothing to refresh, and nothing to put a lease on.
    if (held === null) return;
    const lease = leaseIn(held);
    const now = clock.now();
    if (lease?.by === by) return;
    // A lease that would last longer than one can was made before the clock was set back.
    if (lease === null || lease.until <= now || lease.until > now + leaseMs) {
      await storage.write(JSON.stringify({ ...held, lease: { by, until: now + leaseMs } }));
    }
    // There is no compare-and-set here: look a moment later whether somebody wrote over it.
    await pause(lookMs);
  }
}

function leaseIn(held: Readonly<Record<string, unknown>> | null): { by: string; until: number } | null {
  const { by, until } = (held?.lease ?? {}) as { by?: unknown; until?: unknown };
  return typeof by === 'string' && typeof until === 'number' ? { by, until } : null;
}
