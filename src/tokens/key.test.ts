import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Algorithm, algorithms, keyFits } from './algorithms.ts';
import {
  exportPrivateJwk,
  exportPublicJwk,
  generateKey,
  importPrivateJwk,
  importPublicJwk,
  isSymmetric,
  privateJwkMembers,
  thumbprint,
} from './key.ts';

const pairs = algorithms.map((algorithm) => generateKey(algorithm));
const pairOf = (algorithm: Algorithm) => pairs.find((pair) => pair.algorithm === algorithm)!;
const asymmetric = pairs.filter(({ algorithm }) => !isSymmetric(algorithm));

test('the kid of an asymmetric key is its thumbprint, that of a secret tells nothing of it', () => {
  for (const pair of asymmetric) assert.equal(pair.kid, thumbprint({ ...exportPublicJwk(pair) }));
  const secret = pairOf('HS256');
  assert.throws(() => thumbprint({ ...exportPrivateJwk(secret) }), TypeError);
  assert.match(secret.kid, /^[\w-]{22}$/);
});

test('a thumbprint hashes the required members only, in order (RFC 7638 section 3)', () => {
  const { x } = exportPublicJwk(pairOf('EdDSA'));
  const print = thumbprint({ x, kty: 'OKP', crv: 'Ed25519' });
  assert.equal(thumbprint({ alg: 'EdDSA', use: 'sig', crv: 'Ed25519', kid: 'k', kty: 'OKP', x }), print);
  assert.throws(() => thumbprint({ kty: 'OKP', crv: 'Ed25519' }), /member x/);
});

test('threat 30: a public JWK holds nothing private, and a secret has none', () => {
  for (const pair of asymmetric) {
    const jwk = exportPublicJwk(pair);
    for (const name of privateJwkMembers) assert.equal(name in jwk, false, `${pair.algorithm} ${name}`);
    assert.deepEqual([jwk.kid, jwk.use, jwk.alg], [pair.kid, 'sig', pair.algorithm]);
    // Also when the private half is handed in where the public one belongs.
    const confused = exportPublicJwk({ ...pair, publicKey: pair.privateKey });
    assert.deepEqual(confused, jwk);
  }
  assert.throws(() => exportPublicJwk(pairOf('HS256')), TypeError);
});

test('a key survives export and import, both halves', () => {
  for (const pair of pairs) {
    const again = importPrivateJwk(exportPrivateJwk(pair));
    assert.deepEqual([again.kid, again.algorithm], [pair.kid, pair.algorithm]);
    assert.ok(again.privateKey.equals(pair.privateKey));
    assert.ok(again.publicKey.equals(pair.publicKey));
  }
  for (const pair of asymmetric)
    assert.ok(importPublicJwk(exportPublicJwk(pair)).publicKey.equals(pair.publicKey));
});

test('a public JWK with any private member is refused', () => {
  for (const pair of pairs) assert.throws(() => importPublicJwk(exportPrivateJwk(pair)), /is private/);
  for (const name of privateJwkMembers) {
    const jwk = { ...exportPublicJwk(pairOf('EdDSA')), [name]: 'AA' };
    assert.throws(() => importPublicJwk(jwk), new RegExp(`member ${name} is private`));
  }
});

test('CVE-2026-22817: the algorithm of a JWK without alg follows from its type and curve alone', () => {
  for (const pair of asymmetric) {
    const { alg: _alg, kid: _kid, use: _use, ...bare } = exportPublicJwk(pair);
    assert.deepEqual(
      [importPublicJwk(bare).algorithm, importPublicJwk(bare).kid],
      [pair.algorithm, pair.kid],
    );
  }
});

test('what a JWK says of itself must agree', () => {
  const jwk = exportPublicJwk(pairOf('ES256'));
  const wrong: [object, RegExp][] = [
    [{ kty: 'OKP' }, /kty/],
    [{ kty: 'RSA' }, /kty/],
    [{ kty: 'constructor' }, /kty/],
    [{ kty: ['EC'] }, /kty/],
    [{ crv: 'P-384' }, /kty/],
    [{ crv: undefined }, /kty/],
    [{ alg: 'ES384' }, /alg/],
    [{ alg: 'HS256' }, /alg/],
    [{ alg: null }, /alg/],
    [{ use: 'enc' }, /use/],
    [{ use: ['sig'] }, /use/],
    [{ key_ops: ['encrypt'] }, /key_ops/],
    [{ key_ops: ['sign', 'verify'] }, /key_ops/],
    [{ key_ops: ['verify', 'verify'] }, /key_ops/],
    [{ key_ops: ['verify', 'deriveKey'] }, /key_ops/],
    [{ key_ops: [] }, /key_ops/],
    [{ key_ops: 'verify' }, /key_ops/],
    [{ kid: '' }, /kid/],
    [{ kid: 1 }, /kid/],
    [{ kid: 'k'.repeat(257) }, /kid/],
    [{ x: undefined }, /member x/],
    [{ x: `${jwk.x}=` }, /member x/],
    [{ x: Buffer.from(jwk.x!, 'base64url').toString('base64url').slice(0, -2) }, /member x/],
    [{ x: 'AAAA' }, /member x must be 32 bytes/],
    [{ y: jwk.x }, /does not make a key/],
  ];
  for (const [change, message] of wrong) {
    assert.throws(
      () => importPublicJwk({ ...jwk, ...change }),
      { name: 'TypeError', message },
      JSON.stringify(change),
    );
  }
  assert.equal(importPublicJwk({ ...jwk, key_ops: ['verify'] }).kid, jwk.kid);
  assert.throws(() => importPublicJwk({ kty: 'oct', kid: 'k' }), /symmetric/);
  for (const value of [null, undefined, 'jwk', 1, [], [jwk]])
    assert.throws(() => importPublicJwk(value), TypeError);
});

test('an RSA key with a modulus or exponent out of bounds is refused', () => {
  const jwk = exportPublicJwk(pairOf('RS256'));
  const numbers = { one: 'AQ', even: 'AQAC', two: 'Ag', huge: Buffer.alloc(9, 0xff).toString('base64url') };
  for (const [name, e] of Object.entries(numbers))
    assert.throws(() => importPublicJwk({ ...jwk, e }), TypeError, name);
  assert.throws(() => importPublicJwk({ ...jwk, e: 'AAEAAQ' }), /leading zero/);
  const padded = Buffer.concat([Buffer.alloc(1), Buffer.from(jwk.n!, 'base64url')]).toString('base64url');
  assert.throws(() => importPublicJwk({ ...jwk, n: padded }), /leading zero/);
  const large = Buffer.alloc(2048, 0xff).toString('base64url');
  assert.throws(() => importPublicJwk({ ...jwk, n: large }), TypeError);
});

test('threat 33: a secret of less than 32 bytes is refused, and one without a name too', () => {
  const secret = { kty: 'oct', kid: 'k', alg: 'HS256', k: Buffer.alloc(31, 7).toString('base64url') };
  assert.throws(() => importPrivateJwk(secret), /too weak/);
  assert.throws(() => importPrivateJwk({ ...secret, k: '' }), /member k/);
  const long = { ...secret, k: Buffer.alloc(32, 0).toString('base64url') };
  assert.ok(keyFits('HS256', importPrivateJwk(long).privateKey));
  const { kid: _kid, ...nameless } = long;
  assert.throws(() => importPrivateJwk(nameless), /kid/);
});

test('halves that do not belong together are refused', () => {
  for (const { algorithm } of asymmetric) {
    const [one, other] = [exportPrivateJwk(pairOf(algorithm)), exportPrivateJwk(generateKey(algorithm))];
    const mixed = algorithm === 'RS256' ? { ...one, n: other.n } : { ...one, d: other.d };
    assert.throws(() => importPrivateJwk(mixed), TypeError, algorithm);
  }
  const otherExponent = { ...exportPrivateJwk(pairOf('RS256')), e: 'AQAD' };
  assert.throws(() => importPrivateJwk(otherExponent), /do not belong together/);
});

test('a refusal never holds any part of the key', () => {
  const jwk = exportPrivateJwk(pairOf('ES256'));
  for (const change of [{ x: jwk.y }, { d: `${jwk.d}!` }, { kty: 'oct', k: jwk.d }, { alg: jwk.d }]) {
    try {
      importPrivateJwk({ ...jwk, ...change });
      assert.fail('it was taken');
    } catch (error) {
      const { message, stack, cause } = error as Error;
      for (const part of [jwk.d!, jwk.x!, jwk.y!]) assert.ok(!`${message}${stack}${cause}`.includes(part));
    }
  }
});
