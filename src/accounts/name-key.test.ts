// Case folding, held to Unicode's own rules over every code point that this Node knows.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { caseFold, localPartKey, nfkc, usernameKey } from './name-key.ts';

/** Every character that Unicode has assigned and that is not for private use. */
const codePoints = Array.from({ length: 0x110000 }, (_, code) => String.fromCodePoint(code)).filter((text) =>
  /[^\p{Cn}\p{Co}\p{Cs}]/u.test(text),
);

test('a character, its capital and its small letter fold to one text, except the dotless i', () => {
  const apart = codePoints.filter(
    (character) =>
      caseFold(character) !== caseFold(character.toLowerCase()) ||
      caseFold(character) !== caseFold(character.toUpperCase()),
  );
  // The capital of ı is I, but Unicode folds I to i and leaves ı alone.
  assert.deepEqual(apart, ['ı']);
});

test('case folding opens what lower case leaves closed', () => {
  for (const [text, folded] of [
    ['Straße', 'strasse'],
    ['STRAẞE', 'strasse'],
    ['ΟΔΟΣ', 'οδοσ'],
    ['οδος', 'οδοσ'],
    ['οδοσ', 'οδοσ'],
    ['Ꮳꮳ', 'ꮳꮳ'],
    ['ſ', 's'],
    ['ᾳ', 'αι'],
    ['İ', 'i\u0307'],
    ['ı', 'ı'],
    ['I', 'i'],
  ] as const) {
    assert.equal(caseFold(text), folded, text);
  }
});

test('every character has a key that is its own key', () => {
  for (const key of [usernameKey, localPartKey]) {
    const unstable = codePoints.filter((text) => {
      const once = key(nfkc(text));
      return key(once) !== once;
    });
    assert.deepEqual(unstable, []);
  }
});

test('every text has a key that is its own key, and one with all its spellings in case and form', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (text) => {
      const key = usernameKey(text);
      assert.equal(usernameKey(key), key);
      for (const form of ['NFC', 'NFD', 'NFKC', 'NFKD'] as const) {
        assert.equal(usernameKey(text.normalize(form)), key);
      }
    }),
  );
});

test('the four letters i of Turkish are one in a username, and two in an address', () => {
  assert.equal(new Set(['I', 'ı', 'İ', 'i'].map(usernameKey)).size, 1);
  assert.notEqual(localPartKey('ı'), localPartKey('i'));
});
