import assert from 'node:assert/strict';
import { generateKeyPairSync, generatePrimeSync } from 'node:crypto';
import { test } from 'node:test';
import { isRocaModulus } from './roca.ts';

test('CVE-2017-15361: a modulus that is a power of 65537 modulo the small primes is recognised', () => {
  const primorial = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157].reduce(
    (product, prime) => product * BigInt(prime),
    1n,
  );
  for (const power of [1n, 2n, 12_345n]) {
    const large = generatePrimeSync(1024, { bigint: true });
    assert.equal(isRocaModulus(large * primorial + 65537n ** power), true);
  }
});

test('an ordinary modulus is not', () => {
  const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const { n } = publicKey.export({ format: 'jwk' });
  assert.equal(isRocaModulus(BigInt(`0x${Buffer.from(n!, 'base64url').toString('hex')}`)), false);
});
