import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { describeHash, readHash } from './foreign.ts';
import { verifyPassword } from './verify.ts';

// Made by Python's hashlib from text that NFKC would change: their makers hash the bytes that were typed.
const typed = 'pässwörd with ﬁ';
const madeElsewhere = [
  [
    'pbkdf2-sha256-django',
    typed,
    'pbkdf2_sha256$1000$saltsaltsalt$AVnnTIFl92cfFAU/qPKD1ihMJKd9wkDaiHbwXqfIvSM=',
  ],
  [
    'scrypt-django',
    typed,
    'scrypt$1024$saltsaltsalt$8$1$d13U0Fj4yKmhenWfKb82ZAREwI6YRrjzNceVQVtqiuDJRZj41Jbk/h8Yqd1jW+T7v/waUOU+ShRdoFtH4C/LQQ==',
  ],
  [
    'pbkdf2-sha512',
    typed,
    '$pbkdf2-sha512$1000$....c2FsdDEyMzQ1$jLZwfGn4HKvdz99E7aFsnrUDYh88xCsK3yOdjNKUssU1JRW8GgjvTJ05Y2DfR/BbzRvo7HvslL3dn9Se326T1A',
  ],
  [
    'pbkdf2-sha256',
    typed,
    '$pbkdf2-sha256$i=1000,l=32$++++c2FsdDEyMzQ1$/HUPQjDQvS6fh2Ump7WVi+i0U/evMTJc1pBgPqih1nQ',
  ],
  ['scrypt', typed, '$scrypt$ln=10,r=8,p=1$++++c2FsdDEyMzQ1$Mk12LdMD9jHvpR4C8+5QdkINp8uM+3VOQnhnwEFUfj4'],
  // From the documentation of passlib.
  [
    'pbkdf2-sha256',
    'toomanysecrets',
    '$pbkdf2-sha256$29000$N2YMIWQsBWBMae09x1jrPQ$1t8iyB2A.WF/Z5JZv.lfCIhXXN33N23OSgQYThBYRfk',
  ],
  // From the tests of the reference implementation of Argon2.
  [
    'argon2i',
    'password',
    '$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$wWKIMhR9lyDFvRz9YTZweHKfbftvj+qf+YFY4NeBbtA',
  ],
] as const;

const bcrypt = '$2b$05$PhAo./eJLAJIkRI3XnrijusKGjBIvIG5Fuo4ZlivUTJ5c6F4vfu4W';

test('hashes that others made match their password and are to be made anew', () => {
  for (const [kind, password, encoded] of madeElsewhere) {
    assert.deepEqual(describeHash(encoded), { kind, supported: true });
    assert.deepEqual(verifyPassword(password, encoded), { matches: true, rehash: true }, kind);
    for (const other of [`${password}.`, `${password}\0`, password.slice(1), '']) {
      assert.deepEqual(verifyPassword(other, encoded), { matches: false, rehash: false }, kind);
    }
  }
});

test('a hash that would take minutes or gigabytes is refused before it is run', () => {
  const tag = 'A'.repeat(43);
  for (const encoded of [
    `$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHQ$${tag}`,
    `$argon2id$v=19$m=262145,t=1,p=1$c2FsdHNhbHQ$${tag}`,
    `$argon2d$v=19$m=65536,t=17,p=1$c2FsdHNhbHQ$${tag}`,
    `$argon2i$v=19$m=4096,t=1,p=17$c2FsdHNhbHQ$${tag}`,
    bcrypt.replace('$05$', '$15$'),
    `$scrypt$ln=19,r=8,p=1$c2FsdHNhbHQ$${tag}`,
    `$scrypt$ln=14,r=8,p=33$c2FsdHNhbHQ$${tag}`,
    `$scrypt$ln=99,r=8,p=1$c2FsdHNhbHQ$${tag}`,
    `$scrypt$ln=1,r=8,p=65$c2FsdHNhbHQ$${tag}`,
    `scrypt$1073741824$salt$8$1$${tag}=`,
    `$pbkdf2-sha256$4000001$c2FsdHNhbHQ$${tag}`,
    `pbkdf2_sha256$4000001$salt$${tag}=`,
  ]) {
    const found = describeHash(encoded);
    assert.ok(!found.supported, encoded);
    assert.match(found.why, /too much time or memory/, encoded);
  }
});

test('usual costs are within the bounds', () => {
  const tag = 'A'.repeat(43);
  for (const encoded of [
    `$argon2id$v=19$m=262144,t=3,p=4$c2FsdHNhbHQ$${tag}`,
    bcrypt.replace('$05$', '$14$'),
    `$scrypt$ln=17,r=8,p=1$c2FsdHNhbHQ$${tag}`,
    `scrypt$16384$salt$8$5$${tag}=`,
    `$pbkdf2-sha512$600000$c2FsdHNhbHQ$${tag}`,
    `pbkdf2_sha256$1500000$salt$${tag}=`,
  ]) {
    assert.ok(describeHash(encoded).supported, encoded);
  }
});

test('a hash that is not written as its kind is, is refused with its kind', () => {
  const short = 'AAAAAAAAAAAAAAAAAAAA'; // 15 bytes would match by chance too soon
  const tag = 'A'.repeat(43);
  for (const [kind, encoded] of [
    ['argon2id', '$argon2id$'],
    ['argon2id', `$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$${short}`],
    ['argon2id', `$argon2id$v=19$m=8,t=1,p=2$c2FsdHNhbHQ$${tag}`],
    ['argon2d', `$argon2d$v=19$m=64,t=1,p=1$c2FsdA$${tag}`],
    ['bcrypt', bcrypt.slice(0, -1)],
    ['bcrypt', bcrypt.replace('$05$', '$03$')],
    ['bcrypt', bcrypt.replace('$05$', '$32$')],
    ['bcrypt', bcrypt.replace(/W$/, 'X')],
    ['scrypt', `$scrypt$ln=0,r=8,p=1$c2FsdHNhbHQ$${tag}`],
    ['scrypt', `$scrypt$ln=10,r=0,p=1$c2FsdHNhbHQ$${tag}`],
    ['scrypt', `$scrypt$ln=10,r=8,p=1$c2FsdHNhbHQ$${short}`],
    ['scrypt-django', `scrypt$1000$salt$8$1$${tag}=`],
    ['pbkdf2-sha256', `$pbkdf2-sha256$0$c2FsdHNhbHQ$${tag}`],
    ['pbkdf2-sha256', `$pbkdf2-sha256$i=1000,l=31$c2FsdHNhbHQ$${tag}`],
    ['pbkdf2-sha512', `$pbkdf2-sha512$1000$c2FsdHNhbHQ$${short}`],
    ['pbkdf2-sha256-django', `pbkdf2_sha256$1000$$${tag}=`],
    ['pbkdf2-sha256-django', `pbkdf2_sha256$1000$${'s'.repeat(1024)}$${tag}=`],
  ] as const) {
    const found = describeHash(encoded);
    assert.ok(!found.supported, encoded);
    assert.equal(found.kind, kind);
    assert.match(found.why, /not written/, encoded);
  }
});

test('a text of no known kind is refused without one', () => {
  for (const encoded of [
    '',
    'secret',
    '$1$salt$hash',
    '$2$05$x',
    'md5$salt$hash',
    '$argon2$',
    'bcrypt$$2b$',
  ]) {
    const found = describeHash(encoded);
    assert.ok(!found.supported && found.kind === undefined, encoded);
    assert.ok(encoded === '' || !found.why.includes(encoded));
  }
});

test('reading a hash never throws', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '$',
      'argon2id',
      'v=19',
      'm=19456,t=2,p=1',
      '2b',
      '05',
      'scrypt',
      'ln=10,r=8,p=1',
      'i=9,l=32',
    ),
    fc.constantFrom('pbkdf2-sha256', 'pbkdf2_sha256', 'AAAAAAAAAAAAAAAAAAAAAA', '0', '99999999999', '='),
    fc.string({ maxLength: 8 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.constantFrom('', '$'), (pieces, between) => {
      readHash(pieces.join(between));
    }),
  );
});

test('a hash that cannot be verified matches nothing and does not throw', () => {
  for (const encoded of [
    '',
    'secret',
    '$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHQ$AAAAAAAAAAAAAAAAAAAAAA',
  ]) {
    assert.deepEqual(verifyPassword('secret', encoded), { matches: false, rehash: false });
  }
});
