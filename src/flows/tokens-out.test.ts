// Entries outlive what they kill.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tokensOut } from './tokens-out.ts';

const minute = 60_000;

test('an entry counts from the newest token when the clock was set back behind it', () => {
  const out = tokensOut(15 * minute, 0);
  out.issued(100 * minute);
  assert.equal(out.until(40 * minute), 117 * minute);
  assert.equal(out.until(200 * minute), 217 * minute);
  assert.equal(tokensOut(15 * minute, 100 * minute).until(40 * minute), 117 * minute);
});

test('an entry lasts as long as the longest life that any instance gives', () => {
  const out = tokensOut(15 * minute, 0);
  out.livesUpTo(60 * minute);
  out.livesUpTo(5 * minute);
  assert.equal(out.greatestLife, 60 * minute);
  assert.equal(out.until(0), 62 * minute);
});
