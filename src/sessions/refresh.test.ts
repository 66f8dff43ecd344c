import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Instant } from '../clock.ts';
import { endReasons } from '../errors.ts';
import { decideRefresh, type RefreshDecision, type RefreshPolicy, renewGrace } from './refresh.ts';
import { makeRefreshToken, readRefreshToken } from './refresh-token.ts';
import { endSession, openSession, type Session } from './session.ts';

const day = 86_400_000;
const begin = Date.UTC(2026, 0, 1, 12, 0, 0, 789);
const secret = createSecretKey(Buffer.alloc(32, 7));
const policy: RefreshPolicy = { idleMs: 30 * day, ttlMs: 180 * day, graceMs: 10_000, refreshKid: 'k1' };

function open(of: RefreshPolicy = policy): Session {
  return openSession({
    id: 's1',
    userId: 'u1',
    now: begin,
    policy: of,
    refreshKid: 'k1',
    salt: 'c2FsdHNhbHRzYWx0c2FsdA',
    authTime: begin,
    amr: ['pwd'],
    askedScopes: null,
    clientId: null,
    label: null,
    address: null,
  });
}

function tokenOf(session: Session): string {
  return makeRefreshToken(session, { kid: session.refreshKid, secret });
}

/** Present a token as a door would: read it, then decide. */
function present(session: Session, token: string, now: Instant, of: RefreshPolicy = policy): RefreshDecision {
  const reading = readRefreshToken(token, () => secret);
  assert.ok(reading.ok);
  return decideRefresh(session, reading, now, of);
}

/** Present the current token, which must rotate. */
function rotated(session: Session, now: Instant, of: RefreshPolicy = policy): Session {
  const decision = present(session, tokenOf(session), now, of);
  assert.equal(decision.outcome, 'rotated');
  return (decision as { session: Session }).session;
}

const first = open();
const firstToken = tokenOf(first);
const spentAt = begin + 60_000;
const second = rotated(first, spentAt);

test('threat 68: the current refresh token is spent and gets a new one', () => {
  assert.equal(second.generation, 2);
  assert.equal(second.version, 2);
  assert.notEqual(tokenOf(second), firstToken);
  assert.deepEqual(second.recent, [[1, spentAt + policy.graceMs]]);
  assert.equal(second.lastSeenAt, spentAt);
  assert.equal(second.issuedAt, Math.floor(spentAt / 1000) * 1000);
  assert.equal(second.absoluteEnd, first.absoluteEnd);
});

test('threat 69: inside its grace a spent token gets the same successor, bit for bit, and nothing is written', () => {
  const decision = present(second, firstToken, spentAt + policy.graceMs - 1);
  assert.equal(decision.outcome, 'repeated');
  assert.equal((decision as { session: Session }).session, second);
});

test('threat 69: after its grace a spent token ends the session', () => {
  for (const now of [spentAt + policy.graceMs, spentAt + policy.graceMs + 1, spentAt + day]) {
    const decision = present(second, firstToken, now);
    assert.equal(decision.outcome, 'reused');
    const { session } = decision as { session: Session };
    assert.equal(session.endedReason, 'reuse_detected');
    assert.equal(session.endedAt, now);
    assert.equal(session.version, second.version + 1);
    // And then neither the thief's token nor the victim's gets anything.
    for (const token of [firstToken, tokenOf(second)]) {
      assert.deepEqual(present(session, token, now), { outcome: 'ended', reason: 'reuse_detected' });
    }
  }
});

test('threat 69: with a grace of 0 the second use is theft in the same millisecond', () => {
  const strict = { ...policy, graceMs: 0 };
  assert.equal(present(rotated(first, spentAt, strict), firstToken, spentAt, strict).outcome, 'reused');
});

test('a grace is stored when a token is spent: a later setting does not move it', () => {
  const strict = { ...policy, graceMs: 0 };
  assert.equal(present(second, firstToken, spentAt + 1, strict).outcome, 'repeated');
  const lax = { ...policy, graceMs: day };
  assert.equal(present(second, firstToken, spentAt + policy.graceMs, lax).outcome, 'reused');
});

test('a spent token inside its grace gets the current token, also when that is several generations on', () => {
  const fourth = rotated(rotated(second, spentAt + 4000), spentAt + 8000);
  const decision = present(fourth, firstToken, spentAt + 9000);
  assert.equal(decision.outcome, 'repeated');
  assert.equal((decision as { session: Session }).session, fourth);
});

test('an ended session says why, before anything else is looked at', () => {
  for (const reason of endReasons) {
    const ended = endSession(second, reason, spentAt);
    for (const generation of [1, 2, 3]) {
      for (const now of [spentAt, ended.absoluteEnd + day]) {
        const decision = decideRefresh(
          ended,
          { generation, expiresAt: second.refreshExpiresAt },
          now,
          policy,
        );
        assert.deepEqual(decision, { outcome: 'ended', reason });
      }
    }
  }
});

test('threat 71, threat 72: an expired session or token is refused and nothing is written, not even a theft', () => {
  const later = rotated(second, second.refreshExpiresAt - 1000);
  const expired: readonly (readonly [Session, Instant, number, Instant])[] = [
    // The idle time is over, or the session's time in all.
    [second, second.refreshExpiresAt, 2, second.refreshExpiresAt + 1],
    [{ ...second, absoluteEnd: spentAt }, spentAt, 2, second.refreshExpiresAt],
    // A spent token past its own end, in a session that lives on.
    [later, first.refreshExpiresAt, 1, first.refreshExpiresAt],
    // A token from ahead of the row.
    [second, second.refreshExpiresAt, 3, second.refreshExpiresAt],
  ];
  for (const [session, now, generation, expiresAt] of expired) {
    assert.deepEqual(decideRefresh(session, { generation, expiresAt }, now, policy), { outcome: 'expired' });
  }
  assert.equal(present(second, tokenOf(second), second.refreshExpiresAt - 1).outcome, 'rotated');
});

test('threat 71: rotating slides the end of the token, and never past the absolute end', () => {
  const short = { ...policy, ttlMs: 40 * day };
  const opened = open(short);
  const slid = rotated(opened, begin + 5 * day, short);
  assert.equal(slid.refreshExpiresAt, opened.refreshExpiresAt + 5 * day);
  const last = rotated(slid, begin + 20 * day, short);
  assert.equal(last.refreshExpiresAt, opened.absoluteEnd);
  // A longer setting later on does not lengthen what was promised.
  const lax = { ...short, idleMs: 400 * day, ttlMs: 400 * day };
  assert.equal(rotated(last, begin + 30 * day, lax).refreshExpiresAt, opened.absoluteEnd);
});

test('a token ahead of the row means that the store went back: refused, and no theft', () => {
  assert.deepEqual(present(first, tokenOf(second), spentAt), { outcome: 'store_went_back' });
});

test('a rotation signs with the key of now, and a token of the key before is current all the same', () => {
  const rekeyed = rotated(second, spentAt + day, { ...policy, refreshKid: 'k2' });
  assert.equal(rekeyed.refreshKid, 'k2');
  const decision = present(rekeyed, tokenOf(second), spentAt + day + 1, { ...policy, refreshKid: 'k3' });
  assert.equal(decision.outcome, 'repeated');
  assert.equal(tokenOf((decision as { session: Session }).session), tokenOf(rekeyed));
});

test('a burst of any length cuts nobody’s grace short, and the row stays small', () => {
  for (const pause of [0, 1, 100, 900, 2600, 5100, 9900]) {
    let session = first;
    const seen: { token: string; spent: Instant }[] = [];
    for (let now = spentAt; now < spentAt + 60_000 && seen.length < 300; now += pause) {
      seen.push({ token: tokenOf(session), spent: now });
      session = rotated(session, now);
      assert.ok(session.recent.length <= 8);
      for (const { token, spent } of seen) {
        const open = now - spent < policy.graceMs;
        const long = now - spent >= (policy.graceMs * 4) / 3;
        const { outcome } = present(session, token, now);
        if (open) assert.equal(outcome, 'repeated', `pause ${pause}, spent ${now - spent} ago`);
        if (long) assert.equal(outcome, 'reused', `pause ${pause}, spent ${now - spent} ago`);
      }
    }
  }
});

test('a store whose clock was set back does not keep old generations open', () => {
  let session = second;
  const old = tokenOf(session);
  const hour = 3_600_000;
  for (let now = spentAt - 20 * hour; now < spentAt; now += hour) {
    session = rotated(session, now);
    if (session.generation > 3) assert.equal(present(session, old, now).outcome, 'reused');
  }
});

test('a generation from before the oldest pair is theft, also while that pair is open', () => {
  const row: Session = { ...second, generation: 6, recent: [[5, spentAt + day]] };
  const decide = (generation: number) =>
    decideRefresh(row, { generation, expiresAt: row.refreshExpiresAt }, spentAt, policy).outcome;
  assert.equal(decide(5), 'repeated');
  assert.equal(decide(4), 'reused');
});

test('a rotation in doubt gets its grace anew, so that the crash does not become a theft', () => {
  const recovered = spentAt + day;
  const renewed = renewGrace(second, recovered, policy, 1);
  assert.ok(renewed);
  assert.equal(renewed.version, second.version + 1);
  assert.equal(tokenOf(renewed), tokenOf(second));
  const decision = present(renewed, firstToken, recovered + policy.graceMs - 1);
  assert.equal(decision.outcome, 'repeated');
  assert.equal(present(renewed, firstToken, recovered + policy.graceMs).outcome, 'reused');
});

test('only the rotation that was in doubt is renewed', () => {
  const third = rotated(second, spentAt + day);
  const recovered = spentAt + 2 * day;
  // It did not come about: what is in doubt is current still, and the one before stays spent.
  assert.equal(renewGrace(second, recovered, policy, 2), null);
  // Another followed, so its answer had arrived.
  assert.equal(renewGrace(third, recovered, policy, 1), null);
  const renewed = renewGrace(third, recovered, policy, 2);
  assert.ok(renewed);
  assert.equal(present(renewed, firstToken, recovered).outcome, 'reused');
});

test('there is nothing to renew without a rotation, after the end, without a grace, or inside a longer one', () => {
  assert.equal(renewGrace(first, spentAt, policy, 1), null);
  assert.equal(renewGrace(endSession(second, 'signed_out', spentAt), spentAt, policy, 1), null);
  assert.equal(renewGrace(second, second.refreshExpiresAt, policy, 1), null);
  assert.equal(renewGrace(second, spentAt + day, { ...policy, graceMs: 0 }, 1), null);
  assert.equal(renewGrace(second, spentAt - 5, policy, 1), null);
});

// The model: what any number of tabs, a thief and time can do to one session.
interface Step {
  readonly wait: number;
  readonly tab: number;
  /** Which of all tokens seen so far is presented, counted from the newest; null for the tab's own. */
  readonly back: number | null;
  readonly lost: boolean;
}

const wait = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 50 }) },
  { weight: 3, arbitrary: fc.integer({ min: 50, max: 4000 }) },
  { weight: 1, arbitrary: fc.integer({ min: 4000, max: 40_000 }) },
);
const brief: RefreshPolicy = { idleMs: 60_000, ttlMs: 300_000, graceMs: 10_000, refreshKid: 'k1' };

function steps(back: fc.Arbitrary<number | null>): fc.Arbitrary<Step[]> {
  const step = fc.record({
    wait,
    tab: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat({ max: 5 }) }),
    back,
    lost: fc.boolean(),
  });
  return fc.array(step, { minLength: 1, maxLength: 80, size: 'max' });
}

test('threat 70, threat 69: whatever order tokens are presented in, the rule holds', () => {
  const seenOutcomes = new Set<string>();
  fc.assert(
    fc.property(steps(fc.oneof(fc.constant(null), fc.nat({ max: 12 }))), (list) => {
      let session = open(brief);
      let now = begin;
      const tokens = [tokenOf(session)];
      const spent = new Map<number, Instant>();
      for (const step of list) {
        now += step.wait;
        const token = tokens.at(-1 - Math.min(step.back ?? 0, tokens.length - 1)) ?? '';
        const reading = readRefreshToken(token, () => secret);
        assert.ok(reading.ok);
        const decision = decideRefresh(session, reading, now, brief);
        seenOutcomes.add(decision.outcome);
        const next = 'session' in decision ? decision.session : session;

        assert.ok(next.generation >= session.generation, 'generations only grow');
        assert.ok(next.refreshExpiresAt <= next.absoluteEnd && next.absoluteEnd === session.absoluteEnd);
        assert.ok(next.recent.length <= 8);
        if (session.endedAt !== null) assert.equal(decision.outcome, 'ended', 'ended stays ended');
        else if (now >= reading.expiresAt || now >= session.absoluteEnd) {
          assert.equal(decision.outcome, 'expired');
        } else if (now < session.refreshExpiresAt) {
          const since = now - (spent.get(reading.generation) ?? Number.NaN);
          if (since < brief.graceMs) assert.equal(decision.outcome, 'repeated', 'inside its grace');
          if (since >= (brief.graceMs * 4) / 3)
            assert.equal(decision.outcome, 'reused', 'older than its grace');
        }
        if (decision.outcome === 'rotated') {
          assert.ok(!spent.has(reading.generation), 'one generation is spent once');
          spent.set(reading.generation, now);
          tokens.push(tokenOf(next));
        }
        // One token for each generation, bit for bit, however often it is handed out.
        if (decision.outcome === 'repeated') assert.equal(tokenOf(next), tokens.at(-1));
        if (decision.outcome === 'reused') assert.equal(next.endedReason, 'reuse_detected');
        session = next;
      }
    }),
    { numRuns: 500 },
  );
  assert.deepEqual([...seenOutcomes].sort(), ['ended', 'expired', 'repeated', 'reused', 'rotated']);
});

test('tabs that use the newest token they saw, inside its grace, are never thrown out', () => {
  let longestRun = 0;
  fc.assert(
    fc.property(steps(fc.constant(null)), (list) => {
      let session = open(brief);
      let now = begin;
      const tabs = Array.from({ length: 6 }, () => ({ token: tokenOf(session), generation: 1 }));
      const spent = new Map<number, Instant>();
      for (const step of list) {
        now += step.wait;
        if (now >= session.refreshExpiresAt) return;
        const tab = tabs[step.tab];
        assert.ok(tab);
        // A tab that slept past the grace reads the newest token where the browser keeps it.
        if (now - (spent.get(tab.generation) ?? now) >= brief.graceMs) {
          tab.token = tokenOf(session);
          tab.generation = session.generation;
        }
        const decision = present(session, tab.token, now, brief);
        const current = tab.generation === session.generation;
        if (!current && decision.outcome === 'expired') continue;
        assert.equal(decision.outcome, current ? 'rotated' : 'repeated');
        longestRun = Math.max(longestRun, session.generation - tab.generation);
        if (current) spent.set(session.generation, now);
        session = (decision as { session: Session }).session;
        if (step.lost) continue;
        tab.token = tokenOf(session);
        tab.generation = session.generation;
      }
    }),
    { numRuns: 500 },
  );
  assert.ok(longestRun > 8, 'some tab was left behind by more generations than the row has pairs');
});
