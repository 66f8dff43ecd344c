import assert from 'node:assert/strict';
import test from 'node:test';
import { argon2, formatArgon2 } from './argon2.ts';
import { readHash } from './foreign.ts';
import { current, hashPassword } from './hash.ts';
import { compare, verifyPassword } from './verify.ts';

/** An argon2id hash with other parameters, of exactly these bytes. */
function made(password: string, change: Partial<typeof current> = {}): string {
  const parameters = { ...current, ...change };
  const salt = Buffer.alloc(parameters.saltLength, 7);
  return formatArgon2({
    ...parameters,
    salt,
    tag: argon2('argon2id', parameters, salt, Buffer.from(password)),
  });
}

test('a hash weaker than those made now is to be made anew, an equal or stronger one is not', () => {
  for (const [change, rehash] of [
    [{}, false],
    [{ memory: 18 * 1024 }, true],
    [{ memory: 12 * 1024, passes: 4 }, true],
    [{ passes: 1 }, true],
    [{ saltLength: 8 }, true],
    [{ tagLength: 16 }, true],
    [{ passes: 3 }, false],
    [{ memory: 38 * 1024, passes: 1 }, false],
  ] as const) {
    const verdict = verifyPassword('correct horse', made('correct horse', change));
    assert.deepEqual(verdict, { matches: true, rehash }, JSON.stringify(change));
  }
});

test('a hash of another kind is to be made anew, however strong it is', () => {
  for (const kind of ['argon2i', 'argon2d'] as const) {
    const salt = Buffer.alloc(current.saltLength);
    const tag = argon2(kind, current, salt, Buffer.from('correct horse'));
    const encoded = formatArgon2({ ...current, kind, salt, tag });
    assert.deepEqual(verifyPassword('correct horse', encoded), { matches: true, rehash: true });
  }
});

test('a wrong password never asks for a new hash', () => {
  assert.deepEqual(verifyPassword('wrong', made('right', { memory: 64, passes: 1 })), {
    matches: false,
    rehash: false,
  });
});

test('a hash that another system made without NFKC matches what was typed, and is to be made anew', () => {
  const encoded = made('ﬁsh and chips');
  assert.deepEqual(verifyPassword('ﬁsh and chips', encoded), { matches: true, rehash: true });
  assert.deepEqual(verifyPassword('fish and chips', encoded), { matches: false, rehash: false });
});

test('nobody can log in to an account that is not there, not even by what its stand-in would take', () => {
  const takesAnything = (encoded: string) => ({ ...readHash(encoded), matches: () => true });
  assert.deepEqual(compare('secret', null, takesAnything), { matches: false, rehash: false });
  assert.deepEqual(compare(null, hashPassword('secret'), takesAnything), { matches: false, rehash: false });
});
