// A verifier with a memory: a token met again costs a look-up instead of a signature.
// The memory is keyed by the whole token and belongs to one verifier; whatever time or an operator can change is checked on every hit.
import { type Instant, toSeconds } from '../clock.ts';
import { type AccessClaims, checkTimes } from './claims.ts';
import type { TokenHeader } from './compact.ts';
import type { VerifyingKey } from './key.ts';
import { type Expectation, type HeaderMemory, type TokenFault, verifyToken } from './verify.ts';

/** What a verifier is made for. */
export interface VerifierOptions {
  /** Equal to `iss`, character for character. */
  readonly issuer: string;
  /** This service, which `aud` must name. */
  readonly audience: string;
  /** The longest life that the issuer gives a token, in seconds. */
  readonly maxLifetimeSeconds: number;
  /** The key of that name as of now; asked on every check. */
  readonly keys: (kid: string) => VerifyingKey | undefined;
  /** Why a token that is good otherwise is dead, or null; asked on every check. What it throws is thrown on. */
  readonly revoked?: (claims: AccessClaims, kid: string) => string | null;
  /** How many verified tokens are remembered at most (default 10,000). 0 remembers none. */
  readonly capacity?: number;
}

/** Good, with claims that are frozen because requests share them; or why not, with the reason of a revocation. */
export type Verdict =
  | { readonly ok: true; readonly claims: AccessClaims; readonly kid: string }
  | { readonly ok: false; readonly fault: TokenFault | 'revoked'; readonly reason?: string };

/** Verifies access tokens for one issuer and audience (RFC 9068 section 4). */
export interface Verifier {
  /** `now` in milliseconds since the epoch. Never throws for a token; what `keys` and `revoked` throw is thrown on. */
  verify(token: string, now: Instant): Verdict;
}

interface Verified {
  readonly claims: AccessClaims;
  readonly key: VerifyingKey;
}

/** Make a verifier. Throws a TypeError for options under which it would let too much through. */
export function createVerifier(options: VerifierOptions): Verifier {
  const { keys, revoked = () => null, capacity = 10_000 } = options;
  checkOptions(options, capacity);
  const remembered = twoGenerations<Verified>(capacity);
  const expectation: Expectation = { ...options, type: 'at+jwt', headers: headerMemory() };

  function check(token: string, nowSeconds: number): Verified | { fault: TokenFault } {
    const known = remembered.get(token);
    // The same key object, not merely the same name: a key that was replaced vouches for nothing.
    if (known !== undefined && keys(known.key.kid) === known.key) {
      const fault = checkTimes(known.claims, nowSeconds);
      return fault === null ? known : { fault };
    }
    const verdict = verifyToken(token, expectation, nowSeconds);
    return verdict.ok ? { claims: freezeDeep(verdict.claims), key: verdict.key } : verdict;
  }

  return {
    verify: (token, now) => {
      const checked = check(token, toSeconds(now));
      if ('fault' in checked) return { ok: false, fault: checked.fault };
      const { kid } = checked.key;
      const reason = revoked(checked.claims, kid);
      if (reason !== null) return { ok: false, fault: 'revoked', reason };
      remembered.add(token, checked);
      return { ok: true, claims: checked.claims, kid };
    },
  };
}

function checkOptions(options: VerifierOptions, capacity: number): void {
  for (const name of ['issuer', 'audience'] as const) {
    if (typeof options[name] !== 'string' || options[name] === '') {
      throw new TypeError(`The option ${name} must be a text that is not empty.`);
    }
  }
  if (!(options.maxLifetimeSeconds > 0 && options.maxLifetimeSeconds < Number.POSITIVE_INFINITY)) {
    throw new TypeError('The option maxLifetimeSeconds must be a finite number above 0.');
  }
  if (!Number.isSafeInteger(capacity) || capacity < 0) {
    throw new TypeError('The option capacity must be a whole number, 0 or more.');
  }
}

interface Memory<Value> {
  get(key: string): Value | undefined;
  add(key: string, value: Value): void;
}

// Two maps: what is used moves to the young one, and what was not used by the time it is half full is dropped as a whole.
// So the bound holds without a clock, a list or a timer.
function twoGenerations<Value>(capacity: number): Memory<Value> {
  let young = new Map<string, Value>();
  let old = new Map<string, Value>();
  return {
    get: (key) => young.get(key) ?? old.get(key),
    add: (key, value) => {
      if (young.get(key) === value || capacity === 0) return;
      young.set(key, value);
      if (young.size * 2 < capacity) return;
      old = young;
      young = new Map();
    },
  };
}

// Only tokens that verified get here, so this holds no more headers than there are keys; the bound is for keys that come and go.
function headerMemory(): HeaderMemory {
  return twoGenerations<TokenHeader>(64);
}

// Claims are shared by all requests that bear the token: what one handler wrote into them, the next would believe.
function freezeDeep<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null) return value;
  for (const part of Object.values(value)) freezeDeep(part);
  return Object.freeze(value);
}
