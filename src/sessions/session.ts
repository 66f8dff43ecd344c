// A session: one row for as long as one log-in lasts, and how it begins and ends.
// Every instant that a token also carries is a whole second in the row, so that row and token never disagree about the end.
import { type Instant, toSeconds } from '../clock.ts';
import type { EndReason } from '../errors.ts';

/** A spent generation, and the instant from which using it again is theft. */
export type SpentGeneration = readonly [generation: number, graceUntil: Instant];

/** One log-in and what became of it. The current refresh token is a fixed template over this row. */
export interface Session {
  readonly id: string;
  /** Null once the account is deleted: what is left is a tombstone that knows only why (rule 32 of the house). */
  readonly userId: string | null;
  /** Grows with every write; a write names the version it read. */
  readonly version: number;
  /** Grows with every rotation; the current refresh token carries it. */
  readonly generation: number;
  /** The key under which the current refresh token is made. */
  readonly refreshKid: string;
  /** Random text, at least 128 bits, made once: what the ids of the refresh tokens are derived from. */
  readonly salt: string;
  /** The template of the refresh token. */
  readonly tokenFormat: 1;
  /** When the current refresh token was made; a whole second. */
  readonly issuedAt: Instant;
  /**
   * When the current refresh token ends; a whole second, never past `absoluteEnd`. The row stays until then, also when the session
   * has ended, so that the token is still told why.
   */
  readonly refreshExpiresAt: Instant;
  /** When the session ends however much it is used; a whole second, never moved. */
  readonly absoluteEnd: Instant;
  /** The generations spent last, newest last, at most eight pairs; `refresh.ts` says what a pair speaks for. */
  readonly recent: readonly SpentGeneration[];
  /** When the user last gave a password or something stronger; a whole second. */
  readonly authTime: Instant;
  /** How (RFC 8176). */
  readonly amr: readonly string[];
  /** The scopes asked for at log-in, or null for all that the account has. */
  readonly askedScopes: readonly string[] | null;
  readonly clientId: string | null;
  /** The device, for people: see `deviceLabel`. */
  readonly label: string | null;
  readonly address: string | null;
  readonly createdAt: Instant;
  readonly lastSeenAt: Instant;
  readonly endedAt: Instant | null;
  readonly endedReason: EndReason | null;
}

/** How long sessions last, in milliseconds. */
export interface SessionPolicy {
  /** Without a refresh. */
  readonly idleMs: number;
  /** In all. */
  readonly ttlMs: number;
  /** How long a spent refresh token still gets its successor; 0 for not at all. */
  readonly graceMs: number;
}

/** What a session begins with. */
export interface SessionStart {
  readonly id: string;
  readonly userId: string;
  readonly now: Instant;
  readonly policy: SessionPolicy;
  readonly refreshKid: string;
  readonly salt: string;
  readonly authTime: Instant;
  readonly amr: readonly string[];
  readonly askedScopes: readonly string[] | null;
  readonly clientId: string | null;
  readonly label: string | null;
  readonly address: string | null;
}

/** A new session in its first generation. */
export function openSession(start: SessionStart): Session {
  const { now, policy, authTime, ...rest } = start;
  const absoluteEnd = wholeSecond(now + policy.ttlMs);
  return {
    ...rest,
    version: 1,
    generation: 1,
    tokenFormat: 1,
    issuedAt: wholeSecond(now),
    refreshExpiresAt: refreshExpiry(now, policy, absoluteEnd),
    absoluteEnd,
    recent: [],
    authTime: wholeSecond(authTime),
    createdAt: now,
    lastSeenAt: now,
    endedAt: null,
    endedReason: null,
  };
}

/** When a refresh token made now ends: a whole second, never past the session's absolute end. */
export function refreshExpiry(now: Instant, policy: SessionPolicy, absoluteEnd: Instant): Instant {
  return Math.min(wholeSecond(now + policy.idleMs), absoluteEnd);
}

/** The whole second that an instant lies in: what is left of it in a token. Rounded down, so that nothing lasts longer than promised. */
export function wholeSecond(instant: Instant): Instant {
  return toSeconds(instant) * 1000;
}

/**
 * The session as it is once ended. The first reason stays; ending it again changes nothing,
 * except that `deleted` takes the personal data out of a session that ended before, too.
 */
export function endSession(session: Session, reason: EndReason, now: Instant): Session {
  const stripped = reason === 'deleted' && session.userId !== null;
  if (hasEnded(session) && !stripped) return session;
  return {
    ...session,
    ...(stripped ? { userId: null, clientId: null, label: null, address: null } : {}),
    version: session.version + 1,
    endedAt: session.endedAt ?? now,
    endedReason: session.endedReason ?? reason,
  };
}

/** Why a session is over, or null while it lives. */
export function whyEnded(session: Session, now: Instant): EndReason | null {
  // A row that has lost its reason is over all the same.
  if (hasEnded(session)) return session.endedReason ?? 'expired';
  return now >= session.refreshExpiresAt || now >= session.absoluteEnd ? 'expired' : null;
}

/** Whether something ended the session, other than time. */
export function hasEnded(session: Session): boolean {
  return session.endedAt !== null || session.endedReason !== null;
}
