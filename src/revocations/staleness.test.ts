import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFreshness, type Freshness } from './staleness.ts';

const wall = Date.UTC(2026, 0, 1);

/** A freshness of ten seconds that looked once, at `wall` and 1000 monotonic. */
function looked(): Freshness {
  const freshness = createFreshness({ staleAfterMs: 10_000 });
  freshness.looked(wall, 1000);
  return freshness;
}

test('what never looked is stale', () => {
  const freshness = createFreshness({ staleAfterMs: 10_000 });
  assert.equal(freshness.age(wall, 0), Number.POSITIVE_INFINITY);
  assert.equal(freshness.isStale(wall, 0), true);
});

test('knowledge is good up to the bound and stale past it, counted from when the look was sent', () => {
  assert.equal(looked().age(wall + 10_000, 11_000), 10_000);
  assert.equal(looked().isStale(wall + 10_000, 11_000), false);
  assert.equal(looked().isStale(wall + 10_001, 11_001), true);
});

test('a wall clock set back does not make old knowledge young', () => {
  assert.equal(looked().isStale(wall - 3_600_000, 11_001), true);
});

test('a monotonic clock that stood still in a sleeping machine does not either', () => {
  assert.equal(looked().isStale(wall + 3_600_000, 1001), true);
});

test('a later look makes it fresh again, and an earlier one that comes late changes nothing', () => {
  const freshness = looked();
  freshness.looked(wall + 20_000, 21_000);
  freshness.looked(wall + 5000, 6000);
  assert.equal(freshness.age(wall + 20_500, 21_500), 500);
});

test('an age that is not a number is stale', () => {
  assert.equal(looked().isStale(Number.NaN, Number.NaN), true);
});
