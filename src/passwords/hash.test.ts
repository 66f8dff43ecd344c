import assert from 'node:assert/strict';
import test from 'node:test';
import { isLatchkeyError } from '../errors.ts';
import { hashPassword } from './hash.ts';
import { longestTried } from './normalise.ts';
import { verifyPassword } from './verify.ts';

test('the same password is hashed to another string each time', () => {
  const [one, two] = [hashPassword('correct horse'), hashPassword('correct horse')];
  assert.notEqual(one, two);
  assert.match(one, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
});

test('no rule of new passwords holds here: a short or a very long one is hashed and matches', () => {
  for (const password of ['', 'x'.repeat(longestTried)]) {
    assert.deepEqual(verifyPassword(password, hashPassword(password)), { matches: true, rehash: false });
  }
});

test('what could never be tried is not hashed, and the refusal does not hold it', () => {
  for (const [password, code] of [
    ['secret\ud800', 'not_text'],
    ['secret'.repeat(1000), 'too_long'],
  ] as const) {
    assert.throws(
      () => hashPassword(password),
      (error) =>
        isLatchkeyError(error) &&
        error.code === 'password_refused' &&
        error.extra.errors?.[0]?.code === code &&
        !JSON.stringify([error.message, error.extra]).includes('secret'),
    );
  }
});
