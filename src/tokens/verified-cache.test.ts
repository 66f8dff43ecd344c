import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  audience,
  claimsWith,
  forge,
  headerWith,
  issuer,
  maxLifetimeSeconds,
  now,
  nowSeconds,
} from '../../test/attack/forge.ts';
import type { AccessClaims } from './claims.ts';
import { generateKey, type KeyPair, type VerifyingKey } from './key.ts';
import { createVerifier, type VerifierOptions } from './verified-cache.ts';

/** A verifier whose keys can be changed, and which counts how often a signature was computed. */
function setUp(options: Partial<VerifierOptions> = {}) {
  const key = generateKey('EdDSA');
  const keys = new Map<string, VerifyingKey>([[key.kid, key]]);
  let signatures = 0;
  // The key object is asked for its half exactly when a signature is computed.
  const counted = (pair: KeyPair): VerifyingKey => ({
    kid: pair.kid,
    algorithm: pair.algorithm,
    get publicKey() {
      signatures++;
      return pair.publicKey;
    },
  });
  keys.set(key.kid, counted(key));
  const verifier = createVerifier({
    issuer,
    audience,
    maxLifetimeSeconds,
    keys: (kid) => keys.get(kid),
    ...options,
  });
  const token = (changes: Record<string, unknown> = {}) => forge(key, headerWith(key), claimsWith(changes));
  return { key, keys, counted, verifier, token, signatures: () => signatures };
}

test('a token met again is good without another signature', () => {
  const { verifier, token, signatures, key } = setUp();
  const first = verifier.verify(token(), now);
  assert.deepEqual(first, { ok: true, claims: claimsWith(), kid: key.kid });
  assert.deepEqual(verifier.verify(token(), now), first);
  assert.equal(signatures(), 1);
});

test('a remembered token expires on its second, and is not good before its nbf when the clock goes back', () => {
  const { verifier, token } = setUp();
  const known = token({ nbf: nowSeconds });
  assert.equal(verifier.verify(known, now).ok, true);
  assert.equal(verifier.verify(known, now + 899_999).ok, true);
  assert.deepEqual(verifier.verify(known, now + 900_000), { ok: false, fault: 'expired' });
  assert.equal(verifier.verify(known, now - 60_000).ok, true);
  assert.deepEqual(verifier.verify(known, now - 61_000), { ok: false, fault: 'not_yet_valid' });
});

test('threat 32: a remembered token dies with its key, also when another key takes the name', () => {
  const { verifier, token, keys, key, counted } = setUp();
  const original = keys.get(key.kid)!;
  assert.equal(verifier.verify(token(), now).ok, true);
  keys.delete(key.kid);
  assert.deepEqual(verifier.verify(token(), now), { ok: false, fault: 'unknown_key' });
  keys.set(key.kid, counted({ ...generateKey('EdDSA'), kid: key.kid }));
  assert.deepEqual(verifier.verify(token(), now), { ok: false, fault: 'bad_signature' });
  keys.set(key.kid, original);
  assert.equal(verifier.verify(token(), now).ok, true);
});

test('threat 36: a revoked token is never answered from the cache', () => {
  const dead = new Set<string>();
  const asked: [AccessClaims, string][] = [];
  const revoked = (claims: AccessClaims, kid: string) => {
    asked.push([claims, kid]);
    return dead.has(claims.sid) ? 'signed_out' : null;
  };
  const { verifier, token, key } = setUp({ revoked });
  assert.equal(verifier.verify(token(), now).ok, true);
  dead.add('session-1');
  assert.deepEqual(verifier.verify(token(), now), { ok: false, fault: 'revoked', reason: 'signed_out' });
  assert.deepEqual(verifier.verify(token(), now), { ok: false, fault: 'revoked', reason: 'signed_out' });
  assert.equal(asked.length, 3);
  for (const [claims, kid] of asked) assert.deepEqual([claims.jti, kid], ['token-1', key.kid]);
});

test('what the revocation check throws is no pass', () => {
  const { verifier, token } = setUp({
    revoked: () => {
      throw new Error('stale');
    },
  });
  assert.throws(() => verifier.verify(token(), now), /stale/);
});

test('bad and revoked tokens are not remembered', () => {
  let dead = true;
  const { verifier, token, signatures } = setUp({ revoked: () => (dead ? 'disabled' : null) });
  verifier.verify(token(), now);
  verifier.verify(token(), now);
  assert.equal(signatures(), 2);
  dead = false;
  const late = token({ iat: nowSeconds - 200, exp: nowSeconds - 100 });
  verifier.verify(late, now);
  verifier.verify(late, now);
  assert.equal(signatures(), 4);
});

test('the memory is bounded: old tokens are forgotten, those in use are kept', () => {
  const capacity = 8;
  const { verifier, token, signatures } = setUp({ capacity });
  const used = token({ jti: 'used' });
  const first = token({ jti: 'first' });
  verifier.verify(first, now);
  for (let round = 0; round < 50; round++) {
    verifier.verify(used, now);
    verifier.verify(token({ jti: `flood-${round}` }), now);
  }
  assert.equal(signatures(), 52, 'the token in use was computed once');
  verifier.verify(first, now);
  assert.equal(signatures(), 53, 'the token that was not used is forgotten');
});

test('no more tokens are remembered than the capacity says, and none with 0', () => {
  const count = 17;
  /** Whether a token is still known after that many were verified, asked of a verifier of its own. */
  const isKnown = (index: number, capacity: number) => {
    const { verifier, token, signatures } = setUp({ capacity });
    const tokens = Array.from({ length: count }, (_, jti) => token({ jti: `${jti}` }));
    for (const each of tokens) verifier.verify(each, now);
    verifier.verify(tokens[index]!, now);
    return signatures() === count;
  };
  for (const capacity of [0, 1, 3, 6]) {
    const known = Array.from({ length: count }, (_, index) => isKnown(index, capacity)).filter(Boolean);
    assert.ok(known.length <= capacity, `${known.length} of ${capacity}`);
    assert.equal(known.length > 0, capacity > 0);
  }
});

test('a memory belongs to one verifier: what one audience takes, another does not', () => {
  const { verifier, token, keys } = setUp();
  assert.equal(verifier.verify(token(), now).ok, true);
  const options = {
    issuer,
    audience: 'https://other.example',
    maxLifetimeSeconds,
    keys: keys.get.bind(keys),
  };
  assert.deepEqual(createVerifier(options).verify(token(), now), { ok: false, fault: 'wrong_audience' });
});

test('claims are shared by all who bear the token, so nobody can change them', () => {
  const { verifier, token } = setUp();
  const bearer = token({ team: { roles: ['reader'] } });
  for (let round = 0; round < 2; round++) {
    const verdict = verifier.verify(bearer, now);
    assert.ok(verdict.ok);
    const { team } = verdict.claims as unknown as { team: { roles: string[] } };
    assert.throws(() => team.roles.push('admin'), TypeError);
    assert.throws(() => Object.assign(verdict.claims, { sub: 'admin' }), TypeError);
  }
});

test('GHSA-8fpg-xm3f-6cx3: options that would let everything through are refused', () => {
  const bad: Partial<Record<keyof VerifierOptions, unknown>>[] = [
    { issuer: '' },
    { issuer: undefined },
    { issuer: [issuer] },
    { audience: '' },
    { audience: [audience] },
    { maxLifetimeSeconds: Number.NaN },
    { maxLifetimeSeconds: Number.POSITIVE_INFINITY },
    { maxLifetimeSeconds: 0 },
    { maxLifetimeSeconds: undefined },
    { capacity: -1 },
    { capacity: Number.NaN },
    { capacity: 1.5 },
  ];
  const good = { issuer, audience, maxLifetimeSeconds, keys: () => undefined };
  for (const change of bad) {
    const options = { ...good, ...change } as VerifierOptions;
    const [name] = Object.keys(change);
    assert.throws(
      () => createVerifier(options),
      { name: 'TypeError', message: new RegExp(name!) },
      JSON.stringify(change),
    );
  }
});
