import assert from 'node:assert/strict';
import { createSecretKey, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { type Algorithm, algorithms, isAlgorithm, keyFits, signBytes, verifyBytes } from './algorithms.ts';
import { generateKey } from './key.ts';

const data = Buffer.from('what is signed');

test('each algorithm makes keys that fit it and no other, and whose signatures it verifies', () => {
  for (const algorithm of algorithms) {
    const { privateKey, publicKey } = generateKey(algorithm);
    for (const other of algorithms) {
      assert.equal(keyFits(other, publicKey), other === algorithm, `${other} with a key of ${algorithm}`);
      assert.equal(keyFits(other, privateKey), other === algorithm);
    }
    const signature = signBytes(algorithm, privateKey, data);
    assert.equal(verifyBytes(algorithm, publicKey, data, signature), true);
    assert.equal(verifyBytes(algorithm, publicKey, Buffer.from('something else'), signature), false);
  }
});

test('ES256 signs r||s in 64 bytes, never DER', () => {
  const { privateKey } = generateKey('ES256');
  for (let round = 0; round < 50; round++) assert.equal(signBytes('ES256', privateKey, data).length, 64);
});

test('keys of other curves, other kinds and too little strength do not fit', () => {
  const bad: [Algorithm, KeyObject][] = [
    ['EdDSA', generateKeyPairSync('ed448').publicKey],
    ['EdDSA', generateKeyPairSync('x25519').publicKey],
    ['ES256', generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).publicKey],
    ['ES256', generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey],
    ['RS256', generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey],
    ['RS256', generateKeyPairSync('rsa', { modulusLength: 2047 }).publicKey],
    ['RS256', generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).publicKey],
    ['HS256', createSecretKey(randomBytes(31))],
  ];
  for (const [algorithm, key] of bad) {
    assert.equal(keyFits(algorithm, key), false, `${algorithm} ${key.asymmetricKeyType}`);
    assert.throws(() => signBytes(algorithm, key, data), TypeError);
    assert.equal(verifyBytes(algorithm, key, data, Buffer.alloc(64)), false);
  }
  assert.equal(keyFits('HS256', createSecretKey(randomBytes(32))), true);
});

test('a private key does not verify, so that it never has to be where tokens are checked', () => {
  const { privateKey } = generateKey('EdDSA');
  assert.equal(verifyBytes('EdDSA', privateKey, data, signBytes('EdDSA', privateKey, data)), false);
});

test('only the names of the table are algorithms, inherited names included', () => {
  for (const name of [
    'none',
    'eddsa',
    'ES384',
    'constructor',
    '__proto__',
    'toString',
    '',
    null,
    1,
    ['EdDSA'],
  ]) {
    assert.equal(isAlgorithm(name), false, String(name));
    assert.equal(keyFits(name as Algorithm, generateKey('EdDSA').publicKey), false);
  }
  assert.equal(algorithms[0], 'EdDSA');
});
