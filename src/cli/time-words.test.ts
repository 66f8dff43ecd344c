import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dateWords, distanceWords, lengthWords } from './time-words.ts';

test('instants and lengths are said in the greatest unit that fits', () => {
  assert.equal(lengthWords(900_000), '15 minutes');
  assert.equal(lengthWords(86_400_000), '1 day');
  assert.equal(lengthWords(1_000), '1 second');
  assert.equal(distanceWords(1_000_000, 400_000), 'in 10 minutes');
  assert.equal(distanceWords(0, 7_200_000), '2 hours ago');
  assert.equal(distanceWords(5, 9), 'now');
  assert.equal(dateWords(Date.UTC(2026, 10, 25, 12)), '2026-11-25 12:00:00 UTC');
});

test('an instant beyond all dates is said to be none', () => {
  for (const instant of [Number.NaN, Number.POSITIVE_INFINITY, 1e300])
    assert.equal(dateWords(instant), 'no date');
});
