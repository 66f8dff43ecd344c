import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  audience,
  claimsWith,
  forge,
  headerWith,
  issuer,
  maxLifetimeSeconds,
  nowSeconds,
  spoil,
} from '../../test/attack/forge.ts';
import type { TokenHeader } from './compact.ts';
import { generateKey, type VerifyingKey } from './key.ts';
import { type Expectation, verifySignature, verifyToken } from './verify.ts';

const key = generateKey('EdDSA');
const expectation: Expectation = {
  issuer,
  audience,
  maxLifetimeSeconds,
  type: 'at+jwt',
  keys: (kid) => (kid === key.kid ? key : undefined),
};

test('a good token yields its claims and the key that vouches for it', () => {
  const verdict = verifyToken(forge(key), expectation, nowSeconds);
  assert.deepEqual(verdict, { ok: true, claims: claimsWith(), key });
});

test('of several faults the one that is cheapest to see is named, and expired only if all else is good', () => {
  const faultOf = (token: string) => {
    const verdict = verifyToken(token, expectation, nowSeconds);
    return verdict.ok ? null : verdict.fault;
  };
  const late = { iat: nowSeconds - 100, exp: nowSeconds - 1 };
  assert.equal(faultOf(forge(key, headerWith(key), claimsWith(late))), 'expired');
  assert.equal(faultOf(forge(key, headerWith(key), claimsWith({ ...late, aud: 'other' }))), 'wrong_audience');
  assert.equal(faultOf(forge(key, headerWith(key), claimsWith({ ...late, sid: 1 }))), 'bad_claims');
  assert.equal(faultOf(spoil(forge(key, headerWith(key), claimsWith(late)))), 'bad_signature');
  assert.equal(faultOf(forge(key, headerWith(key, { typ: 'JWT', kid: 'x' }))), 'wrong_type');
});

test('nothing of the payload is read before the signature is good', () => {
  const stranger: VerifyingKey = { ...generateKey('EdDSA'), kid: key.kid };
  const verdict = verifyToken(
    forge(key, headerWith(key), 'no JSON'),
    { ...expectation, keys: () => stranger },
    nowSeconds,
  );
  assert.deepEqual(verdict, { ok: false, fault: 'bad_signature' });
});

test('a key is good for its own name only', () => {
  const other = generateKey('EdDSA');
  const answersAll: Expectation = { ...expectation, keys: () => key };
  const token = forge(key, headerWith(key, { kid: other.kid }));
  assert.deepEqual(verifyToken(token, answersAll, nowSeconds), { ok: false, fault: 'unknown_key' });
});

test('a header is remembered only once a signature over it was good', () => {
  const headers = new Map<string, TokenHeader>();
  const memory = { get: (text: string) => headers.get(text), add: headers.set.bind(headers) };
  const remembering = { ...expectation, headers: memory };
  verifyToken(spoil(forge(key)), remembering, nowSeconds);
  verifyToken(forge(key, headerWith(key, { kid: 'unknown' })), remembering, nowSeconds);
  assert.equal(headers.size, 0);
  for (const jti of ['a', 'b']) {
    assert.ok(verifyToken(forge(key, headerWith(key), claimsWith({ jti })), remembering, nowSeconds).ok);
    assert.equal(headers.size, 1);
  }
});

test('a signature vouches for bytes of any meaning, even none', () => {
  const verdict = verifySignature(forge(key, headerWith(key), ''), key);
  assert.deepEqual(verdict, { ok: true, payload: Buffer.alloc(0) });
});
