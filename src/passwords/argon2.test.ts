import assert from 'node:assert/strict';
import test from 'node:test';
import * as native from '@node-rs/argon2';
import { argon2, chooseArgon2, formatArgon2, nodeArgon2, parseArgon2 } from './argon2.ts';
import { current } from './hash.ts';

const salt = Buffer.from('0102030405060708090a0b0c0d0e0f10', 'hex');
const password = Buffer.from('correct horse', 'utf8');

const missing = (): never => {
  throw new Error('Cannot find native binding');
};

test('the native package and Node compute the same tag, for each kind', () => {
  const byNative = chooseArgon2(() => native);
  for (const kind of ['argon2id', 'argon2i', 'argon2d'] as const) {
    for (const parameters of [
      { memory: 64, passes: 3, parallelism: 4, tagLength: 32 },
      { memory: 8, passes: 1, parallelism: 1, tagLength: 64 },
    ]) {
      const tag = byNative(kind, parameters, salt, password);
      assert.equal(tag.length, parameters.tagLength);
      assert.deepEqual(tag, nodeArgon2(kind, parameters, salt, password));
      assert.deepEqual(tag, argon2(kind, parameters, salt, password));
    }
  }
});

test('the native package is used where it is, Node where its binary is missing', () => {
  let calls = 0;
  const counted = {
    hashRawSync: (...parameters: Parameters<typeof native.hashRawSync>) => {
      calls += 1;
      return native.hashRawSync(...parameters);
    },
  };
  chooseArgon2(() => counted)(
    'argon2id',
    { memory: 8, passes: 1, parallelism: 1, tagLength: 32 },
    salt,
    password,
  );
  assert.equal(calls, 1);
  assert.equal(chooseArgon2(missing), nodeArgon2);
});

test('a hash made without the binary is verified by the package, and the other way round', () => {
  const tag = chooseArgon2(missing)('argon2id', current, salt, password);
  const encoded = formatArgon2({ ...current, salt, tag });
  assert.equal(native.verifySync(encoded, password), true);
  assert.equal(native.verifySync(encoded, 'correct horsf'), false);

  const theirs = parseArgon2(native.hashSync(password))!;
  assert.deepEqual(nodeArgon2(theirs.kind, theirs, theirs.salt, password), theirs.tag);
});

test('a PHC string is read back as it was written', () => {
  const hash = { ...current, salt, tag: Buffer.alloc(32, 0xff) };
  const { saltLength: _, ...expected } = hash;
  assert.deepEqual(parseArgon2(formatArgon2(hash)), expected);
});

test('only strict PHC strings of version 19 are read', () => {
  const good = formatArgon2({ ...current, salt, tag: Buffer.alloc(32, 1) });
  assert.ok(parseArgon2(good));
  for (const bad of [
    '',
    ` ${good}`,
    `${good}\n`,
    `${good}=`,
    `${good}$`,
    good.replace('v=19$', ''),
    good.replace('v=19', 'v=16'),
    good.replace('m=', 'm=0'),
    good.replace('t=2', 't=0'),
    good.replace('t=2,p=1', 'p=1,t=2'),
    good.replace('p=1', 'p=1,keyid=AAAA'),
    good.replace('argon2id', 'Argon2id'),
    good.replace(/.$/, 'F'), // the same bytes, written otherwise
  ]) {
    assert.equal(parseArgon2(bad), undefined, bad);
  }
});
