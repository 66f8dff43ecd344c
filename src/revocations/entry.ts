// One entry of the list of what was revoked: which access tokens it kills, and for how long it must be remembered.
// Entries kill by id or by epoch and never compare times: a whole-second iat would let an old token live or a new one die.
import type { Instant } from '../clock.ts';
import type { EndReason } from '../errors.ts';

/** Why an access token is refused: each is a code of the table in `errors.ts`. */
export type RevocationReason = EndReason | 'token_revoked' | 'scope_changed' | 'key_revoked';

/** One revocation. Ids grow with the order of writing, which need not be the order of commits. */
export type Entry =
  | {
      readonly id: number;
      /** One access token, by its `jti`. */
      readonly kind: 'token';
      readonly subject: string;
      readonly userId: string | null;
      readonly reason: RevocationReason;
      readonly until: Instant;
    }
  | {
      readonly id: number;
      /** All access tokens of a session, by its `sid`. */
      readonly kind: 'session';
      readonly subject: string;
      readonly userId: string | null;
      readonly reason: RevocationReason;
      readonly until: Instant;
    }
  | {
      readonly id: number;
      /** All access tokens of a user, by `sub`, whose `epoch` is lower, one session excepted. */
      readonly kind: 'user';
      readonly subject: string;
      readonly epochBelow: number;
      readonly exceptSid: string | null;
      readonly reason: RevocationReason;
      readonly until: Instant;
    }
  | {
      readonly id: number;
      /** All access tokens that a key signed, by its `kid`. */
      readonly kind: 'key';
      readonly subject: string;
      readonly reason: RevocationReason;
      readonly until: Instant;
    };

/** An entry before the store has given it an id. */
export type NewEntry = Entry extends infer E ? (E extends Entry ? Omit<E, 'id'> : never) : never;

const leewayMs = 60_000;
const skewMs = 60_000;

/**
 * How long an entry written now must live, so that it outlives every token it kills: the greatest life of an access token
 * that is or lately was in force, the leeway a verifier grants, and the skew between two machines.
 */
export function entryUntil(now: Instant, greatestAccessLifeMs: number): Instant {
  return now + greatestAccessLifeMs + leewayMs + skewMs;
}

/** A session ended: all its access tokens are dead. */
export function sessionEnded(sessionId: string, userId: string, reason: EndReason, until: Instant): NewEntry {
  return { kind: 'session', subject: sessionId, userId, reason, until };
}

/** One access token was revoked (RFC 7009); its session goes on. `userId` is null for a token without a user. */
export function tokenRevoked(jti: string, userId: string | null, until: Instant): NewEntry {
  return { kind: 'token', subject: jti, userId, reason: 'token_revoked', until };
}

/**
 * A user's epoch was raised to `epoch`: every access token of a lower one is dead, except those of `exceptSid`.
 * With `scope_changed` the sessions go on and the next refresh reads the scopes anew; with `token_revoked` they go on as well,
 * and the entry stands for all entries of the user's tokens and sessions that were written before it.
 */
export function userEpochRaised(
  userId: string,
  epoch: number,
  reason: EndReason | 'scope_changed' | 'token_revoked',
  until: Instant,
  exceptSid: string | null = null,
): NewEntry {
  return { kind: 'user', subject: userId, epochBelow: epoch, exceptSid, reason, until };
}

/**
 * A signing key was revoked. Whoever stole it can date tokens as late as they like, so `until` must also lie past the instant
 * at which no verifier holds the key any longer.
 */
export function keyRevoked(kid: string, until: Instant): NewEntry {
  return { kind: 'key', subject: kid, reason: 'key_revoked', until };
}

/** How many live entries of one user a view keeps apart. */
export const mostOfOneUser = 16;

/** Whether so many live entries of one user are better written as one raised epoch. */
export function manyOfOneUser(liveCount: number): boolean {
  return liveCount > mostOfOneUser;
}
