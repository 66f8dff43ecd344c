import assert from 'node:assert/strict';
import { test } from 'node:test';
import { refusals } from '../errors.ts';
import {
  entryUntil,
  keyRevoked,
  manyOfOneUser,
  type RevocationReason,
  sessionEnded,
  tokenRevoked,
  userEpochRaised,
} from './entry.ts';

const now = Date.UTC(2026, 0, 1);

test('an entry outlives the longest token that can be in the world, seen by the slowest clock with all its leeway', () => {
  const life = 900_000;
  const lastInstantOfAnyToken = now + life;
  assert.equal(entryUntil(now, life), lastInstantOfAnyToken + 60_000 + 60_000);
});

test('entries name what they kill and why', () => {
  assert.deepEqual(sessionEnded('s1', 'u1', 'signed_out', now), {
    kind: 'session',
    subject: 's1',
    userId: 'u1',
    reason: 'signed_out',
    until: now,
  });
  assert.deepEqual(tokenRevoked('j1', null, now), {
    kind: 'token',
    subject: 'j1',
    userId: null,
    reason: 'token_revoked',
    until: now,
  });
  assert.deepEqual(userEpochRaised('u1', 4, 'scope_changed', now), {
    kind: 'user',
    subject: 'u1',
    epochBelow: 4,
    exceptSid: null,
    reason: 'scope_changed',
    until: now,
  });
  assert.deepEqual(keyRevoked('k1', now), { kind: 'key', subject: 'k1', reason: 'key_revoked', until: now });
  const excepted = userEpochRaised('u1', 4, 'password_changed', now, 's1');
  assert.equal(excepted.kind === 'user' && excepted.exceptSid, 's1');
});

test('every reason that is no end of a session is a code of the table too', () => {
  const reasons: readonly RevocationReason[] = ['token_revoked', 'scope_changed', 'key_revoked'];
  for (const reason of reasons) assert.equal(refusals[reason].status, 401);
});

test('up to 16 live entries of one user are kept apart', () => {
  assert.equal(manyOfOneUser(16), false);
  assert.equal(manyOfOneUser(17), true);
});
