import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toSeconds } from '../clock.ts';
import { deviceLabel } from './device-label.ts';
import { endSession, openSession, type Session, type SessionStart, whyEnded } from './session.ts';

const day = 86_400_000;
const now = Date.UTC(2026, 0, 1, 12, 0, 0, 789);
const start: SessionStart = {
  id: 's1',
  userId: 'u1',
  now,
  policy: { idleMs: 30 * day, ttlMs: 180 * day, graceMs: 10_000 },
  refreshKid: 'k1',
  salt: 'c2FsdHNhbHRzYWx0c2FsdA',
  authTime: now - 1,
  amr: ['pwd'],
  askedScopes: null,
  clientId: 'c1',
  label: 'Firefox on Linux',
  address: '192.0.2.1',
};
const opened: Session = openSession(start);

test('a session begins in its first generation, alive, with nothing spent', () => {
  assert.equal(opened.generation, 1);
  assert.equal(opened.version, 1);
  assert.deepEqual(opened.recent, []);
  assert.equal(opened.createdAt, now);
  assert.equal(whyEnded(opened, now), null);
});

test('instants that a token carries are whole seconds in the row, rounded down', () => {
  for (const name of ['issuedAt', 'refreshExpiresAt', 'absoluteEnd', 'authTime'] as const) {
    assert.equal(opened[name], toSeconds(opened[name]) * 1000, name);
  }
  assert.ok(opened.refreshExpiresAt <= now + 30 * day);
  assert.ok(opened.absoluteEnd <= now + 180 * day);
});

test('threat 71: a refresh token has an absolute end, also when the idle time reaches past it', () => {
  const short = openSession({ ...start, policy: { ...start.policy, ttlMs: day } });
  assert.equal(short.refreshExpiresAt, short.absoluteEnd);
  assert.equal(whyEnded(short, short.absoluteEnd - 1), null);
  assert.equal(whyEnded(short, short.absoluteEnd), 'expired');
  // Even when the row says that the token lasts longer.
  assert.equal(
    whyEnded({ ...short, refreshExpiresAt: short.absoluteEnd + day }, short.absoluteEnd),
    'expired',
  );
});

test('threat 72: a session that was not refreshed within its idle time is over', () => {
  assert.equal(whyEnded(opened, opened.refreshExpiresAt - 1), null);
  assert.equal(whyEnded(opened, opened.refreshExpiresAt), 'expired');
});

test('an ended session says why, also when its last token has expired', () => {
  const ended = endSession(opened, 'signed_out', now + 5);
  assert.equal(whyEnded(ended, now + 5), 'signed_out');
  assert.equal(ended.endedAt, now + 5);
  assert.equal(ended.version, 2);
  // Its reason outlives its end.
  assert.equal(whyEnded(ended, opened.absoluteEnd + day), 'signed_out');
});

test('a session ends once: the first reason stays', () => {
  const ended = endSession(opened, 'reuse_detected', now);
  assert.equal(endSession(ended, 'signed_out', now + 1), ended);
});

test('a deleted session keeps its reason and nothing personal', () => {
  const deleted = endSession(opened, 'deleted', now);
  assert.equal(whyEnded(deleted, now), 'deleted');
  for (const name of ['userId', 'clientId', 'label', 'address'] as const)
    assert.equal(deleted[name], null, name);
  assert.equal(endSession(deleted, 'deleted', now + 1), deleted);
});

test('deletion takes the personal data out of a session that had ended before', () => {
  const deleted = endSession(endSession(opened, 'signed_out', now), 'deleted', now + 1);
  assert.equal(deleted.endedReason, 'signed_out');
  assert.equal(deleted.endedAt, now);
  assert.equal(deleted.userId, null);
  assert.equal(deleted.address, null);
  assert.equal(deleted.version, 3);
});

test('a row that has lost half of its end is over all the same', () => {
  assert.notEqual(whyEnded({ ...opened, endedAt: now }, now), null);
  assert.equal(whyEnded({ ...opened, endedReason: 'disabled' }, now), 'disabled');
});

const like = 'AppleWebKit/537.36 (KHTML, like Gecko)';
const labels: readonly (readonly [string, string | null])[] = [
  ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Linux'],
  [`Mozilla/5.0 (Windows NT 10.0; Win64; x64) ${like} Chrome/140.0.0.0 Safari/537.36`, 'Chrome on Windows'],
  [`Mozilla/5.0 (Windows NT 10.0) ${like} Chrome/140.0.0.0 Safari/537.36 Edg/140.0`, 'Edge on Windows'],
  [`Mozilla/5.0 (Windows NT 10.0) ${like} Chrome/140.0.0.0 Safari/537.36 OPR/120.0`, 'Opera on Windows'],
  [`Mozilla/5.0 (Linux; Android 15; Pixel 9) ${like} Chrome/140.0 Mobile Safari/537.36`, 'Chrome on Android'],
  [
    `Mozilla/5.0 (Linux; Android 15; SM-S931B) ${like} SamsungBrowser/28.0 Chrome/130.0 Mobile Safari/537.36`,
    'Samsung Internet on Android',
  ],
  [`Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) ${like} Chrome/140.0 Safari/537.36`, 'Chrome on ChromeOS'],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15',
    'Safari on macOS',
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1',
    'Safari on iPhone',
  ],
  [
    'Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/138.0 Mobile/15E148 Safari/604.1',
    'Chrome on iPad',
  ],
  ['curl/8.5.0', 'curl'],
  ['python-requests/2.32.3', 'python-requests'],
  ['node', 'node'],
  ['Dart/3.9 (dart:io)', 'Dart'],
  ['Mozilla/5.0 (X11; Linux x86_64)', 'Linux'],
  ['Mozilla/5.0', null],
  ['', null],
  ['<script>alert(1)</script>', null],
  ['curl\u0000/8\r\nx', null],
  ['Ünïcode/1.0', null],
  ['a'.repeat(100_000), null],
  [`Mozilla/5.0 (${'x'.repeat(600)}) Linux Firefox/140.0`, null],
];

for (const [header, label] of labels) {
  test(`a device that calls itself ${JSON.stringify(header.slice(0, 60))} is labelled ${label}`, () => {
    assert.equal(deviceLabel(header), label);
  });
}

test('a device that says nothing has no label', () => {
  assert.equal(deviceLabel(undefined), null);
});
