import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type KeyIdentity, openPrivate, sealPrivate } from './sealed-key.ts';

const secret = 'a secret of the house that nobody knows';
const identity: KeyIdentity = { kid: 'kid-1', purpose: 'access', algorithm: 'EdDSA' };
const plaintext = Buffer.from('the private half');

test('what was sealed opens again, and only under the same secret and identity', () => {
  const sealed = sealPrivate(secret, identity, plaintext);
  assert.deepEqual(openPrivate(secret, identity, sealed), plaintext);
  assert.equal(openPrivate(`${secret}.`, identity, sealed), null);
  for (const change of [{ kid: 'kid-2' }, { purpose: 'refresh' }, { algorithm: 'ES256' }] as const) {
    assert.equal(openPrivate(secret, { ...identity, ...change }, sealed), null, JSON.stringify(change));
  }
});

test('sealing twice never gives the same text, and neither shows the plaintext', () => {
  const texts = new Set(Array.from({ length: 50 }, () => sealPrivate(secret, identity, plaintext)));
  assert.equal(texts.size, 50);
  const nonces = new Set([...texts].map((text) => text.split('.')[1]));
  assert.equal(nonces.size, 50);
  for (const text of texts) {
    for (const part of text.split('.')) assert.ok(!Buffer.from(part, 'base64url').includes('private'));
  }
});

test('a sealed text that was changed anywhere does not open, and never throws', () => {
  const sealed = sealPrivate(secret, identity, plaintext);
  for (let at = 0; at < sealed.length; at++) {
    const changed = sealed.slice(0, at) + (sealed[at] === 'A' ? 'B' : 'A') + sealed.slice(at + 1);
    assert.equal(openPrivate(secret, identity, changed), null, `${at}`);
  }
  fc.assert(fc.property(fc.string(), (text) => assert.equal(openPrivate(secret, identity, text), null)));
});

test('a tag that was cut, another version and a part too many do not open', () => {
  const [version, nonce, tag, ciphertext] = sealPrivate(secret, identity, plaintext).split('.') as string[];
  const shorter = Buffer.from(tag!, 'base64url').subarray(0, 12).toString('base64url');
  for (const text of [
    [version, nonce, shorter, ciphertext],
    ['v2', nonce, tag, ciphertext],
    [nonce, tag, ciphertext],
    [version, nonce, tag, ciphertext, ''],
    [version, nonce, tag, `${ciphertext}=`],
    [version, nonce, tag, ''],
  ]) {
    assert.equal(openPrivate(secret, identity, text.join('.')), null, text.join('.'));
  }
});
