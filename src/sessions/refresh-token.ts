// Refresh tokens: a fixed template over the session's row, under an HMAC of their own, so that any instance makes the same one bit for bit.
// They carry no iss and no aud: only the house that holds the key can read one, and that key never leaves its ring.
import { createHmac, KeyObject } from 'node:crypto';
import { type Instant, toSeconds } from '../clock.ts';
import { equalSecrets, sha256 } from '../secrets.ts';
import type { Session } from './session.ts';

/** A key of the ring whose purpose is `refresh`. */
export interface RefreshKey {
  readonly kid: string;
  readonly secret: KeyObject;
}

/** What a refresh token said, or what is wrong with it. */
export type RefreshTokenReading =
  | {
      readonly ok: true;
      /** Whose session it was when the token was made. */
      readonly userId: string;
      readonly sessionId: string;
      readonly generation: number;
      readonly expiresAt: Instant;
      readonly kid: string;
    }
  | { readonly ok: false; readonly fault: 'malformed' | 'unknown_key' | 'bad_mac' };

const greatestLength = 2048;
const shape = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})$/;
const kidShape = /^[A-Za-z0-9._-]{1,64}$/;

/**
 * The session's current refresh token. It depends on the row and the key alone: no clock, no setting, no randomness,
 * because two instances that answer one presented token must answer alike.
 * Throws when the key is not the one that the row names, or the row is a tombstone.
 */
export function makeRefreshToken(session: Session, key: RefreshKey): string {
  if (session.tokenFormat !== 1)
    throw new Error('the session asks for a token format that is not known here');
  if (session.userId === null) throw new Error('a session without an account has no refresh token');
  if (session.refreshKid !== key.kid || !kidShape.test(key.kid)) {
    throw new Error('the refresh key is not the one that the session names');
  }
  const payload = JSON.stringify({
    sub: session.userId,
    sid: session.id,
    gen: session.generation,
    iat: toSeconds(session.issuedAt),
    exp: toSeconds(session.refreshExpiresAt),
    jti: sha256(`${session.salt}.${session.generation}`),
  });
  const signed = `${headerSegment(key.kid)}.${Buffer.from(payload, 'utf8').toString('base64url')}`;
  return `${signed}.${mac(signed, key.secret)}`;
}

/** Read a presented refresh token. Never throws; `keys` finds a refresh key by its id. Says nothing of time: that is the rule's to judge. */
export function readRefreshToken(
  token: unknown,
  keys: (kid: string) => KeyObject | undefined,
): RefreshTokenReading {
  if (typeof token !== 'string' || token.length > greatestLength) return { ok: false, fault: 'malformed' };
  const [, header, payload, signature] = shape.exec(token) ?? [];
  if (header === undefined || payload === undefined || signature === undefined) {
    return { ok: false, fault: 'malformed' };
  }
  const kid = kidOf(header);
  if (kid === null) return { ok: false, fault: 'malformed' };
  const key = keys(kid);
  if (!(key instanceof KeyObject) || key.type !== 'secret') return { ok: false, fault: 'unknown_key' };
  // The MAC is over the text as it came and is compared as text, so that a second spelling of the same bytes fails.
  if (!equalSecrets(mac(`${header}.${payload}`, key), signature)) return { ok: false, fault: 'bad_mac' };
  return readPayload(payload, kid);
}

function headerSegment(kid: string): string {
  return Buffer.from(JSON.stringify({ alg: 'HS256', typ: 'refresh+jwt', kid }), 'utf8').toString('base64url');
}

/** The key id of a header that is exactly one of ours; anything else that decodes to it, or says more, is not. */
function kidOf(segment: string): string | null {
  const text = Buffer.from(segment, 'base64url').toString('utf8');
  const kid = /^\{"alg":"HS256","typ":"refresh\+jwt","kid":"([^"]*)"\}$/.exec(text)?.[1];
  return kid !== undefined && kidShape.test(kid) && headerSegment(kid) === segment ? kid : null;
}

function mac(text: string, key: KeyObject): string {
  return createHmac('sha256', key).update(text, 'ascii').digest('base64url');
}

/** Believed already: the MAC says that the house wrote it. Checked all the same, since an older or newer house may share the key. */
function readPayload(segment: string, kid: string): RefreshTokenReading {
  try {
    const claims: unknown = JSON.parse(Buffer.from(segment, 'base64url').toString('utf8'));
    const { sub, sid, gen, exp } = claims as { sub?: unknown; sid?: unknown; gen?: unknown; exp?: unknown };
    if (isName(sub) && isName(sid) && isCount(gen) && isCount(exp)) {
      return { ok: true, userId: sub, sessionId: sid, generation: gen, expiresAt: exp * 1000, kid };
    }
  } catch {
    // Falls through: not JSON, or not an object.
  }
  return { ok: false, fault: 'malformed' };
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) > 0;
}
