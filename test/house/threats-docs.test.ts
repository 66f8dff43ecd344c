// docs/threats.md names the test files that the tests themselves claim, and nothing else.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readPage, rowsOf, testsByThreat, threatsIn, withFiles } from './threats-table.ts';

const rows = rowsOf(readPage());

test('the page counts every statement once, in order', () => {
  assert.deepEqual(
    rows.map(({ number }) => number),
    Array.from({ length: 128 }, (_, index) => index + 1),
  );
});

test('the page names for each statement the files whose tests bear its number; `npm run threats` mends it', () => {
  assert.equal(readPage(), withFiles(readPage(), testsByThreat()));
});

test('no test bears a number that the page does not know', () => {
  const known = new Set(rows.map(({ number }) => number));
  assert.deepEqual(
    [...testsByThreat().keys()].filter((number) => !known.has(number)),
    [],
  );
});

test('numbers are read from names of tests, up to the colon, and from nothing else', () => {
  const source = `
// threat 9: a comment
test('threat 1: not 2', () => {});
test(
  "threat 70, threat 69: two",
  () => {},
);
it(\`threat 3: three\`, () => {});
test('a sentence about threat 4: no', () => {});
const text = 'threat 5: no';
`;
  assert.deepEqual(threatsIn(source), [1, 70, 69, 3]);
});

test('the column of files is rewritten and the rest of the page is not', () => {
  const page = 'Text.\n\n| 1 | one | old | |\n| 2 | two | old | mail |\n| 3 | three | | |\n';
  const tests = new Map([[1, ['test/a.test.ts', 'test/b.test.ts']]]);
  const written = withFiles(page, tests);
  assert.deepEqual(rowsOf(written), [
    {
      number: 1,
      phrase: 'one',
      files: '[test/a](../test/a.test.ts), [test/b](../test/b.test.ts)',
      later: '',
    },
    { number: 2, phrase: 'two', files: '', later: 'mail' },
    { number: 3, phrase: 'three', files: 'no test yet', later: '' },
  ]);
  assert.ok(written.startsWith('Text.\n\n'));
  assert.equal(withFiles(written, tests), written);
});
