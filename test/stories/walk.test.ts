// The walk of one person through the house, over a socket: sign up, log in, refresh, change the password, leave, come back.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { turnableClock } from '../../src/clock.ts';
import {
  claimsOf,
  logIn,
  openServer,
  outcome,
  password,
  type Server,
  temporaryFolder,
} from '../fixture/server.ts';

const minutes = 60_000;

let server: Server;

before(async () => {
  server = await openServer();
  const signedUp = await server.call('POST /signup', {
    body: { username: 'jonathan', email: 'jonathan@example.com', password, profile: { level: 'beginner' } },
  });
  assert.equal(signedUp.status, 201);
});

test('who signs up gets the account back, and nothing of the password', async () => {
  const answer = await server.call('POST /signup', {
    body: { username: 'mary', email: 'mary@example.com', password },
  });
  assert.equal(answer.status, 201);
  assert.deepEqual(
    { ...answer.body, id: null, created_at: null },
    {
      id: null,
      username: 'mary',
      email: 'mary@example.com',
      email_verified: false,
      disabled: false,
      profile: {},
      scopes: [],
      created_at: null,
    },
  );
  const again = await server.call('POST /signup', { body: { username: 'MARY', password } });
  assert.equal(outcome(again), '409 username_taken');
  const address = await server.call('POST /signup', {
    body: { username: 'mary2', email: 'Mary@Example.com', password },
  });
  assert.equal(outcome(address), '409 email_taken');
});

test('log-in takes the username or the address, and the token opens the own account', async () => {
  for (const body of [
    { username: 'jonathan', password },
    { username: 'JONATHAN', password },
    { username: 'jonathan@example.com', password },
    { email: 'jonathan@example.com', password },
  ]) {
    const tokens = await server.call('POST /login', { body });
    assert.equal(tokens.status, 200);
    assert.equal(tokens.headers.get('cache-control'), 'no-store');
    assert.equal(tokens.body.token_type, 'Bearer');
    assert.equal(tokens.body.expires_in, 900);
    const me = await server.call('GET /users/me', { token: tokens.body.access_token });
    assert.equal(me.status, 200);
    assert.equal(me.body.username, 'jonathan');
    assert.equal(me.headers.get('cache-control'), 'no-store');
  }
});

test('log-in with HTTP Basic and by the form of OAuth give a pair as well', async () => {
  const basic = Buffer.from(`jonathan:${password}`).toString('base64');
  const byBasic = await server.call('GET /login', { headers: { authorization: `Basic ${basic}` } });
  assert.equal(byBasic.status, 200);
  const byForm = await server.call('POST /token', {
    form: { grant_type: 'password', username: 'jonathan', password },
  });
  assert.equal(byForm.status, 200);
  for (const { body } of [byBasic, byForm]) {
    assert.equal((await server.call('GET /users/me', { token: body.access_token })).status, 200);
  }
  const refreshed = await server.call('POST /token', {
    form: { grant_type: 'refresh_token', refresh_token: byForm.body.refresh_token },
  });
  assert.equal(refreshed.status, 200);
});

test('a refresh gives the next pair; the refresh token comes as bearer or in the body', async () => {
  const first = await logIn(server, 'jonathan');
  const second = await server.call('POST /refresh', { token: first.refresh });
  assert.equal(second.status, 200);
  const third = await server.call('POST /refresh', { body: { refresh_token: second.body.refresh_token } });
  assert.equal(third.status, 200);
  assert.equal(new Set([first.refresh, second.body.refresh_token, third.body.refresh_token]).size, 3);
  assert.equal((await server.call('GET /users/me', { token: third.body.access_token })).status, 200);
  // The access token from before lives until it expires: a refresh revokes nothing.
  assert.equal((await server.call('GET /users/me', { token: first.access })).status, 200);
  assert.equal(outcome(await server.call('POST /refresh', { token: first.access })), '401 token_invalid');
  assert.equal(outcome(await server.call('GET /users/me', { token: first.refresh })), '401 token_invalid');
});

test('within the grace a spent refresh token gets the same successor; after it the session ends, access tokens included', async () => {
  const { access, refresh } = await logIn(server, 'jonathan');
  const bystander = await logIn(server, 'jonathan');
  const first = await server.call('POST /refresh', { token: refresh });
  server.clock.turn(9_999);
  const again = await server.call('POST /refresh', { token: refresh });
  assert.equal(again.status, 200);
  assert.equal(again.body.refresh_token, first.body.refresh_token);
  server.clock.turn(1);
  assert.equal(outcome(await server.call('POST /refresh', { token: refresh })), '401 reuse_detected');
  for (const token of [first.body.refresh_token, refresh]) {
    assert.equal(outcome(await server.call('POST /refresh', { token })), '401 reuse_detected');
  }
  for (const token of [access, first.body.access_token, again.body.access_token]) {
    const refused = await server.call('GET /users/me', { token });
    assert.equal(outcome(refused), '401 reuse_detected');
    assert.match(
      refused.headers.get('www-authenticate') ?? '',
      /^Bearer realm="latchkey", error="invalid_token"/,
    );
  }
  assert.equal((await server.call('GET /users/me', { token: bystander.access })).status, 200);
});

test('deleting the account and another address want a password given just now, and say so', async () => {
  await server.call('POST /signup', { body: { username: 'steve', email: 'steve@example.com', password } });
  const { access, refresh } = await logIn(server, 'steve');
  const stale = (await server.call('POST /refresh', { token: refresh })).body.access_token;
  const requests = [
    ['DELETE /users/me', undefined],
    ['PATCH /users/me', { email: 'other@example.com' }],
    ['PATCH /users/me', { email: null }],
  ] as const;
  for (const [line, body] of requests) {
    const refused = await server.call(line, { token: stale, body });
    assert.equal(outcome(refused), '401 stale_authentication');
    const challenge = refused.headers.get('www-authenticate') ?? '';
    assert.match(challenge, /error="insufficient_user_authentication"/);
    assert.match(challenge, /max_age="300"/);
  }
  // What is no other address needs no more than a good token.
  const renamed = await server.call('PATCH /users/me', {
    token: stale,
    body: { email: 'steve@example.com', profile: { level: 'expert' } },
  });
  assert.equal(renamed.status, 200);
  assert.deepEqual(renamed.body.profile, { level: 'expert' });

  // A fresh token is stale too when its password was given too long ago.
  server.clock.turn(5 * minutes + 1_000);
  assert.equal(outcome(await server.call('DELETE /users/me', { token: access })), '401 stale_authentication');
  const fresh = await server.call('POST /login/fresh', {
    token: stale,
    body: { username: 'steve', password },
  });
  assert.equal(fresh.status, 200);
  assert.equal(fresh.body.refresh_token, undefined);
  assert.equal(claimsOf(fresh.body.access_token).sid, claimsOf(stale).sid);
  const moved = await server.call('PATCH /users/me', {
    token: fresh.body.access_token,
    body: { email: 'other@example.com' },
  });
  assert.equal(moved.body.email, 'other@example.com');
  assert.equal((await server.call('DELETE /users/me', { token: fresh.body.access_token })).status, 204);
  for (const token of [access, stale, fresh.body.access_token]) {
    assert.equal(outcome(await server.call('GET /users/me', { token })), '401 deleted');
  }
  const login = await server.call('POST /login', { body: { username: 'steve', password } });
  assert.equal(outcome(login), '401 invalid_credentials');
});

test('a fresh log-in refuses a token that is dead or of somebody else, and without one opens a session', async () => {
  await server.call('POST /signup', { body: { username: 'olga', password } });
  const olga = await logIn(server, 'olga');
  const body = { username: 'jonathan', password };
  const foreign = await server.call('POST /login/fresh', { token: olga.access, body });
  assert.equal(outcome(foreign), '401 token_invalid');
  await server.call('POST /logout', { token: olga.access });
  const dead = await server.call('POST /login/fresh', { token: olga.access, body });
  assert.equal(outcome(dead), '401 signed_out');
  const opened = await server.call('POST /login/fresh', { body });
  assert.equal(opened.status, 200);
  assert.equal(claimsOf(opened.body.access_token).fresh, true);
  assert.equal((await server.call('POST /refresh', { token: opened.body.refresh_token })).status, 200);
});

test('a new password ends the other sessions and not this one; the old password is good for nothing', async () => {
  await server.call('POST /signup', { body: { username: 'nina', password } });
  const here = await logIn(server, 'nina');
  const there = await logIn(server, 'nina');
  const change = (currentPassword: string, newPassword: string) =>
    server.call('POST /users/me/password', {
      token: here.access,
      body: { current_password: currentPassword, new_password: newPassword },
    });
  const next = 'wrong donkey charger';
  assert.equal(outcome(await change('not this one', next)), '403 wrong_password');
  const weak = await change(password, 'password1');
  assert.equal(outcome(weak), '422 password_refused');
  assert.equal((weak.body.errors as { field: string }[])[0]?.field, 'new_password');
  assert.equal((await server.call('GET /users/me', { token: there.access })).status, 200);

  assert.equal((await change(password, next)).status, 204);
  assert.equal(outcome(await server.call('GET /users/me', { token: there.access })), '401 password_changed');
  assert.equal(outcome(await server.call('POST /refresh', { token: there.refresh })), '401 password_changed');
  assert.equal((await server.call('GET /users/me', { token: here.access })).status, 200);
  const refreshed = await server.call('POST /refresh', { token: here.refresh });
  assert.equal(refreshed.status, 200);
  assert.equal((await server.call('GET /users/me', { token: refreshed.body.access_token })).status, 200);
  const old = await server.call('POST /login', { body: { username: 'nina', password } });
  assert.equal(outcome(old), '401 invalid_credentials');
  const good = await server.call('POST /login', { body: { username: 'nina', password: next } });
  assert.equal(good.status, 200);
});

test('after a log-out the tokens are dead in the next request; with the refresh token one may leave late', async () => {
  const first = await logIn(server, 'jonathan');
  const other = await logIn(server, 'jonathan');
  assert.equal((await server.call('POST /logout', { token: first.access })).status, 204);
  assert.equal(outcome(await server.call('GET /users/me', { token: first.access })), '401 signed_out');
  assert.equal(outcome(await server.call('POST /refresh', { token: first.refresh })), '401 signed_out');
  assert.equal((await server.call('GET /users/me', { token: other.access })).status, 200);

  server.clock.turn(15 * minutes);
  assert.equal(outcome(await server.call('POST /logout', { token: other.access })), '401 token_expired');
  const left = await server.call('POST /logout', { body: { refresh_token: other.refresh } });
  assert.equal(left.status, 204);
  assert.equal(outcome(await server.call('POST /refresh', { token: other.refresh })), '401 signed_out');
  assert.equal(outcome(await server.call('POST /logout', { token: other.refresh })), '401 signed_out');
});

test('log-out everywhere ends the others too, and tells each what happened', async () => {
  const first = await logIn(server, 'jonathan');
  const other = await logIn(server, 'jonathan');
  assert.equal((await server.call('POST /logout/everywhere', { token: first.access })).status, 204);
  assert.equal(
    outcome(await server.call('GET /users/me', { token: other.access })),
    '401 signed_out_elsewhere',
  );
  assert.equal(
    outcome(await server.call('POST /refresh', { token: other.refresh })),
    '401 signed_out_elsewhere',
  );
  assert.equal(outcome(await server.call('POST /refresh', { token: first.refresh })), '401 signed_out');
  assert.equal((await logIn(server, 'jonathan')).access.length > 0, true);
});

test('after a restart account, sessions and keys are there, tokens from before are good, and what was revoked stays dead', async () => {
  const folder = temporaryFolder();
  const clock = turnableClock();
  const first = await openServer({ folder, clock });
  await first.call('POST /signup', { body: { username: 'jonathan', password } });
  const kept = await logIn(first, 'jonathan');
  const left = await logIn(first, 'jonathan');
  await first.call('POST /logout', { token: left.access });
  const keys = await first.call('GET /.well-known/jwks.json');
  await first.close();

  const second = await openServer({ folder, clock });
  assert.deepEqual((await second.call('GET /.well-known/jwks.json')).body, keys.body);
  assert.equal((await second.call('GET /users/me', { token: kept.access })).body.username, 'jonathan');
  assert.equal((await second.call('POST /refresh', { token: kept.refresh })).status, 200);
  assert.equal(outcome(await second.call('GET /users/me', { token: left.access })), '401 signed_out');
  assert.equal(outcome(await second.call('POST /refresh', { token: left.refresh })), '401 signed_out');
  assert.equal((await logIn(second, 'jonathan')).access.length > 0, true);
});
