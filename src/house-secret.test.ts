// Which secrets are refused, and that what the house makes itself never is.
import assert from 'node:assert/strict';
import { randomBytes, randomUUID } from 'node:crypto';
import { test } from 'node:test';
import { estimateBits, generateSecret, leastBits, secretFault } from './house-secret.ts';

const weak: readonly (readonly [string, RegExp])[] = [
  ['secret', /known/],
  ['changeme', /known/],
  ['PASSWORD', /known/],
  ['a-string-secret-at-least-256-bits-long', /known/],
  ['09d25e094faa6ca2556c818166b7a9563b93f7099f6f0f4caa6cf63b88e8d3e7', /known/],
  ['hQ7zR2mXw9', /too short/],
  [randomBytes(15).toString('hex'), /too short/],
  [randomBytes(1024).toString('hex'), /too long/],
  [`${randomBytes(32).toString('hex')}\n`, /ASCII/],
  [`é${randomBytes(32).toString('hex')}`, /ASCII/],
  [` ${randomBytes(32).toString('hex')}`, /blank/],
  ['a'.repeat(64), /guess/],
  ['01'.repeat(32), /guess/],
  ['abc'.repeat(300), /guess/],
  ['0123456789abcdef0123456789abcdef', /guess/],
  ['12345678901234567890123456789012', /guess/],
  ['abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ', /guess/],
  ['changemechangemechangemechangeme', /guess/],
  ['MySuperSecretKeyForProduction2024!!', /guess/],
  ['this-is-a-very-long-secret-for-development-only', /guess/],
  ['replace-me-with-a-long-random-string', /guess/],
  ['correct-horse-battery-staple-correct', /guess/],
  ['S3cr3tK3yS3cr3tK3yS3cr3tK3yS3cr3t', /guess/],
  ['latchkey-latchkey-latchkey-latchkey', /guess/],
  ['deadbeefdeadbeefdeadbeefdeadbeef', /guess/],
];

test('threat 33: a secret that is listed, short or of low entropy is refused, and the reason does not repeat it', () => {
  for (const [text, reason] of weak) {
    const fault = secretFault(text);
    assert.match(fault ?? 'accepted', reason, text);
    assert.ok(text.length < 9 || !fault!.includes(text.trim()));
  }
});

test('a secret of random bytes is accepted in every usual spelling', () => {
  for (let round = 0; round < 200; round++) {
    const bytes = randomBytes(32);
    for (const text of [bytes.toString('hex'), bytes.toString('base64'), bytes.toString('base64url')]) {
      assert.equal(secretFault(text), null);
    }
    assert.equal(secretFault(randomUUID()), null);
  }
});

test('what the house makes is 256 random bits that it would accept', () => {
  const made = Array.from({ length: 500 }, generateSecret);
  assert.equal(new Set(made).size, made.length);
  for (const text of made) {
    assert.match(text, /^[\w-]{43}$/);
    assert.equal(secretFault(text), null);
  }
});

test('the estimate counts words, repeats and rows low, and more text never as less than nothing', () => {
  assert.equal(estimateBits('a'.repeat(100)), 0);
  assert.ok(estimateBits('xk') === 2);
  assert.ok(estimateBits('password secret') < 5);
  assert.ok(estimateBits('elephant') <= 11);
  assert.ok(estimateBits('9f8e7d6c') > 20);
  assert.ok(estimateBits(generateSecret()) > leastBits + 30);
});
