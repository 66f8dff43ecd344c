// Held to the vectors of others: RFC 9106 for Argon2, Openwall's set for bcrypt, Wycheproof for PBKDF2.
import assert from 'node:assert/strict';
import { argon2Sync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { argon2 } from '../../src/passwords/argon2.ts';
import { encodeBase64 } from '../../src/passwords/base64.ts';
import { describeHash, readHash } from '../../src/passwords/foreign.ts';
import { verifyPassword } from '../../src/passwords/verify.ts';

const root = process.env.LATCHKEY_VECTORS ?? join(import.meta.dirname, '../../../shared/vectors');
const skip = existsSync(root) ? false : `skipped: no vectors at ${root}`;

function load<Vectors>(name: string): Vectors {
  return JSON.parse(readFileSync(join(root, name), 'utf8')) as Vectors;
}

interface Argon2Vector {
  password_hex: string;
  salt_hex: string;
  secret_hex: string;
  ad_hex: string;
  memoryKiB: number;
  passes: number;
  parallelism: number;
  tagLength: number;
  tag_hex: string;
}

interface BcryptVector {
  password: string;
  hash: string;
  result: 'valid' | 'invalid' | 'must-reject';
  note?: string;
}

interface PasswordVectors {
  argon2id_rfc9106_5_3: Argon2Vector;
  bcrypt_openwall: BcryptVector[];
  bcrypt_made_here: BcryptVector[];
}

interface Pbkdf2Vector {
  tcId: number;
  password: string;
  salt: string;
  iterationCount: number;
  dk: string;
  result: string;
}

test('argon2id agrees with Node, which agrees with RFC 9106 section 5.3', { skip }, () => {
  const vector = load<PasswordVectors>('rfc/password_hash.json').argon2id_rfc9106_5_3;
  const bytes = (hex: string) => Buffer.from(hex, 'hex');
  const password = bytes(vector.password_hex);
  const salt = bytes(vector.salt_hex);
  const { passes, parallelism, tagLength, memoryKiB: memory } = vector;
  const plain = { message: password, nonce: salt, memory, passes, parallelism, tagLength };
  // The vector has a secret and associated data, which password hashes have not: so Node is the judge between the two.
  const judged = argon2Sync('argon2id', {
    ...plain,
    secret: bytes(vector.secret_hex),
    associatedData: bytes(vector.ad_hex),
  });
  assert.equal(judged.toString('hex'), vector.tag_hex);
  assert.deepEqual(argon2('argon2id', plain, salt, password), argon2Sync('argon2id', plain));
});

test('threat 102: bcrypt hashes of every prefix verify, wrong ones and ones past byte 72 do not', {
  skip,
}, () => {
  const vectors = load<PasswordVectors>('rfc/password_hash.json');
  const all = [...vectors.bcrypt_openwall, ...vectors.bcrypt_made_here];
  assert.ok(all.length >= 12);
  for (const { password, hash, result, note } of all) {
    const matches = result === 'valid';
    assert.deepEqual(describeHash(hash), { kind: 'bcrypt', supported: true });
    assert.deepEqual(verifyPassword(password, hash), { matches, rehash: matches }, note ?? hash);
  }
});

test('PBKDF2-HMAC-SHA256 agrees with Wycheproof', { skip }, () => {
  const { testGroups } = load<{ testGroups: { tests: Pbkdf2Vector[] }[] }>(
    'wycheproof/pbkdf2_hmacsha256_test.json',
  );
  const vectors = testGroups.flatMap(({ tests }) => tests);
  assert.ok(vectors.length >= 60);
  for (const { tcId, password, salt, iterationCount, dk, result } of vectors) {
    const [salt64, hash64] = [salt, dk].map((hex) => encodeBase64(Buffer.from(hex, 'hex')));
    const hash = readHash(`$pbkdf2-sha256$i=${iterationCount}$${salt64}$${hash64}`);
    assert.ok('matches' in hash, `vector ${tcId}`);
    assert.equal(hash.matches(Buffer.from(password, 'hex')), result === 'valid', `vector ${tcId}`);
    assert.equal(hash.matches(Buffer.from(`${password}01`, 'hex')), false, `vector ${tcId}`);
  }
});
