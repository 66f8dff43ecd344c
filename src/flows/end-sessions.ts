// Sessions end: by their own log-out, from another device, everywhere, or by an administrator.
// Whatever ends one updates its row, and its access tokens are dead before the answer leaves.
import { type EndReason, refuse } from '../errors.ts';
import { manyOfOneUser, sessionEnded, userEpochRaised } from '../revocations/entry.ts';
import { endSession, type Session } from '../sessions/session.ts';
import type { AccountDecision, StoredAccount } from '../store/accounts.ts';
import type { SessionDecision } from '../store/sessions.ts';
import type { House } from './house.ts';

// So that nobody fills the store by logging in again and again; the session that was used longest ago makes room.
const sessionsOfOneAccount = 100;

/** End one session. False: it is not there, or is not this account's, or had ended already. */
export async function endOneSession(
  house: House,
  sessionId: string,
  userId: string,
  reason: EndReason,
): Promise<boolean> {
  const ended = await end(house, sessionId, userId, reason);
  if (ended) await gatherEntries(house, userId);
  return ended;
}

/**
 * End the sessions that an account has too many of, before one more is opened. Their entries are not gathered: the epoch that
 * this would raise is the one that the new session is opened under.
 */
export async function makeRoom(house: House, userId: string): Promise<void> {
  const running = await listSessions(house, userId);
  for (const { id } of running.slice(sessionsOfOneAccount - 1)) {
    await end(house, id, userId, 'signed_out_elsewhere');
  }
}

async function end(
  { store, tokensOut }: House,
  sessionId: string,
  userId: string,
  reason: EndReason,
): Promise<boolean> {
  const ended = await store.sessions.change(sessionId, (session, _, now) => {
    if (session.userId !== userId || session.endedAt !== null) return { outcome: false };
    const entries = [sessionEnded(sessionId, userId, reason, tokensOut.until(now))];
    return { outcome: true, next: endSession(session, reason, now), entries };
  });
  return ended === true;
}

/** End all sessions of an account. Throws `not_found`. */
export async function endSessionsOfUser(house: House, userId: string, reason: EndReason): Promise<void> {
  const ended = await house.store.accounts.change(userId, (stored, now) =>
    endingAll(house, stored, reason, now),
  );
  if (ended === null) throw refuse('not_found');
}

/** The running sessions of an account, the one last seen first. */
export function listSessions(house: House, userId: string): Promise<Session[]> {
  return house.store.sessions.listOf(userId);
}

/** The decision that raises an account's epoch and ends its sessions, all or all but one. */
export function endingAll(
  house: House,
  { account, passwordHash }: StoredAccount,
  reason: EndReason,
  now: number,
  except: string | null = null,
): AccountDecision<true> {
  const epoch = account.epoch + 1;
  const until = house.tokensOut.until(now);
  return {
    outcome: true,
    next: { account: { ...account, epoch }, passwordHash },
    end: { reason, except },
    entries: [userEpochRaised(account.id, epoch, reason, until, except)],
  };
}

/** What a spent refresh token does to its session: the decision ended it, and its access tokens are dead. */
export function endingReused(
  house: House,
  ended: Session,
  now: number,
): Pick<SessionDecision<never>, 'next' | 'entries'> {
  const { id, userId } = ended;
  const until = house.tokensOut.until(now);
  return { next: ended, entries: userId === null ? [] : [sessionEnded(id, userId, 'reuse_detected', until)] };
}

/**
 * Many entries of one account become one, so that nobody fills every guard's view by logging in and out. The running sessions go on:
 * their access tokens die sooner than they would have, for a reason that says so, and the next refresh gives living ones.
 */
export async function gatherEntries(house: House, userId: string): Promise<void> {
  if (!manyOfOneUser(await house.store.revocations.countOfUser(userId))) return;
  await house.store.accounts.change(userId, ({ account, passwordHash }, now) => {
    const epoch = account.epoch + 1;
    const until = house.tokensOut.until(now);
    return {
      outcome: true,
      next: { account: { ...account, epoch }, passwordHash },
      entries: [userEpochRaised(userId, epoch, 'token_revoked', until)],
      gathersUntil: until,
    };
  });
}
