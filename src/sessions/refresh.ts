// The rule of refreshing, as a plain function: what becomes of a session when one of its refresh tokens is presented.
// An honest retry and a theft look alike; only time tells them apart, so every spent generation has its grace in the row.
import type { Instant } from '../clock.ts';
import type { EndReason } from '../errors.ts';
import {
  endSession,
  hasEnded,
  refreshExpiry,
  type Session,
  type SessionPolicy,
  type SpentGeneration,
  wholeSecond,
  whyEnded,
} from './session.ts';

/** What a presented refresh token says of itself, once its MAC was found good. */
export interface Presented {
  readonly generation: number;
  readonly expiresAt: Instant;
}

/** The policy, with the key that signs refresh tokens now. */
export interface RefreshPolicy extends SessionPolicy {
  readonly refreshKid: string;
}

/**
 * What happened, with the session as it should be next. Only `rotated` and `reused` are to be written.
 * `rotated` and `repeated` are answered with the refresh token of `session`.
 */
export type RefreshDecision =
  | { readonly outcome: 'rotated'; readonly session: Session }
  | { readonly outcome: 'repeated'; readonly session: Session }
  | { readonly outcome: 'reused'; readonly session: Session }
  | { readonly outcome: 'ended'; readonly reason: EndReason }
  | { readonly outcome: 'expired' }
  | { readonly outcome: 'store_went_back' };

/** Decide what a presented refresh token gets. Awaits nothing, reads no clock; `now` is the store's. */
export function decideRefresh(
  session: Session,
  presented: Presented,
  now: Instant,
  policy: RefreshPolicy,
): RefreshDecision {
  const reason = whyEnded(session, now);
  if (reason !== null && hasEnded(session)) return { outcome: 'ended', reason };
  // A token past its own end could no longer be used by anybody, so it is no sign of theft, spent or not.
  if (reason !== null || now >= presented.expiresAt) return { outcome: 'expired' };
  if (presented.generation === session.generation) {
    return { outcome: 'rotated', session: rotate(session, now, policy) };
  }
  // The MAC is ours and the row is older: the store was restored, or a write was lost. No thief can make that.
  if (presented.generation > session.generation) return { outcome: 'store_went_back' };
  if (now < graceOf(session.recent, presented.generation)) return { outcome: 'repeated', session };
  return { outcome: 'reused', session: endSession(session, 'reuse_detected', now) };
}

/**
 * Open the grace of a rotation anew when nobody knows whether its answer arrived: after a crash, or a commit whose outcome was lost.
 * `inDoubt` is the generation that was spent. Null when there is nothing to write:
 * the rotation never came about, another followed it, the session is over, or there is no grace.
 */
export function renewGrace(
  session: Session,
  now: Instant,
  policy: SessionPolicy,
  inDoubt: number,
): Session | null {
  const last = session.recent.at(-1);
  const graceUntil = now + policy.graceMs;
  if (last === undefined || last[0] !== inDoubt || whyEnded(session, now) !== null) return null;
  if (policy.graceMs === 0 || last[1] >= graceUntil) return null;
  return {
    ...session,
    version: session.version + 1,
    recent: [...session.recent.slice(0, -1), [inDoubt, graceUntil]],
  };
}

function rotate(session: Session, now: Instant, policy: RefreshPolicy): Session {
  return {
    ...session,
    version: session.version + 1,
    generation: session.generation + 1,
    refreshKid: policy.refreshKid,
    issuedAt: wholeSecond(now),
    refreshExpiresAt: refreshExpiry(now, policy, session.absoluteEnd),
    recent: spend(session.recent, session.generation, now, policy.graceMs),
    lastSeenAt: now,
  };
}

const mostPairs = 8;

/**
 * `recent` with one more spent generation. A pair speaks for its generation and for those between it and the pair before;
 * the oldest speaks for itself alone. In a burst the newest pair is taken into the new one, when both were spent within
 * a third of the grace after the pair before them. So eight pairs hold any burst: nobody's grace is cut short because
 * other tabs were quick, and a generation that was taken in stays open at most a third longer than its own grace.
 *
 * Why eight are enough: pairs two apart are a third of the grace apart, so of nine the third is already closed
 * when the ninth is made. The first can go; the second, closed too, marks where the open ones begin.
 */
function spend(
  recent: readonly SpentGeneration[],
  generation: number,
  now: Instant,
  graceMs: number,
): readonly SpentGeneration[] {
  const graceUntil = now + graceMs;
  const before = recent.at(-2);
  const sinceBefore = graceUntil - (before?.[1] ?? Number.NEGATIVE_INFINITY);
  // Below zero the store's clock was set back: taking in would then go on until it has caught up.
  const burst = sinceBefore >= 0 && sinceBefore < graceMs / 3;
  const kept = burst ? recent.slice(0, -1) : recent;
  return [...kept, [generation, graceUntil] as const].slice(-mostPairs);
}

/** From which instant a spent generation is theft; always past for one that no pair speaks for. */
function graceOf(recent: readonly SpentGeneration[], generation: number): Instant {
  const index = recent.findIndex(([spent]) => spent >= generation);
  const pair = recent[index];
  if (pair === undefined || (index === 0 && pair[0] !== generation)) return Number.NEGATIVE_INFINITY;
  return pair[1];
}
