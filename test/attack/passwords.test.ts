// Threats 83 to 89, 92, 102 and 103, as far as the room of passwords answers for them. See SECURITY.md.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, open, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import * as bcrypt from '@node-rs/bcrypt';
import { parseArgon2 } from '../../src/passwords/argon2.ts';
import { type ReadableHash, readHash } from '../../src/passwords/foreign.ts';
import * as door from '../../src/passwords/index.ts';
import { isPassword } from '../../src/passwords/normalise.ts';
import { compare } from '../../src/passwords/verify.ts';

const { checkNewPassword, createLane, describeHash, hashPassword, verifyPassword } = door;

const codes = (...parameters: Parameters<typeof checkNewPassword>): string[] =>
  checkNewPassword(...parameters).map(({ code }) => code);

test('threat 83: a password shorter than 8 characters is refused', () => {
  for (const password of ['', 'x', 'kV9 xq2', '🔑🗝🔑🗝🔑🗝🔑', 'e\u0301u\u0301e\u0301u\u0301']) {
    assert.ok(codes(password).includes('too_short'), password);
  }
  assert.deepEqual(codes('kV9 xq2z'), []);
});

test('threat 84: a password of 64 characters is accepted, one of 256 too', () => {
  for (const length of [64, 256]) {
    assert.deepEqual(codes('correct horse '.repeat(20).slice(0, length)), []);
    assert.deepEqual(codes([...'🐎🔋📎✅'.repeat(64)].slice(0, length).join('')), []);
  }
});

test('threat 85: any composition is accepted, blanks and Unicode too', () => {
  for (const password of [
    'onlylettershereplease',
    '7301946285',
    '  leading and trailing  ',
    '?!?,;.:-_',
    'пароль на каждый день',
    '山川異域風月同天',
    'tab\tand\nline',
  ]) {
    assert.deepEqual(codes(password), [], password);
  }
});

test('threat 86: compared exactly: no truncation, no case folding, NUL and byte 72 are nothing special', () => {
  const password = `${'a'.repeat(71)}Z\0tail of the password`;
  const encoded = hashPassword(password);
  assert.equal(verifyPassword(password, encoded).matches, true);
  for (const neighbour of [
    password.slice(0, -1),
    `${password} `,
    `${password}\0`,
    password.slice(0, 72),
    password.slice(0, 73),
    password.replace('\0', ''),
    password.replace('Z', 'z'),
    password.replace('tail', 'fail'),
    password.trimStart().slice(1),
    password.toUpperCase(),
  ]) {
    assert.equal(verifyPassword(neighbour, encoded).matches, false, JSON.stringify(neighbour));
  }
});

test('threat 86: two texts with half a character never match one another, nor themselves', () => {
  assert.throws(() => hashPassword('correct horse \ud800'), { code: 'password_refused' });
  // What both would become in UTF-8.
  const encoded = hashPassword('correct horse \ufffd');
  for (const password of ['correct horse \ud800', 'correct horse \udfff']) {
    assert.equal(verifyPassword(password, encoded).matches, false);
  }
});

test('threat 87: one password however its characters are composed', () => {
  const encoded = hashPassword('Caf\u00e9 ﬁve \u2460');
  assert.deepEqual(verifyPassword('Cafe\u0301 five 1', encoded), { matches: true, rehash: false });
  assert.equal(verifyPassword('Cafe five 1', encoded).matches, false);
});

test('threat 88: common and guessable passwords are refused, each with its reason', () => {
  const context = { username: 'tim.example', email: 'timmy@example.com' };
  for (const [password, code] of [
    ['password', 'too_common'],
    ['PassWord', 'too_common'],
    ['trustno1', 'too_common'],
    ['Liverpool2026', 'too_common'],
    ['aaaaaaaaaaaa', 'too_simple'],
    ['23456789', 'too_simple'],
    ['98765432', 'too_simple'],
    ['lkjhgfdsa', 'too_simple'],
    ['tim.example', 'contains_name'],
    ['TimExample_2026', 'contains_name'],
    ['timmy@example.com', 'contains_name'],
    ['**timmy**77', 'contains_name'],
  ] as const) {
    const found = checkNewPassword(password, context);
    assert.ok(
      found.some((fault) => fault.code === code && fault.detail.length > 0),
      password,
    );
  }
  assert.deepEqual(codes('correct horse battery staple', context), []);
});

test('threat 89: nothing here knows the age of a password, a hint or a question', () => {
  assert.deepEqual(Object.keys(door).sort(), [
    'checkNewPassword',
    'createLane',
    'describeHash',
    'hashPassword',
    'verifyPassword',
  ]);
  assert.deepEqual(Object.keys(verifyPassword('a', hashPassword('a'))).sort(), ['matches', 'rehash']);
  assert.deepEqual(Object.keys(parseArgon2(hashPassword('a'))!).sort(), [
    'kind',
    'memory',
    'parallelism',
    'passes',
    'salt',
    'tag',
    'tagLength',
  ]);
});

/** What is really hashed in one comparison: the hash that each run belongs to. */
function workOf(password: string, encoded: string | null): string[] {
  const runs: string[] = [];
  const counting = (text: string): ReturnType<typeof readHash> => {
    const hash = readHash(text);
    if (!('matches' in hash)) return hash;
    const matches: ReadableHash['matches'] = (bytes) => {
      const { memory, passes, parallelism } = parseArgon2(text) ?? {};
      runs.push(`${hash.kind} ${memory} ${passes} ${parallelism}`);
      return hash.matches(bytes);
    };
    return { ...hash, matches };
  };
  const { matches } = compare(isPassword(password) ? password : null, encoded, counting);
  assert.equal(matches, false);
  return runs;
}

test('threat 92: whatever is wrong, one hash of the same cost is run (CVE-2025-22234)', () => {
  const known = hashPassword('correct horse');
  const expected = ['argon2id 19456 2 1'];
  for (const password of ['wrong horse', '', 'x'.repeat(257), 'x'.repeat(1_000_000), 'half \ud800']) {
    for (const encoded of [
      known,
      null,
      'no hash at all',
      '$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHQ$AAAA',
    ]) {
      assert.deepEqual(workOf(password, encoded), expected, `${password.slice(0, 12)} ${encoded}`);
    }
  }
});

test('threat 92: a spelling that NFKC changes costs two, with an account or without', () => {
  const expected = ['argon2id 19456 2 1', 'argon2id 19456 2 1'];
  for (const encoded of [hashPassword('correct horse'), null]) {
    assert.deepEqual(workOf('ﬁve horses', encoded), expected);
  }
});

test('threat 92: a password that bcrypt cannot take costs a bcrypt hash all the same', () => {
  const encoded = bcrypt.hashSync('correct horse', 4);
  for (const password of ['wrong horse', 'x'.repeat(73), 'nul\0byte', 'x'.repeat(1_000_000)]) {
    assert.equal(workOf(password, encoded).length, 1);
  }
});

test('threat 102: an imported bcrypt hash matches, asks to be made anew, and is argon2id then', () => {
  for (const version of ['2a', '2b', '2y'] as const) {
    const imported = bcrypt.hashSync('correct horse', 4).replace(/^\$2.\$/, () => `$${version}$`);
    assert.equal(imported.slice(0, 4), `$${version}$`);
    assert.deepEqual(describeHash(imported), { kind: 'bcrypt', supported: true });
    assert.deepEqual(verifyPassword('correct horse', imported), { matches: true, rehash: true });
    assert.deepEqual(verifyPassword('correct horsf', imported), { matches: false, rehash: false });
  }
  assert.deepEqual(verifyPassword('correct horse', hashPassword('correct horse')), {
    matches: true,
    rehash: false,
  });
});

test('threat 102: against bcrypt a password past byte 72 or with a NUL never matches (CVE-2025-22228)', () => {
  const full = 'ä'.repeat(36); // 72 bytes
  const imported = bcrypt.hashSync(full, 4);
  assert.equal(verifyPassword(full, imported).matches, true);
  for (const longer of [`${full}!`, `${full}\0`, full + full]) {
    assert.equal(bcrypt.verifySync(longer.replace('\0', 'x'), imported), true); // what bcrypt alone would say
    assert.equal(verifyPassword(longer, imported).matches, false);
  }
  const withNul = bcrypt.hashSync('nul\0byte', 4);
  assert.equal(verifyPassword('nul\0byte', withNul).matches, false);
});

test('threat 102: $2x$ hashes match ASCII alone, since their maker took different other texts for one', () => {
  const imported = (password: string) => bcrypt.hashSync(password, 4).replace(/^\$2.\$/, '$$2x$$');
  assert.equal(verifyPassword('correct horse', imported('correct horse')).matches, true);
  assert.equal(verifyPassword('pässword', imported('pässword')).matches, false);
});

test('threat 103: a new hash is argon2id with at least 19 MiB and two passes', () => {
  const hash = parseArgon2(hashPassword('correct horse'))!;
  assert.equal(hash.kind, 'argon2id');
  assert.ok(hash.memory >= 19 * 1024 && hash.passes >= 2 && hash.parallelism === 1);
  assert.ok(hash.salt.length >= 16 && hash.tag.length >= 32);
});

test('threat 103: the event loop turns while a password is hashed', async () => {
  const lane = createLane({ workers: 1 });
  const order: string[] = [];
  const hashed = lane.hash('correct horse').then(() => order.push('hashed'));
  setImmediate(() => order.push('turned'));
  await hashed;
  await lane.close();
  assert.deepEqual(order, ['turned', 'hashed']);
});

const skip = process.platform === 'win32' ? 'skipped: no named pipes in the file system here' : false;

test('threat 103: hashing goes on while every thread of the pool of libuv is taken', { skip }, async () => {
  const lane = createLane({ workers: 1 });
  const encoded = await lane.hash('correct horse');
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-'));
  const pool = Number(process.env.UV_THREADPOOL_SIZE ?? 4);
  const pipes = Array.from({ length: pool }, (_, index) => join(folder, String(index)));
  assert.equal(spawnSync('mkfifo', pipes).status, 0);
  // Opening a pipe to read from waits, in the pool, until somebody opens it to write to.
  let opened = 0;
  const reading = pipes.map(
    (pipe) =>
      new Promise<number>((resolve, reject) => {
        open(pipe, 'r', (error, file) => {
          opened += 1;
          if (error) reject(error);
          else resolve(file);
        });
      }),
  );
  try {
    assert.equal((await lane.verify('correct horse', encoded)).matches, true);
    assert.equal(opened, 0);
  } finally {
    // Read and write at once never waits, and so lets the readers go.
    const writing = pipes.map((pipe) => openSync(pipe, constants.O_RDWR));
    for (const file of [...writing, ...(await Promise.all(reading))]) closeSync(file);
    rmSync(folder, { recursive: true });
    await lane.close();
  }
});
