// What may be a username, an address and a scope, and which spellings are one.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readEmail, readLoginName, readScopes, readUsername, scopeText } from './account.ts';

function codeOf(result: { ok: true } | { ok: false; fault: { code: string } }): string {
  return result.ok ? 'accepted' : result.fault.code;
}

test('a username is 1 to 64 characters in NFKC, counted in code points', () => {
  assert.equal(codeOf(readUsername('')), 'too_short');
  assert.equal(codeOf(readUsername('a'.repeat(64))), 'accepted');
  assert.equal(codeOf(readUsername('a'.repeat(65))), 'too_long');
  // Outside the basic plane: two units of JavaScript each.
  assert.equal(codeOf(readUsername('𠀀'.repeat(64))), 'accepted');
  assert.equal(codeOf(readUsername('𠀀'.repeat(65))), 'too_long');
  // A ligature is three letters in NFKC; three jamo are one syllable.
  assert.equal(codeOf(readUsername('ﬃ'.repeat(22))), 'too_long');
  assert.equal(codeOf(readUsername('\u1112\u1161\u11ab'.repeat(64))), 'accepted');
  // What is far too long is not looked at.
  assert.equal(codeOf(readUsername('\0'.repeat(1_000_000))), 'too_long');
});

test('both spellings of a name are accepted or none is, although one is longer', () => {
  assert.equal(codeOf(readUsername('ß'.repeat(32))), codeOf(readUsername('ss'.repeat(32))));
  assert.equal(codeOf(readUsername('ß'.repeat(33))), codeOf(readUsername('ss'.repeat(33))));
});

test('what is no letter, digit or mark is told apart from a mixture of scripts', () => {
  for (const name of [
    'a b',
    'a@b',
    'a:b',
    'a/b',
    'a\u0000',
    'a\u200d',
    'a\u115f',
    '한\u115f글',
    'a\u0335',
    '\u2800',
    'a€',
    '😀',
    '\ud800',
  ]) {
    assert.equal(codeOf(readUsername(name)), 'forbidden_character', JSON.stringify(name));
  }
});

test('a username keeps its case, and comes in NFKC', () => {
  assert.deepEqual(readUsername('Ａnna.Smith-2_x'), {
    ok: true,
    username: 'Anna.Smith-2_x',
    key: 'anna.smith-2_x',
  });
});

test('a username needs a letter or a digit', () => {
  for (const name of ['.', '..', '-', '_', '._-'])
    assert.equal(codeOf(readUsername(name)), 'too_short', name);
  for (const name of ['7', '2026', '_a', 'a.']) assert.equal(codeOf(readUsername(name)), 'accepted', name);
});

test('a username is of one script, with its own digits or ASCII ones', () => {
  const accepted = [
    'анна',
    'Αλέξης',
    'ﻋﻠﻲ',
    'דוד',
    '太郎',
    'サーバー太郎さん',
    '한글韓',
    '王ㄅ',
    'ስም',
    'นก',
    'علی۴۲',
  ];
  for (const name of [...accepted, 'анна7', 'علی7', 'علي٤٢'])
    assert.equal(codeOf(readUsername(name)), 'accepted', name);
  const mixed = [
    'аnna',
    'annа',
    'pαul',
    '王ab',
    'サーバー한글',
    'anna٤',
    'анна٤',
    'علی۴2',
    'علی۴٤',
    'ʼn',
    'annaー',
  ];
  for (const name of mixed) assert.equal(codeOf(readUsername(name)), 'mixed_scripts', name);
});

test('a username is a text', () => {
  for (const raw of [undefined, null, 7, true, {}, [], ['anna'], { toString: () => 'anna' }]) {
    assert.equal(codeOf(readUsername(raw)), 'wrong_type');
    assert.equal(codeOf(readEmail(raw)), 'wrong_type');
  }
});

test('the key of a username that is accepted is accepted itself, and is its own key', () => {
  for (let code = 0; code < 0x110000; code++) {
    const character = String.fromCodePoint(code);
    if (!/[\p{L}\p{N}]/u.test(character)) continue;
    const read = readUsername(character);
    if (read.ok) assert.deepEqual(readUsername(read.key), { ok: true, username: read.key, key: read.key });
  }
});

test('reading any text as a name ends in a name or in a reason', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
      const username = readUsername(text);
      if (username.ok) assert.deepEqual(readUsername(username.username), username);
      const email = readEmail(`${text}@example.com`);
      if (email.ok) assert.equal(codeOf(readEmail(email.key)), 'accepted');
    }),
  );
});

test('an address is local@domain with a dot in the domain', () => {
  for (const address of [
    'anna@example.com',
    "o'brien+tag@mail.example.org",
    'a.b_c-d@x-y.example',
    'аня@почта.example',
    'anna@bücher.example',
    'anna@xn--bcher-kva.example',
  ]) {
    assert.equal(codeOf(readEmail(address)), 'accepted', address);
  }
  for (const address of [
    'anna',
    '@',
    'anna@',
    '@example.com',
    '.a@example.com',
    'a.@example.com',
    'a..b@example.com',
  ]) {
    assert.equal(codeOf(readEmail(address)), 'not_an_address', address);
  }
});

test('a domain is a name in the public sense: no localhost, no number, no port, nothing that hides another', () => {
  for (const domain of [
    'localhost',
    'com',
    'example.com.',
    '.example.com',
    'a..example',
    '-a.example',
    'a-.example',
    'a_b.example',
    '127.0.0.1',
    '1.2',
    'a.0x7f',
    '[127.0.0.1]',
    'example.com:25',
    'example.com/x',
    'ex%61mple.com',
    'example。com',
    'xn--a.example',
    // Decodes to 嘏嘆嘇嘍, which is spelled otherwise.
    'xn---t4rcsf.example',
    `${'a'.repeat(64)}.example`,
    'ü'.repeat(60).concat('.example'),
  ]) {
    assert.equal(codeOf(readEmail(`anna@${domain}`)), 'not_a_domain', domain);
  }
});

test('an address has at most 254 bytes, 64 of them before the @', () => {
  const domain = (length: number): string =>
    `${'a.'.repeat(length)}`
      .slice(0, length - 4)
      .replace(/\.$/, 'a')
      .concat('.com');
  assert.equal(codeOf(readEmail(`${'a'.repeat(64)}@example.com`)), 'accepted');
  assert.equal(codeOf(readEmail(`${'a'.repeat(65)}@example.com`)), 'too_long');
  assert.equal(codeOf(readEmail(`${'ü'.repeat(32)}@example.com`)), 'accepted');
  assert.equal(codeOf(readEmail(`${'ü'.repeat(33)}@example.com`)), 'too_long');
  assert.equal(codeOf(readEmail(`${'a'.repeat(64)}@${domain(189)}`)), 'accepted');
  assert.equal(codeOf(readEmail(`${'a'.repeat(64)}@${domain(190)}`)), 'too_long');
});

test('both spellings of an address are accepted or none is, although one is longer', () => {
  assert.equal(codeOf(readEmail(`${'İ'.repeat(21)}@example.com`)), 'accepted');
  assert.equal(codeOf(readEmail(`${'İ'.repeat(22)}@example.com`)), 'too_long');
  assert.equal(codeOf(readEmail(`anna@${'üb.'.repeat(20)}example`)), 'accepted');
  assert.equal(codeOf(readEmail(`anna@${'üb.'.repeat(30)}example`)), 'too_long');
});

test('one domain has one key, in Unicode or in ASCII, in any case', () => {
  const keys = [
    'A@Bücher.example',
    'a@BÜCHER.EXAMPLE',
    'a@xn--bcher-kva.example',
    'a@XN--BCHER-KVA.example',
  ].map((address) => {
    const read = readEmail(address);
    return read.ok && read.key;
  });
  assert.deepEqual([...new Set(keys)], ['a@xn--bcher-kva.example']);
});

test('a log-in name with an @ is an address, without one a username', () => {
  assert.deepEqual(readLoginName('ANNA'), { by: 'username', key: 'anna' });
  assert.deepEqual(readLoginName('Anna@Example.com'), { by: 'email', key: 'anna@example.com' });
});

test('what cannot be a name is a log-in name that no account has', () => {
  for (const raw of [
    '',
    ' ',
    'a b',
    'a\u0000',
    '\u200b',
    'аnna',
    'x'.repeat(70),
    undefined,
    null,
    7,
    {},
    [],
  ]) {
    assert.deepEqual(readLoginName(raw), { by: 'username', key: '' });
  }
  for (const raw of ['@', 'a@b', 'a@b@c.de', 'ａ@example.com']) {
    assert.deepEqual(readLoginName(raw), { by: 'email', key: '' });
  }
});

test('scopes are a list, or a text with one space between two', () => {
  assert.deepEqual(readScopes('admin users:read'), { ok: true, scopes: ['admin', 'users:read'] });
  assert.deepEqual(readScopes(['admin', 'users:read', 'admin']), {
    ok: true,
    scopes: ['admin', 'users:read'],
  });
  assert.deepEqual(readScopes(''), { ok: true, scopes: [] });
  assert.equal(scopeText(['admin', 'users:read']), 'admin users:read');
  for (const raw of ['a  b', ' a', 'a ', 'a\tb', 'a"', 'a\\', 'é', 'a\n', [''], ['a b']]) {
    assert.equal(codeOf(readScopes(raw)), 'not_a_scope', JSON.stringify(raw));
  }
  for (const raw of [undefined, null, 1, {}, [1], [['a']]])
    assert.equal(codeOf(readScopes(raw)), 'wrong_type');
});

test('scopes have a bound, because every token carries them', () => {
  assert.equal(codeOf(readScopes('a'.repeat(1024))), 'accepted');
  assert.equal(codeOf(readScopes('a'.repeat(1025))), 'too_long');
  assert.equal(
    codeOf(readScopes(Array.from({ length: 100_000 }, (_, index) => `scope${index}`))),
    'too_long',
  );
});
