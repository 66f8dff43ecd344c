import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { jsonText, pairs, printable, table } from './print.ts';

// Whatever moves the cursor, turns the direction of text, or is no character at all.
const raw = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

test('no control character of stored data is printed raw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      assert.doesNotMatch(printable(text), raw);
      assert.doesNotMatch(table(['A', 'B'], [[text, 'b']]).replaceAll('\n', ''), raw);
    }),
  );
  assert.equal(printable('\x1b[2J\u202eada\x9b'), '\\u{1b}[2J\\u{202e}ada\\u{9b}');
});

test('JSON holds none either, and is still the same JSON', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const value = { text, more: ['\x9b\u202e', '\u{e0001}'] };
      assert.doesNotMatch(jsonText(value).replaceAll('\n', ''), raw);
      assert.deepEqual(JSON.parse(jsonText(value)), value);
    }),
  );
});

test('columns are as wide as their widest cell, and rows have no blanks at their end', () => {
  assert.equal(
    table(
      ['ID', 'NAME'],
      [
        ['1', 'ada'],
        ['22', ''],
      ],
    ),
    'ID  NAME\n1   ada\n22\n',
  );
  assert.equal(
    pairs([
      ['Id', '1'],
      ['Name', 'ada'],
    ]),
    'Id:    1\nName:  ada\n',
  );
});

test('a table may have as many rows as there are sessions', () => {
  const rows = Array.from({ length: 200_000 }, () => ['1', 'ada']);
  assert.equal(table(['ID', 'NAME'], rows).split('\n').length, 200_002);
});
