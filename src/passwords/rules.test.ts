import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import test from 'node:test';
import fc from 'fast-check';
import { commonPasswords } from './common-passwords.ts';
import { checkNewPassword, type PasswordContext } from './rules.ts';

const codes = (password: string, context?: PasswordContext): string[] =>
  checkNewPassword(password, context).map(({ code }) => code);

test('a password has 8 to 256 characters, counted after NFKC and not in units', () => {
  const key = '🔑🗝';
  assert.deepEqual(codes('kV9 xq2'), ['too_short']);
  assert.deepEqual(codes('kV9 xq2ß'), []);
  assert.deepEqual(codes(key.repeat(3)), ['too_short']);
  assert.deepEqual(codes(key.repeat(128)), []);
  assert.deepEqual(codes(`${key.repeat(128)}x`), ['too_long']);
  // 256 letters, each with an accent of its own that NFKC joins to it.
  assert.deepEqual(codes('e\u0301u\u0308'.repeat(128)), []);
  // One character that NFKC spells with 18.
  assert.deepEqual(codes(`${'x1'.repeat(120)}\ufdfa`), ['too_long']);
});

test('a megabyte is too long, and is not looked at further', () => {
  assert.deepEqual(codes('\ud800'.repeat(1_000_000)), ['too_long']);
});

test('a text with half a character is refused', () => {
  assert.deepEqual(codes('kV9 xq2\ud83d and more'), ['not_text']);
});

test('good passwords of any composition pass', () => {
  for (const good of [
    'correct horse battery staple',
    'correcthorsebatterystaple',
    'Tr0ub4dor&3',
    'mein Zweifel ist älter',
    '十年樹木百年樹人',
    '        \u00a0x',
    '83920174',
    'nul\0byte inside',
    randomBytes(48).toString('base64'),
    randomBytes(32).toString('hex'),
  ]) {
    assert.deepEqual(codes(good, { username: 'tim', email: 'tim@example.com' }), [], good);
  }
});

test('random passwords are never refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 12, maxLength: 48 }), (bytes) => {
      // fast-check likes small bytes: a text of few distinct ones is no random password.
      fc.pre(new Set(bytes).size >= 8);
      assert.deepEqual(codes(Buffer.from(bytes).toString('hex')), []);
    }),
  );
});

test('every listed password is refused, in any case and with digits behind it', () => {
  const list = [...commonPasswords()];
  assert.ok(list.length > 49_000);
  for (const word of list) {
    assert.ok(codes(word).includes('too_common'), word);
  }
  assert.deepEqual(codes('BASEBALL'), ['too_common']);
  assert.deepEqual(codes('ＢaseBall'), ['too_common']);
  assert.deepEqual(codes('Baseball2026'), ['too_common']);
  assert.deepEqual(codes('abc12399'), ['too_common']);
});

test('a listed number with digits behind it is any number', () => {
  assert.ok(commonPasswords().has('1234'));
  assert.deepEqual(codes('1234739184'), []);
});

test('one repeated character and a run of keys are refused, each with its reason', () => {
  assert.deepEqual(checkNewPassword('ÄäÄäÄäÄäÄä'), [
    { code: 'too_simple', detail: 'This password is one character, again and again.' },
  ]);
  assert.deepEqual(checkNewPassword('POIUYTREWQ12345678'), [
    { code: 'too_simple', detail: 'This password is a run of digits, letters or neighbouring keys.' },
  ]);
});

test('all reasons are given at once', () => {
  assert.deepEqual(codes('qwerty', { username: 'qwerty' }), [
    'too_short',
    'too_common',
    'too_simple',
    'contains_name',
  ]);
});

test('the name and the address are refused, alone or with digits and signs around them', () => {
  const context = { username: 'Élodie.Groß', email: 'egross+api@example.com' };
  for (const bad of [
    'élodie.groß',
    'ELODIE.GROSS'.replace('E', 'É'),
    'E\u0301lodie Groß 1990',
    '_élodiegross_!!',
    'egross+api',
    '2026-egross_api#',
    'egross+api@example.com',
    'EGROSS+API@EXAMPLE.COM1',
  ]) {
    assert.deepEqual(codes(bad, context), ['contains_name'], bad);
  }
  for (const good of ['élodie.groß rides', 'my élodie.groß', 'egross at night']) {
    assert.deepEqual(codes(good, context), [], good);
  }
});

test('a name of one or two letters, an empty one and none refuse nothing', () => {
  for (const username of ['q', 'xq', '', '---', null]) {
    assert.deepEqual(codes('38!xq!9274', { username, email: null }), [], String(username));
  }
  assert.deepEqual(codes('38!xq!9274', { email: '@' }), []);
});

test('no sentence holds the password', () => {
  for (const { detail } of checkNewPassword('zxcvbn', { username: 'zxcvbn' })) {
    assert.ok(!detail.includes('zxcvbn'));
  }
});
