// The devices of one person, over a socket: which they are, which one asks, and ending one of them.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  claimsOf,
  logIn,
  openServer,
  outcome,
  type Server,
  type SignedIn,
  signedIn,
} from '../fixture/server.ts';

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0';

let server: Server;
let jonathan: SignedIn;
let mary: SignedIn;

before(async () => {
  server = await openServer();
  jonathan = await signedIn(server, 'jonathan');
  mary = await signedIn(server, 'mary');
});

const devicesOf = async (token: string) => (await server.call('GET /users/me/sessions', { token })).body.data;

test('every log-in is a device with its label, address and times; the one that asks is marked', async () => {
  server.clock.turn(60_000);
  const browser = await logIn(server, 'jonathan', { 'user-agent': firefox });
  server.clock.turn(60_000);
  const curl = await logIn(server, 'jonathan', { 'user-agent': 'curl/8.5.0' });
  const devices = await devicesOf(browser.access);
  assert.deepEqual(
    devices.slice(0, 2).map(({ label, current, address }) => ({ label, current, address })),
    [
      { label: 'curl', current: false, address: '127.0.0.1' },
      { label: 'Firefox on Linux', current: true, address: '127.0.0.1' },
    ],
  );
  assert.equal(devices.length, 3);
  assert.equal(devices[1]?.id, claimsOf(browser.access).sid);
  assert.equal(devices[1]?.created_at, '2026-01-01T00:01:00.000Z');
  assert.equal(devices[1]?.expires_at, '2026-01-31T00:01:00.000Z');

  // A refresh is being seen, and moves the end.
  server.clock.turn(60_000);
  const refreshed = await server.call('POST /refresh', { token: browser.refresh });
  const [first] = await devicesOf(refreshed.body.access_token);
  assert.equal(first?.id, claimsOf(browser.access).sid);
  assert.equal(first?.last_seen_at, '2026-01-01T00:03:00.000Z');
  assert.equal(first?.created_at, '2026-01-01T00:01:00.000Z');
  assert.equal(first?.expires_at, '2026-01-31T00:03:00.000Z');
  await server.call('POST /logout', { token: curl.access });
});

test('no list holds a token, a secret or what the row is made of', async () => {
  const { text } = await server.call('GET /users/me/sessions', { token: jonathan.access });
  for (const word of ['salt', 'token', 'kid', 'generation', jonathan.refresh, jonathan.access, 'user_id']) {
    assert.ok(!text.includes(word), word);
  }
});

test('ending a device ends it in the next request, and tells it that another one did', async () => {
  const other = await logIn(server, 'jonathan');
  const { sid } = claimsOf(other.access);
  const ended = await server.call(`DELETE /users/me/sessions/${sid}`, { token: jonathan.access });
  assert.equal(ended.status, 204);
  assert.equal(
    outcome(await server.call('GET /users/me', { token: other.access })),
    '401 signed_out_elsewhere',
  );
  assert.equal(
    outcome(await server.call('POST /refresh', { token: other.refresh })),
    '401 signed_out_elsewhere',
  );
  assert.ok((await devicesOf(jonathan.access)).every(({ id }) => id !== sid));
  const again = await server.call(`DELETE /users/me/sessions/${sid}`, { token: jonathan.access });
  assert.equal(outcome(again), '404 not_found');
});

test('ending the device that asks is a log-out', async () => {
  const own = await logIn(server, 'jonathan');
  const { sid } = claimsOf(own.access);
  assert.equal((await server.call(`DELETE /users/me/sessions/${sid}`, { token: own.access })).status, 204);
  assert.equal(outcome(await server.call('GET /users/me', { token: own.access })), '401 signed_out');
});

test('a device that has not been used for so long that it expired is not listed', async () => {
  const day = 24 * 3_600_000;
  server.clock.turn(30 * day + 240_000);
  const { access } = await logIn(server, 'mary');
  const devices = await devicesOf(access);
  assert.deepEqual(
    devices.map(({ id }) => id),
    [claimsOf(access).sid],
  );
  assert.equal(outcome(await server.call('POST /refresh', { token: mary.refresh })), '401 expired');
});
