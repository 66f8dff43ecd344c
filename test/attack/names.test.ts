// Names that try to be another name, and mistakes that others made with them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEmail, readLoginName, readUsername } from '../../src/accounts/account.ts';

function usernameKeyOf(name: string): string {
  const read = readUsername(name);
  assert.ok(read.ok, `${JSON.stringify(name)} should be accepted`);
  return read.key;
}

function emailFault(address: string): string | null {
  const read = readEmail(address);
  return read.ok ? null : read.fault.code;
}

const oneName: readonly (readonly string[])[] = [
  ['anna', 'ANNA', 'Anna', 'ａｎｎａ', 'ＡＮＮＡ', 'ᵃnna', '𝐚𝐧𝐧𝐚', 'ⓐⓝⓝⓐ'],
  ['rené', 'rene\u0301', 'RENÉ', 'RENE\u0301'],
  ['strasse', 'straße', 'STRASSE', 'STRAẞE', 'ﬆrasse'],
  ['οδος', 'οδοσ', 'ΟΔΟΣ'],
  ['ibrahim', 'IBRAHIM', 'İbrahim', 'ıbrahım', 'IBRAHİM'],
  ['kelvin', '\u212aelvin', 'KELVIN'],
  ['ω', '\u2126', 'Ω'],
  ['ᏣᎳᎩ', 'ꮳꮃꭹ', 'Ꮳꮃꭹ'],
  ['ガ', 'ｶﾞ', 'カ\u3099'],
  ['viii', 'Ⅷ', 'ⅷ', 'VIII'],
];

test('threat 97: all spellings of a name give the one key that a store can hold unique', () => {
  for (const spellings of oneName) {
    assert.equal(new Set(spellings.map(usernameKeyOf)).size, 1, spellings.join(' '));
  }
  assert.equal(new Set(oneName.map(([name]) => usernameKeyOf(name!))).size, oneName.length);
});

test('threat 98: names equal under NFKC and case folding are one name, at log-in too', () => {
  for (const spellings of oneName) {
    for (const spelling of spellings) {
      assert.deepEqual(readLoginName(spelling), { by: 'username', key: usernameKeyOf(spellings[0]!) });
    }
  }
  assert.deepEqual(readLoginName('ANNA@EXAMPLE.COM'), readLoginName('anna@example.com'));
});

test('threat 98: control, format and zero-width characters are refused in a username and in an address', () => {
  for (let code = 0; code < 0x110000; code++) {
    const character = String.fromCodePoint(code);
    // Of the many that are unassigned or private, some.
    if (code % 101 !== 0 && /^[[\p{Cn}\p{Co}]--\p{Default_Ignorable_Code_Point}]$/v.test(character)) continue;
    if (!/[\p{C}\p{Z}\p{Default_Ignorable_Code_Point}]/v.test(character)) continue;
    for (const name of [`an${character}na`, `${character}anna`, `anna${character}`]) {
      if (readUsername(name).ok) assert.fail(`username with U+${code.toString(16)}`);
      if (readEmail(`${name}@example.com`).ok || readEmail(`eve@${name}.com`).ok)
        assert.fail(`address with U+${code.toString(16)}`);
    }
  }
});

test('threat 98: combining marks are refused in a username, so that none hides in another letter', () => {
  for (const name of ['a\u0335nna', 'q\u0308', 'i\u0307brahim', 'anna\u20dd', 'anna\ufe0f', '\u0301anna']) {
    assert.equal(readUsername(name).ok, false, JSON.stringify(name));
  }
});

test('threat 98: letters of another script that look alike are refused in one name (UTS 39)', () => {
  for (const name of ['аnna', 'pаypal', 'gοogle', 'ɑⅿꓮzon', 'Ꭺnna', '\u13aaDMIN']) {
    assert.equal(readUsername(name).ok, false, name);
  }
});

test('a username holds neither @ nor a colon, in any width, so it is never read as an address or cut by HTTP Basic', () => {
  for (const name of ['a@b.de', 'a:b', 'a＠b.de', 'a﹫b.de', 'a：b', 'a﹕b', 'a︓b']) {
    assert.equal(readUsername(name).ok, false, name);
  }
});

test('GHSA-7rqj-j65f-68wh: an address that normalising would change is refused, not repaired', () => {
  for (const address of [
    'ａnna@example.com',
    'anna＠example.com',
    'anna@ｅxample.com',
    'anna@example．com',
    'e\u0301@x.com',
  ]) {
    assert.ok(['not_normalized', 'not_an_address'].includes(emailFault(address) ?? ''), address);
  }
  assert.equal(emailFault('ann\u212a@example.com'), 'not_normalized');
});

test('GHSA-xv97-c62v-4587: a list of addresses is not an address', () => {
  for (const address of [
    'anna@example.com,eve@evil.example',
    'anna@example.com, eve@evil.example',
    'anna@example.com;eve@evil.example',
    'anna@example.com eve@evil.example',
    'anna,eve@evil.example',
    'anna@example.com@evil.example',
    'Anna <anna@example.com>',
    '<anna@example.com>',
    'anna(comment)@example.com',
    'anna@example.com\r\nBcc: eve@evil.example',
    '"anna@example.com"@evil.example',
    '"anna"@example.com',
    'anna@[127.0.0.1]',
    ' anna@example.com',
    'anna@example.com ',
  ]) {
    assert.notEqual(emailFault(address), null, address);
  }
});

test('CVE-2022-31127: an address holds no character that opens a tag', () => {
  for (const address of [
    '<b>anna@example.com',
    'anna<br>@example.com',
    'anna@<a>.example.com',
    '"><script>"@example.com',
  ]) {
    assert.notEqual(emailFault(address), null, address);
  }
});

test('a refusal never repeats what was sent', () => {
  for (const raw of [
    'secret word',
    'sеcret-word',
    'secret@word',
    'secret@word@example.com',
    'secret'.repeat(100),
  ]) {
    for (const read of [readUsername(raw), readEmail(raw)]) {
      if (!read.ok) assert.ok(!read.fault.detail.includes('secret'));
    }
  }
});
