// Rotations whose outcome nobody knows: after a writer that failed, or a process that stopped uncleanly. Their grace is opened anew,
// so that a client whose answer was lost comes back with a spent token and is not taken for a thief.
import type { Instant } from '../clock.ts';
import { renewGrace } from '../sessions/refresh.ts';
import type { SessionPolicy } from '../sessions/session.ts';
import type { Engine, Rotation } from './engine.ts';
import { readWithAccount } from './session-row.ts';
import { changeSession } from './session-statements.ts';

// How long before the last rotation that is on the disk another one may have been answered and lost.
const doubtWindow = 10_000;
const doubtedAtMost = 100_000;
const renewedAtOnce = 500;

/** See `SessionShelf.prepare`. */
export async function prepareRenewal(
  engine: Engine,
  now: () => Instant,
  policy: SessionPolicy,
  cleanStop: boolean,
): Promise<void> {
  const renewAll = async (doubtful: readonly Rotation[], write: Engine['write']): Promise<void> => {
    for (let start = 0; start < doubtful.length; start += renewedAtOnce) {
      const some = doubtful.slice(start, start + renewedAtOnce);
      await Promise.all(some.map((rotation) => renew(engine, rotation, now(), policy, write)));
    }
  };
  engine.onRecovery(renewAll);
  if (!cleanStop) await renewAll(await rotatedLast(engine, now()), (unit) => engine.write(unit));
}

async function renew(
  { db }: Engine,
  { sessionId, spent }: Rotation,
  now: Instant,
  policy: SessionPolicy,
  write: Engine['write'],
): Promise<void> {
  const found = await readWithAccount(db, sessionId);
  const next = found && renewGrace(found.session, now, policy, spent);
  // A conflict means that the session has moved on, and its newest pair has a grace of its own.
  if (found && next) await write({ statements: [changeSession(db, found.session, next)] });
}

async function rotatedLast({ db }: Engine, now: Instant): Promise<Rotation[]> {
  // Not what lies in the future: one row of a clock that was set back would hide all that came after it.
  const last = await db
    .selectFrom('sessions')
    .select('issued_at')
    .where('issued_at', '<=', now)
    .orderBy('issued_at', 'desc')
    .limit(1)
    .executeTakeFirst();
  const rows = await db
    .selectFrom('sessions')
    .select(['id', 'generation'])
    .where('issued_at', '>=', Number(last?.issued_at ?? now) - doubtWindow)
    .where('generation', '>', 1)
    .where('ended_at', 'is', null)
    // The newest first: their answers are the likeliest to have been lost.
    .orderBy('issued_at', 'desc')
    .limit(doubtedAtMost)
    .execute();
  return rows.map(({ id, generation }) => ({ sessionId: id, spent: Number(generation) - 1 }));
}
