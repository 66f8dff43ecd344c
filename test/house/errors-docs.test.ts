// docs/errors.md and the table of refusals hold the same codes, in the same order, with the same status and title.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { type RefusalCode, refusals } from '../../src/errors.ts';

const page = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8');
const entries = page
  .split(/^### /m)
  .slice(1)
  .map((entry) => {
    const [, code, status, title, text] =
      /^`(\w+)`\n\n\*\*(\d{3}) (.+)\*\*\n\n([\s\S]+?)(?:\n\n## [\s\S]*)?\s*$/.exec(entry) ?? [];
    return {
      heading: entry.slice(0, entry.indexOf('\n')),
      code,
      status: Number(status),
      title,
      text: text ?? '',
    };
  });

test('every code has an entry on the page and every entry a code, in one order, with its status and title', () => {
  const expected = Object.entries(refusals).map(([code, { status, title }]) => `${code} ${status} ${title}`);
  assert.deepEqual(
    entries.map(({ code, status, title }) => `${code} ${status} ${title}`),
    expected,
  );
});

test('every entry says in whole sentences what it means and what to do, beyond the sentence of the table', () => {
  for (const { heading, code, text } of entries) {
    assert.match(text, /^[A-Z`][\s\S]{40,}\.$/, heading);
    assert.notEqual(text, refusals[code as RefusalCode].detail, heading);
  }
});

test('the page speaks of no code that is not in the table', () => {
  const words = [...page.matchAll(/"code": "(\w+)"/g), ...page.matchAll(/^#+ `(\w+)`/gm)].map(
    ([, code]) => code!,
  );
  assert.deepEqual(
    words.filter((code) => !Object.hasOwn(refusals, code)),
    [],
  );
});
