import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Algorithm } from './algorithms.ts';
import {
  type KeyPurpose,
  type KeyRecord,
  keyState,
  planRing,
  publishedKeys,
  type RingPolicy,
  type Rotation,
  signingKey,
  verifyingKeys,
} from './keyring.ts';

const minute = 60_000;
const day = 24 * 60 * minute;
const start = Date.UTC(2026, 0, 1);
const policy: RingPolicy = {
  leadMs: 10 * minute,
  access: { algorithm: 'EdDSA', signMs: 30 * day, verifyMs: 17 * minute },
  refresh: { algorithm: 'HS256', signMs: 90 * day, verifyMs: 31 * day },
};

let made = 0;

/** Make a plan true, as the store does. */
function apply(
  records: readonly KeyRecord[],
  now: number,
  by: RingPolicy = policy,
  asked: Rotation | null = null,
): KeyRecord[] {
  const { make, change } = planRing(records, now, by, asked);
  const changed = records.map((record) => change.find(({ kid }) => kid === record.kid) ?? record);
  const added = make.map((key) => ({
    ...key,
    kid: `key-${made++}`,
    publicJwk: key.algorithm === 'HS256' ? null : {},
    sealedPrivate: '',
    revokedAt: null,
  }));
  return [...changed, ...added];
}

const of = (records: readonly KeyRecord[], purpose: KeyPurpose) =>
  records.filter((record) => record.purpose === purpose);
const states = (records: readonly KeyRecord[], now: number, purpose: KeyPurpose = 'access') =>
  of(records, purpose).map((record) => keyState(record, now));
const revoke = (records: readonly KeyRecord[], kid: string, now: number) =>
  records.map((record) => (record.kid === kid ? { ...record, revokedAt: now } : record));
const rotate = (when: Rotation['when'], purpose: KeyPurpose = 'access'): Rotation => ({ purpose, when });

test('the first start makes one key of each purpose, which signs at once', () => {
  const ring = apply([], start);
  assert.deepEqual(
    ring.map(({ purpose, algorithm }) => [purpose, algorithm]),
    [
      ['access', 'EdDSA'],
      ['refresh', 'HS256'],
    ],
  );
  assert.deepEqual([states(ring, start), states(ring, start, 'refresh')], [['signing'], ['signing']]);
  assert.deepEqual(planRing(ring, start, policy), { make: [], change: [] });
});

test('a key is next, signing, retiring and gone, each from its instant on', () => {
  const record: KeyRecord = {
    ...apply([], start)[0]!,
    publishAt: 100,
    signFrom: 200,
    signUntil: 300,
    verifyUntil: 400,
  };
  const seen = [100, 199, 200, 299, 300, 399, 400].map((now) => keyState(record, now));
  assert.deepEqual(seen, ['next', 'next', 'signing', 'signing', 'retiring', 'retiring', 'gone']);
  assert.equal(keyState({ ...record, revokedAt: 250 }, 250), 'revoked');
  assert.equal(keyState({ ...record, revokedAt: 250 }, 400), 'revoked');
  const verifying = [99, 100, 250, 399, 400].map((now) => verifyingKeys([record], now).length);
  assert.deepEqual(verifying, [0, 1, 1, 1, 0]);
  assert.deepEqual(verifyingKeys([{ ...record, revokedAt: 250 }], 250), []);
});

test('of two keys that sign, as after a restore, all instances take the one that began last', () => {
  const [one] = apply([], start) as [KeyRecord];
  const later = { ...one, kid: 'later', signFrom: one.signFrom + 1 };
  const twin = { ...later, kid: 'twin' };
  for (const ring of [
    [one, later],
    [later, one],
  ])
    assert.equal(signingKey(ring, start + day)?.kid, 'later');
  for (const ring of [
    [twin, later],
    [later, twin],
  ])
    assert.equal(signingKey(ring, start + day)?.kid, 'twin');
});

test('threat 31: by age the next key is published a lead before it signs, and the old one verifies until its last token is dead', () => {
  const first = apply([], start);
  const [old] = of(first, 'access') as [KeyRecord];
  assert.deepEqual(planRing(first, old.signUntil - policy.leadMs - 1, policy), { make: [], change: [] });
  const due = old.signUntil - policy.leadMs;
  const ring = apply(first, due);
  const next = of(ring, 'access')[1]!;
  assert.deepEqual([next.publishAt, next.signFrom], [due, old.signUntil]);
  assert.deepEqual(
    publishedKeys(ring, due).map(({ kid }) => kid),
    [old.kid, next.kid],
  );
  assert.equal(signingKey(ring, old.signUntil - 1)?.kid, old.kid);
  assert.equal(signingKey(ring, old.signUntil)?.kid, next.kid);
  assert.deepEqual(states(ring, old.signUntil + 17 * minute - 1), ['retiring', 'signing']);
  assert.deepEqual(states(ring, old.signUntil + 17 * minute), ['gone', 'signing']);
});

test('a plan that comes late lets the old key sign longer, so that the new one is still published first', () => {
  const first = apply([], start);
  const [old] = of(first, 'access') as [KeyRecord];
  const late = old.signUntil - minute;
  const ring = apply(first, late);
  const next = of(ring, 'access')[1]!;
  assert.equal(next.signFrom, late + policy.leadMs);
  assert.equal(signingKey(ring, next.signFrom - 1)?.kid, old.kid);
  const { verifyUntil } = ring.find(({ kid }) => kid === old.kid)!;
  assert.equal(verifyUntil, next.signFrom + policy.access.verifyMs);
});

test('after a sleep past the end of the signing key a new one signs at once', () => {
  const first = apply([], start);
  const woken = start + 40 * day;
  assert.equal(signingKey(first, woken), undefined);
  assert.deepEqual(states(apply(first, woken), woken), ['gone', 'signing']);
});

test('a planned rotation publishes first; asked for twice, it is one rotation', () => {
  const now = start + day;
  const once = apply(apply([], start), now, policy, rotate('planned'));
  const twice = apply(once, now + minute, policy, rotate('planned'));
  assert.deepEqual(twice, once);
  assert.deepEqual(states(once, now), ['signing', 'next']);
  assert.deepEqual(states(once, now + policy.leadMs), ['retiring', 'signing']);
});

test('a rotation at once signs with the next key if there is one, else with a new one; the old one retires', () => {
  const now = start + day;
  const first = apply([], start);
  const made = apply(first, now, policy, rotate('at_once'));
  assert.deepEqual(states(made, now), ['retiring', 'signing']);
  const planned = apply(first, now, policy, rotate('planned'));
  const hurried = apply(planned, now + minute, policy, rotate('at_once'));
  assert.deepEqual(states(hurried, now + minute), ['retiring', 'signing']);
  assert.equal(hurried.length, planned.length);
});

test('a rotation of access keys leaves the refresh keys alone', () => {
  const first = apply([], start);
  for (const when of ['planned', 'at_once'] as const) {
    assert.deepEqual(of(apply(first, start + day, policy, rotate(when)), 'refresh'), of(first, 'refresh'));
  }
});

test('threat 32: a revoked signing key is replaced at once and neither signs, verifies nor is published', () => {
  const first = apply([], start);
  const [old] = of(first, 'access') as [KeyRecord];
  const now = start + day;
  const ring = apply(revoke(first, old.kid, now), now);
  assert.deepEqual(states(ring, now), ['revoked', 'signing']);
  const [alive] = publishedKeys(ring, now);
  assert.notEqual(alive?.kid, old.kid);
  assert.deepEqual([verifyingKeys(ring, now), publishedKeys(ring, now)], [[alive], [alive]]);
});

test('another algorithm is taken up like a planned rotation, and a waiting key of the old one never signs', () => {
  const now = start + day;
  const changed: RingPolicy = { ...policy, access: { ...policy.access, algorithm: 'RS256' } };
  assert.deepEqual(states(apply(apply([], start), now, changed), now), ['signing', 'next']);
  const waiting = apply(apply([], start), now, policy, rotate('planned'));
  const ring = apply(waiting, now + minute, changed);
  assert.deepEqual(states(ring, now + minute), ['signing', 'gone', 'next']);
  assert.equal(signingKey(ring, now + minute + policy.leadMs)?.algorithm, 'RS256');
  assert.deepEqual(planRing(ring, now + minute, changed), { make: [], change: [] });
});

test('when tokens are made to live longer, keys that signed or sign are kept longer; made shorter, promises hold', () => {
  const longer: RingPolicy = { ...policy, access: { ...policy.access, verifyMs: day } };
  const first = apply([], start);
  const rotated = apply(first, start + minute, policy, rotate('at_once'));
  for (const record of of(apply(rotated, start + 2 * minute, longer), 'access')) {
    assert.equal(record.verifyUntil, record.signUntil + day);
  }
  const shorter: RingPolicy = { ...policy, refresh: { ...policy.refresh, verifyMs: day } };
  const [refresh] = of(apply(first, start + minute, shorter, rotate('at_once', 'refresh')), 'refresh');
  assert.equal(refresh!.verifyUntil, start + minute + policy.refresh.verifyMs);
});

test('threat 30: refresh keys and symmetric access keys are never published', () => {
  const symmetric: RingPolicy = { ...policy, access: { ...policy.access, algorithm: 'HS256' } };
  const ring = apply([], start, symmetric);
  assert.deepEqual(publishedKeys(ring, start), []);
  assert.equal(verifyingKeys(ring, start).length, 1);
  assert.equal(verifyingKeys(ring, start, 'refresh').length, 1);
});

test('whatever happens in whatever order, something signs, is published in time, and outlives what it signed', () => {
  const step = fc.record({
    after: fc.oneof(fc.integer({ min: 0, max: 20 * minute }), fc.integer({ min: 0, max: 40 * day })),
    algorithm: fc.constantFrom<Algorithm>('EdDSA', 'EdDSA', 'EdDSA', 'RS256'),
    asked: fc.constantFrom(
      null,
      null,
      null,
      rotate('planned'),
      rotate('at_once'),
      rotate('at_once', 'refresh'),
    ),
    revoked: fc.constantFrom(false, false, false, true),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      let now = start;
      let ring = apply([], now);
      /** The last instant at which each key was the one that signs. */
      const signed = new Map<string, number>();
      for (const { after, algorithm, asked, revoked } of steps) {
        const by = { ...policy, access: { ...policy.access, algorithm } };
        const before = ring;
        // Between plans time passes, and keys sign as their instants say.
        for (const purpose of ['access', 'refresh'] as const) {
          for (const at of [now, now + after / 2, now + after - 1]) {
            const kid = signingKey(before, at, purpose)?.kid;
            if (kid !== undefined) signed.set(kid, Math.max(at, signed.get(kid) ?? 0));
          }
        }
        now += after;
        const wasSigning = signingKey(before, now);
        if (revoked && wasSigning) ring = revoke(ring, wasSigning.kid, now);
        ring = apply(ring, now, by, asked);

        assert.deepEqual(
          planRing(ring, now, by),
          { make: [], change: [] },
          'a plan made true needs no other',
        );
        for (const purpose of ['access', 'refresh'] as const) {
          assert.ok(signingKey(ring, now, purpose), 'something signs');
          assert.ok(states(ring, now, purpose).filter((state) => state === 'next').length <= 1);
          assert.equal(states(ring, now, purpose).filter((state) => state === 'signing').length, 1);
        }
        for (const record of ring) {
          const { kid, purpose, revokedAt, publishAt, signFrom, signUntil, verifyUntil } = record;
          assert.ok(publishAt <= signFrom && signFrom <= signUntil && signUntil <= verifyUntil, kid);
          if (keyState(record, now) === 'next') {
            assert.ok(signFrom - publishAt >= policy.leadMs, 'published a lead before it signs');
            assert.ok(signingKey(ring, signFrom - 1, purpose), 'no gap before it takes over');
          }
          const last = signed.get(kid);
          if (last !== undefined && revokedAt === null) {
            assert.ok(verifyUntil > last + policy[purpose].verifyMs - 1, 'it outlives what it signed');
          }
        }
      }
    }),
    { numRuns: 300 },
  );
});
