import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { algorithms } from './algorithms.ts';
import { maxKeys, readJwks, toJwks } from './jwks.ts';
import { exportPrivateJwk, exportPublicJwk, generateKey } from './key.ts';

const [first, second] = [generateKey('EdDSA'), generateKey('ES256')];
const [one, two] = [exportPublicJwk(first), exportPublicJwk(second)];

test('a set is read back as it was written, secrets left out', () => {
  const pairs = algorithms.map((algorithm) => generateKey(algorithm));
  const read = readJwks(JSON.parse(JSON.stringify(toJwks(pairs))));
  assert.deepEqual(
    read.map(({ kid, algorithm }) => [kid, algorithm]),
    pairs.filter(({ algorithm }) => algorithm !== 'HS256').map(({ kid, algorithm }) => [kid, algorithm]),
  );
  assert.deepEqual(toJwks([generateKey('HS256')]), { keys: [] });
});

test('a set with two keys of one name is refused, the names being those that count in the end', () => {
  assert.throws(() => readJwks({ keys: [one, { ...two, kid: one.kid }] }), /alike/);
  assert.throws(() => readJwks({ keys: [one, one] }), /alike/);
  assert.throws(() => readJwks({ keys: [one, { ...two, kid: one.kid, use: 'enc' }] }), /alike/);
  const { kid: _kid, ...nameless } = one;
  assert.throws(() => readJwks({ keys: [nameless, nameless] }), /alike/);
  assert.throws(() => readJwks({ keys: [nameless, { ...two, kid: one.kid }] }), /alike/);
});

test('a set with anything private or symmetric in it is refused as a whole', () => {
  assert.throws(() => readJwks({ keys: [one, exportPrivateJwk(second)] }), /not public/);
  assert.throws(() => readJwks({ keys: [one, exportPrivateJwk(generateKey('HS256'))] }), /not public/);
  assert.throws(() => readJwks({ keys: [one, { kty: 'oct', use: 'enc' }] }), /not public/);
  assert.throws(() => readJwks({ keys: [one, { ...two, use: 'enc', d: 'AA' }] }), /not public/);
});

test('a key that claims to be one of ours must be a good one', () => {
  for (const change of [
    { x: 'AAAA' },
    { crv: 'P-384' },
    { kty: 'RSA' },
    { key_ops: ['encrypt'] },
    { kid: '' },
  ]) {
    assert.throws(() => readJwks({ keys: [one, { ...two, ...change }] }), TypeError, JSON.stringify(change));
  }
});

test('keys that plainly serve something else are passed over (RFC 7517 section 5)', () => {
  const ed448 = generateKeyPairSync('ed448').publicKey.export({ format: 'jwk' });
  const others = [
    { ...two, use: 'enc' },
    { ...ed448, kid: 'a' },
    { kty: 'AKP', alg: 'ML-DSA-44', kid: 'b', pub: 'AA' },
  ];
  assert.deepEqual(
    readJwks({ keys: [...others, one] }).map(({ kid }) => kid),
    [one.kid],
  );
});

test('what is no set, or too large a one, is refused', () => {
  for (const value of [null, undefined, 'keys', [], {}, { keys: {} }, { keys: [null] }, { keys: ['key'] }]) {
    assert.throws(() => readJwks(value), TypeError);
  }
  assert.throws(() => readJwks({ keys: Array(maxKeys + 1).fill({ kty: 'AKP' }) }), /at most/);
});
