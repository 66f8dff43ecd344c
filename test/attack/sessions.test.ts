// The attacks on sessions and their tokens, by the number of the statement that forbids them, over sockets against two houses on one file.
// Where two things must meet at one moment, a hook holds the one until the other has happened.
import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { before, beforeEach, test } from 'node:test';
import { turnableClock } from '../../src/clock.ts';
import type { Hooks } from '../../src/flows/house.ts';
import { sweep } from '../../src/flows/sweep.ts';
import type { Session } from '../../src/sessions/session.ts';
import { openSqlite } from '../../src/store/engines/sqlite-file.ts';
import { issueToken } from '../../src/tokens/issue.ts';
import {
  type Answer,
  claimsOf,
  logIn,
  openServer,
  outcome,
  password,
  pause,
  type Server,
  type SignedIn,
  signedIn,
  temporaryFolder,
} from '../fixture/server.ts';

const minute = 60_000;
const day = 24 * 60 * minute;

let server: Server;
let twin: Server;
let user: SignedIn;
let atClaims: () => Promise<void>;
let beforeLogIn: () => Promise<void>;

const hooks: Hooks = {
  beforeLogIn: () => beforeLogIn(),
  claims: async () => {
    await atClaims();
    return {};
  },
};

before(async () => {
  const folder = temporaryFolder();
  const clock = turnableClock();
  atClaims = beforeLogIn = async () => {};
  server = await openServer({ folder, clock, hooks });
  twin = await openServer({ folder, clock, hooks });
  user = await signedIn(server, 'jonathan');
  await signedIn(server, 'root', ['admin']);
});

beforeEach(() => {
  atClaims = beforeLogIn = async () => {};
});

const me = async (token: string, at = server) => outcome(await at.call('GET /users/me', { token }));
const refreshed = async (token: string, at = server) => outcome(await at.call('POST /refresh', { token }));
// Logged in anew for each use: the clock has been turned since.
const asAdmin = async (line: string, body?: unknown, at = server) =>
  at.call(line, { token: (await logIn(at, 'root')).access, body });
const times = <T>(count: number, act: (index: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, index) => act(index)));

test('threat 27: a token whose subject is unknown, deleted or disabled is refused, though its signature is good', async () => {
  const claims = claimsOf(user.access);
  const forged = issueToken(server.house.keys.signing(), 'at+jwt', { ...claims, sub: 'nobody' });
  assert.equal(await me(forged), '401 deleted');
  // From the row alone, as if no revocation had been written.
  const { id } = await server.latchkey.users.add({ username: 'asleep', password }, { disabled: true });
  const asleep = issueToken(server.house.keys.signing(), 'at+jwt', { ...claims, sub: id });
  for (const line of ['GET /users/me', 'GET /users/me/sessions', 'DELETE /users/me', 'GET /users']) {
    assert.equal(outcome(await server.call(line, { token: asleep })), '401 disabled', line);
    assert.equal(outcome(await server.call(line, { token: forged })), '401 deleted', line);
  }
});

test('threat 31: after a rotation, planned or at once, tokens of the old key are good while they live, and the key is published as long', async () => {
  const { access } = await logIn(server, 'jonathan');
  const kid = () => server.house.keys.signing().kid;
  const published = async (at: Server) =>
    (await at.call('GET /.well-known/jwks.json')).body.keys.map((key) => key.kid as string);
  const old = kid();
  await server.latchkey.keys.rotate();
  assert.equal(kid(), old, 'a planned key does not sign before everybody knows it');
  assert.equal((await published(server)).length, 2);
  server.clock.turn(7 * minute);
  const second = kid();
  assert.notEqual(second, old);
  await server.latchkey.keys.rotate('at_once');
  const third = kid();
  assert.equal(new Set([old, second, third]).size, 3);
  for (const at of [server, twin]) {
    assert.equal(await me(access, at), '200');
    assert.deepEqual((await published(at)).toSorted(), [old, second, third].toSorted());
  }
  const fresh = await logIn(twin, 'jonathan');
  assert.equal(await me(fresh.access), '200');
  server.clock.turn(8 * minute);
  assert.equal(await me(access), '401 token_expired');
  assert.ok((await published(twin)).includes(old), 'as long as the last token that it may have signed');
  server.clock.turn(10 * minute);
  assert.deepEqual(await published(server), [third]);
});

test('threat 32: when a key is revoked its tokens are dead in the next request, in every house, and sessions go on', async () => {
  const { access, refresh } = await logIn(server, 'jonathan');
  assert.equal(await me(access, twin), '200');
  const { kid } = server.house.keys.signing();
  await server.latchkey.keys.revoke(kid);
  assert.equal(await me(access), '401 key_revoked');
  assert.equal(await me(access, twin), '401 key_revoked');
  const published = (await twin.call('GET /.well-known/jwks.json')).body.keys;
  assert.ok(published.every((key) => key.kid !== kid));
  const next = await server.call('POST /refresh', { token: refresh });
  assert.equal(await me(next.body.access_token, twin), '200');
});

test('threat 32: a key that its own row calls revoked vouches for nothing, also when the entry about it is gone', async () => {
  const folder = temporaryFolder();
  const clock = turnableClock();
  const first = await openServer({ folder, clock });
  const { access } = await signedIn(first, 'robbed');
  await first.latchkey.keys.revoke(first.house.keys.signing().kid);
  await first.close();
  const file = openSqlite(first.house.settings.databaseFile);
  assert.equal(file.run("DELETE FROM revocations WHERE kind = 'key'", []).changed, 1);
  file.close();
  const second = await openServer({ folder, clock });
  assert.equal(await me(access, second), '401 key_revoked');
});

test('threat 32: a refresh key that one house revokes is dead in the other at once, and makes nothing there any more', async () => {
  const { refresh } = await logIn(twin, 'jonathan');
  const revoke = () => server.latchkey.keys.revoke(server.house.keys.refresh().kid);
  await revoke();
  assert.equal(await refreshed(refresh, twin), '401 token_invalid');
  await revoke();
  const opened = await logIn(twin, 'jonathan');
  for (const at of [twin, server]) assert.equal(await refreshed(opened.refresh, at), '200');
});

test('threat 68: a refresh gives a new refresh token each time, and the ones before are dead', async () => {
  let { refresh } = await logIn(server, 'jonathan');
  const seen = [refresh];
  for (let round = 0; round < 3; round += 1) {
    server.clock.turn(11_000);
    refresh = (await server.call('POST /refresh', { token: refresh })).body.refresh_token;
    seen.push(refresh);
  }
  assert.equal(new Set(seen).size, 4);
  server.clock.turn(11_000);
  assert.equal(await refreshed(seen[2] as string), '401 reuse_detected');
});

test('threat 69: within the grace a spent token gets the same successor bit for bit; after it the family is dead, in every house', async () => {
  const { access, refresh } = await logIn(server, 'jonathan');
  const successors = new Set<string>();
  for (const at of [server, twin, twin, server]) {
    successors.add((await at.call('POST /refresh', { token: refresh })).body.refresh_token);
    server.clock.turn(3_000);
  }
  assert.equal(successors.size, 1);
  assert.equal(await refreshed(refresh, twin), '401 reuse_detected');
  for (const at of [server, twin]) {
    assert.equal(await me(access, at), '401 reuse_detected');
    assert.equal(await refreshed([...successors][0] as string, at), '401 reuse_detected');
  }
});

test('threat 69: with a grace of 0 the second use of a refresh token ends the session', async () => {
  const strict = await openServer({ refreshGrace: '0' });
  const one = await signedIn(strict, 'strict');
  const next = await strict.call('POST /refresh', { token: one.refresh });
  assert.equal(next.status, 200);
  assert.equal(await refreshed(one.refresh, strict), '401 reuse_detected');
  assert.equal(await refreshed(next.body.refresh_token, strict), '401 reuse_detected');
  assert.equal(await me(next.body.access_token, strict), '401 reuse_detected');
});

for (const [where, houses] of [
  ['one house', () => [server]],
  ['two houses on one file', () => [server, twin]],
] as const) {
  test(`threat 70: CVE-2026-1035: of 50 parallel uses of one refresh token through ${where} comes one successor`, async () => {
    let { refresh } = await logIn(server, 'jonathan');
    for (let round = 0; round < 3; round += 1) {
      const at = houses();
      const answers = await times(50, (index) =>
        (at[index % at.length] as Server).call('POST /refresh', { token: refresh }),
      );
      assert.deepEqual([...new Set(answers.map(outcome))], ['200']);
      const successors = new Set(answers.map(({ body }) => body.refresh_token));
      assert.equal(successors.size, 1);
      refresh = [...successors][0] as string;
    }
    const session = await server.house.store.sessions.find(claimsOf(refresh).sid);
    assert.equal(session?.generation, 4);
  });
}

test('threat 71, 72: a session ends when it is idle too long, and however it is used at its absolute end', async () => {
  const aged = await openServer({ sessionIdle: '30d', sessionTtl: '180d' });
  const one = await signedIn(aged, 'aged');
  const idle = await logIn(aged, 'aged');
  let { refresh } = one;
  let access = one.access;
  for (let month = 1; month <= 6; month += 1) {
    aged.clock.turn(30 * day - 1_000);
    // Housekeeping keeps the ring; it goes by the machine's own time and not by this clock.
    await sweep(aged.house);
    const next = await aged.call('POST /refresh', { token: refresh });
    assert.equal(outcome(next), '200', `month ${month}`);
    ({ access_token: access, refresh_token: refresh } = next.body);
    if (month === 1) {
      aged.clock.turn(1_000);
      assert.equal(await refreshed(idle.refresh, aged), '401 expired');
      aged.clock.turn(-1_000);
    }
  }
  // Six seconds are left of the 180 days.
  assert.equal(claimsOf(refresh).exp, claimsOf(one.refresh).iat + 180 * 86_400);
  aged.clock.turn(6_000);
  assert.equal(await refreshed(refresh, aged), '401 expired');
  // The password does not keep a session beyond its end either: its access token ended with it.
  const again = await aged.call('POST /login/fresh', { token: access, body: { username: 'aged', password } });
  assert.equal(outcome(again), '401 token_expired');
});

test('threat 73: the id of a session is 128 random bits', async () => {
  const ids = new Set(await times(20, async () => claimsOf((await logIn(server, 'jonathan')).access).sid));
  assert.equal(ids.size, 20);
  const bytes = [...ids].map((id) => Buffer.from(id, 'base64url'));
  assert.ok(bytes.every(({ length }) => length === 16));
  // No byte is the same in all of them, as it would be in a counter or an instant.
  for (let at = 0; at < 16; at += 1) assert.ok(new Set(bytes.map((id) => id[at])).size > 1, `byte ${at}`);
});

test('threat 74: CVE-2022-25896, CVE-2023-29019: a log-in makes a new session, whatever ids or tokens come with it', async () => {
  const { sid } = claimsOf(user.access);
  const body = { username: 'jonathan', password, sid, session_id: sid, id: sid, refresh_token: user.refresh };
  const headers = {
    cookie: `sid=${sid}; session=${sid}; refresh_token=${user.refresh}`,
    'x-session-id': sid,
  };
  const opened = await server.call(`POST /login?sid=${sid}`, { body, headers, token: user.access });
  assert.equal(opened.status, 200);
  assert.notEqual(claimsOf(opened.body.access_token).sid, sid);
  assert.notEqual(claimsOf(opened.body.refresh_token).sid, sid);
  assert.equal(opened.headers.get('set-cookie'), null);
});

test('threat 75: after a log-out access and refresh are dead at the next request, in every house; other sessions live', async () => {
  const here = await logIn(server, 'jonathan');
  const there = await logIn(server, 'jonathan');
  assert.equal(await me(here.access, twin), '200');
  assert.equal((await server.call('POST /logout', { token: here.access })).status, 204);
  for (const at of [server, twin]) {
    assert.equal(await me(here.access, at), '401 signed_out');
    assert.equal(await refreshed(here.refresh, at), '401 signed_out');
    assert.equal(await me(there.access, at), '200');
  }
});

test('threat 75: a refresh that is on its way does not outlive the log-out', async () => {
  const { access, refresh } = await logIn(server, 'jonathan');
  const held = pause();
  atClaims = held.wait;
  const underway = server.call('POST /refresh', { token: refresh });
  await held.reached;
  assert.equal((await server.call('POST /logout', { token: access })).status, 204);
  held.resume();
  const { body } = await underway;
  assert.equal(await me(body.access_token), '401 signed_out');
  assert.equal(await refreshed(body.refresh_token), '401 signed_out');
});

test('threat 75: however a refresh and a log-out fall together, in two houses, the session has ended', async () => {
  for (let round = 0; round < 10; round += 1) {
    const { access, refresh } = await logIn(server, 'jonathan');
    const [next, left] = await Promise.all([
      twin.call('POST /refresh', { token: refresh }),
      server.call('POST /logout', { token: access }),
    ]);
    assert.equal(left.status, 204);
    assert.ok(['200', '401 signed_out'].includes(outcome(next)), outcome(next));
    assert.equal(await refreshed(refresh), '401 signed_out');
    if (next.status !== 200) continue;
    assert.equal(await refreshed(next.body.refresh_token, twin), '401 signed_out');
    assert.equal(await me(next.body.access_token, twin), '401 signed_out');
  }
});

test('threat 76: CVE-2026-22706: a new password ends the other sessions, in every house, and whatever is on its way', async () => {
  const one = await signedIn(server, 'changer');
  const other = await logIn(twin, 'changer');
  const underway = await logIn(server, 'changer');
  const held = pause();
  atClaims = held.wait;
  const refreshing = server.call('POST /refresh', { token: underway.refresh });
  await held.reached;
  const next = 'wrong donkey charger';
  const body = { current_password: password, new_password: next };
  assert.equal((await server.call('POST /users/me/password', { token: one.access, body })).status, 204);
  held.resume();
  const late = (await refreshing).body;
  for (const at of [server, twin]) {
    assert.equal(await me(one.access, at), '200');
    for (const token of [other.access, underway.access, late.access_token]) {
      assert.equal(await me(token, at), '401 password_changed');
    }
    for (const token of [other.refresh, late.refresh_token]) {
      assert.equal(await refreshed(token, at), '401 password_changed');
    }
  }
});

test('rule 5: a log-in that waits while the password changes, or the account is disabled or deleted, is refused', async () => {
  const next = 'wrong donkey charger';
  const acts: [string, (id: string) => Promise<unknown>][] = [
    ['changed', (id) => server.latchkey.users.setPassword(id, next)],
    ['disabled', (id) => server.latchkey.users.change(id, { disabled: true })],
    ['deleted', (id) => server.latchkey.users.remove(id)],
  ];
  for (const [name, act] of acts) {
    const { id } = await server.latchkey.users.add({ username: `waits-${name}`, password });
    const body = { username: `waits-${name}`, password };
    const held = pause();
    beforeLogIn = held.wait;
    const waiting = server.call('POST /login', { body });
    await held.reached;
    await act(id);
    held.resume();
    assert.equal(outcome(await waiting), '401 invalid_credentials', name);
    assert.deepEqual(await server.latchkey.sessions.list(id), [], name);
  }
});

test('rule 5: a fresh log-in of a running session does not outlive a change of the password that excepted it', async () => {
  const one = await signedIn(server, 'fresh-waits');
  const held = pause();
  beforeLogIn = held.wait;
  const body = { username: 'fresh-waits', password };
  const waiting = server.call('POST /login/fresh', { token: one.access, body });
  await held.reached;
  const change = { current_password: password, new_password: 'wrong donkey charger' };
  assert.equal(
    (await server.call('POST /users/me/password', { token: one.access, body: change })).status,
    204,
  );
  held.resume();
  assert.equal(outcome(await waiting), '401 invalid_credentials');
});

test('of two changes that both know the old password one succeeds, through one house or two', async () => {
  const one = await signedIn(server, 'twice');
  const change = (at: Server, from: string, to: string, token: string) =>
    at.call('POST /users/me/password', { token, body: { current_password: from, new_password: to } });
  const words = ['first donkey charger', 'second donkey charger'];
  for (const [round, houses] of [
    [server, server],
    [server, twin],
  ].entries()) {
    const known = round === 0 ? password : (words[0] as string);
    if (round === 1) await server.latchkey.users.setPassword(one.id, known);
    const token =
      round === 0
        ? one.access
        : (await server.call('POST /login', { body: { username: 'twice', password: known } })).body
            .access_token;
    const news = words.map((word) => `${word} ${round}`);
    const answers = await Promise.all(
      houses.map((at, index) => change(at, known, news[index] as string, token)),
    );
    const outcomes = answers.map(outcome);
    assert.deepEqual(outcomes.toSorted(), ['204', '403 wrong_password']);
    const won = news[outcomes.indexOf('204')] as string;
    const login = await server.call('POST /login', { body: { username: 'twice', password: won } });
    assert.equal(login.status, 200);
  }
});

test('threat 77: a refresh that is on its way does not outlive disabling or deleting the account', async () => {
  for (const [reason, act] of [
    ['disabled', (id: string) => server.latchkey.users.change(id, { disabled: true })],
    ['deleted', (id: string) => server.latchkey.users.remove(id)],
  ] as const) {
    const one = await signedIn(server, `going-${reason}`);
    const held = pause();
    atClaims = held.wait;
    const underway = server.call('POST /refresh', { token: one.refresh });
    await held.reached;
    await act(one.id);
    held.resume();
    const { body } = await underway;
    for (const at of [server, twin]) {
      assert.equal(await me(one.access, at), `401 ${reason}`);
      assert.equal(await me(body.access_token, at), `401 ${reason}`);
      assert.equal(await refreshed(body.refresh_token, at), `401 ${reason}`);
    }
  }
});

test('threat 77: GHSA-2vg6-77g8-24mp: however refreshes and disabling fall together, nothing is good afterwards', async () => {
  const one = await signedIn(server, 'flicker');
  let { access, refresh } = one;
  const { access: token } = await logIn(server, 'root');
  for (let round = 0; round < 5; round += 1) {
    const storm = times(8, (index) =>
      (index % 2 === 0 ? server : twin).call('POST /refresh', { token: refresh }),
    );
    const disabling = server.call(`PATCH /users/${one.id}`, { token, body: { disabled: true } });
    const answers: Answer[] = await storm;
    assert.equal((await disabling).status, 200);
    for (const answer of answers) {
      assert.ok(['200', '401 disabled'].includes(outcome(answer)), outcome(answer));
      if (answer.status !== 200) continue;
      assert.equal(await me(answer.body.access_token, twin), '401 disabled');
      assert.equal(await refreshed(answer.body.refresh_token, twin), '401 disabled');
    }
    assert.equal(await me(access), '401 disabled');
    await server.latchkey.users.change(one.id, { disabled: false });
    ({ access, refresh } = await logIn(server, 'flicker'));
  }
});

test('a scope that is lost while a refresh is on its way is not in what comes of it for long: the token is dead, the session lives', async () => {
  const one = await signedIn(server, 'loses', ['posts:write']);
  const held = pause();
  atClaims = held.wait;
  const underway = server.call('POST /refresh', { token: one.refresh });
  await held.reached;
  await server.latchkey.users.change(one.id, { scopes: [] });
  held.resume();
  const { body } = await underway;
  assert.equal(await me(body.access_token), '401 scope_changed');
  const next = await server.call('POST /refresh', { token: body.refresh_token });
  assert.equal(next.body.scope, '');
  assert.equal(await me(next.body.access_token, twin), '200');
});

test('threat 78: an administrator ends the sessions of one account, in every house', async () => {
  const one = await signedIn(server, 'ended');
  assert.equal((await asAdmin(`DELETE /users/${one.id}/sessions`, undefined, twin)).status, 204);
  for (const at of [server, twin]) {
    assert.equal(await me(one.access, at), '401 signed_out_elsewhere');
    assert.equal(await refreshed(one.refresh, at), '401 signed_out_elsewhere');
  }
});

test('threat 79: nobody sees or ends the sessions of others', async () => {
  const one = await signedIn(server, 'owner');
  const other = await signedIn(server, 'stranger');
  const { sid } = claimsOf(one.access);
  const list = await server.call('GET /users/me/sessions', { token: other.access });
  assert.deepEqual(
    list.body.data.map(({ id }) => id),
    [claimsOf(other.access).sid],
  );
  for (const at of [server, twin]) {
    const refused = await at.call(`DELETE /users/me/sessions/${sid}`, { token: other.access });
    const nowhere = await at.call('DELETE /users/me/sessions/AAAAAAAAAAAAAAAAAAAAAA', {
      token: other.access,
    });
    assert.equal(outcome(refused), '404 not_found');
    assert.deepEqual({ ...refused.body, request_id: '' }, { ...nowhere.body, request_id: '' });
  }
  assert.equal(await me(one.access), '200');
});

test('threat 80: a refresh never makes a fresh token, not even of a fresh one', async () => {
  const { access, refresh } = await logIn(server, 'jonathan');
  assert.equal(claimsOf(access).fresh, true);
  const next = await server.call('POST /refresh', { token: refresh });
  assert.equal(claimsOf(next.body.access_token).fresh, undefined);
  const again = await server.call('POST /login/fresh', {
    token: next.body.access_token,
    body: { username: 'jonathan', password },
  });
  assert.equal(claimsOf(again.body.access_token).fresh, true);
  const last = await server.call('POST /token', {
    form: { grant_type: 'refresh_token', refresh_token: next.body.refresh_token },
  });
  assert.equal(claimsOf(last.body.access_token).fresh, undefined);
  const refused = await server.call('DELETE /users/me', { token: last.body.access_token });
  assert.equal(outcome(refused), '401 stale_authentication');
});

test('rule 29: many log-outs of one account become one entry, and its other sessions are told to refresh, not that they ended', async () => {
  const one = await signedIn(server, 'in-and-out');
  const rows = () => server.house.store.revocations.countOfUser(one.id);
  const bystander = await signedIn(server, 'bystander');
  const ended: string[] = [];
  for (let round = 0; round < 40; round += 1) {
    const { access, refresh } = await logIn(server, 'in-and-out');
    ended.push(access, refresh);
    assert.equal((await server.call('POST /logout', { token: access })).status, 204);
    assert.ok((await rows()) <= 16, `${await rows()} entries after ${round + 1} log-outs`);
  }
  for (let index = 0; index < ended.length; index += 2) {
    assert.match(await me(ended[index] as string), /^401 (signed_out|token_revoked)$/);
  }
  assert.equal(await refreshed(ended[1] as string), '401 signed_out');
  assert.equal(await me(one.access), '401 token_revoked');
  assert.equal(await me(bystander.access), '200');
  const next = await server.call('POST /refresh', { token: one.refresh });
  assert.equal(await me(next.body.access_token, twin), '200');
});

test('rule 29: giving back access tokens one by one fills no list either', async () => {
  const one = await signedIn(server, 'gives-back');
  let { access, refresh } = one;
  for (let round = 0; round < 40; round += 1) {
    assert.equal((await server.call('POST /revoke', { form: { token: access } })).status, 200);
    assert.equal(await me(access), '401 token_revoked');
    const next = await server.call('POST /refresh', { token: refresh });
    ({ access_token: access, refresh_token: refresh } = next.body);
    assert.ok((await server.house.store.revocations.countOfUser(one.id)) <= 16);
  }
  assert.equal(await me(access), '200');
});

test('rule 29: an account has at most 100 sessions; the one that was used longest ago makes room', async () => {
  const one = await signedIn(server, 'collector');
  const { epoch } = claimsOf(one.access);
  const model = await server.house.store.sessions.find(claimsOf(one.access).sid);
  assert.ok(model);
  server.clock.turn(1_000);
  // Opened without their hashes: 99 more, each seen later than the one before.
  for (let index = 0; index < 99; index += 1) {
    const session: Session = { ...model, id: `collected-${index}`, lastSeenAt: server.clock.now() + index };
    assert.equal(await server.house.store.sessions.open(session, epoch), true);
  }
  server.clock.turn(1_000);
  assert.equal(await me(one.access), '200');
  const last = await logIn(server, 'collector');
  assert.equal((await server.latchkey.sessions.list(one.id)).length, 100);
  assert.equal(await me(one.access), '401 signed_out_elsewhere');
  assert.equal(await refreshed(one.refresh), '401 signed_out_elsewhere');
  assert.equal(await me(last.access), '200');
});

test('rule 13: after a crash between commit and answer the honest client gets the pair that was lost', async () => {
  const folder = temporaryFolder();
  const crashing = await openServer({ folder });
  const one = await signedIn(crashing, 'honest');
  const thief = await signedIn(crashing, 'robbed');
  const stolen = thief.refresh;
  const moved = await crashing.call('POST /refresh', { token: stolen });
  crashing.clock.turn(minute);
  await crashing.call('POST /refresh', { token: moved.body.refresh_token });
  const lost = await crashing.call('POST /refresh', { token: one.refresh });
  // What lies on the disk at this moment is what a power cut would have left.
  const after = temporaryFolder();
  cpSync(folder, after, { recursive: true });

  const clock = turnableClock(crashing.clock.now());
  clock.turn(60 * minute);
  const recovered = await openServer({ folder: after, clock });
  const again = await recovered.call('POST /refresh', { token: one.refresh });
  assert.equal(outcome(again), '200');
  assert.equal(again.body.refresh_token, lost.body.refresh_token);
  assert.equal(await me(again.body.access_token, recovered), '200');
  // What was spent before the last moments is theft all the same.
  assert.equal(await refreshed(stolen, recovered), '401 reuse_detected');
  await crashing.close();

  // After a stop in order nothing is in doubt.
  clock.turn(60 * minute);
  await recovered.close();
  const started = await openServer({ folder: after, clock });
  assert.equal(await refreshed(one.refresh, started), '401 reuse_detected');
});

test('threat 78: an administrator ends every session, in every house, and whatever is on its way', async () => {
  const one = await signedIn(server, 'everybody');
  const idle = await logIn(server, 'everybody');
  const admin = await logIn(server, 'root');
  const held = pause();
  atClaims = held.wait;
  const underway = server.call('POST /refresh', { token: one.refresh });
  await held.reached;
  assert.equal((await server.call('DELETE /sessions', { token: admin.access })).status, 204);
  held.resume();
  const { body } = await underway;
  for (const at of [server, twin]) {
    for (const token of [one.access, idle.access, admin.access, body.access_token]) {
      assert.equal(await me(token, at), '401 signed_out_elsewhere');
    }
    for (const token of [idle.refresh, admin.refresh, body.refresh_token]) {
      assert.equal(await refreshed(token, at), '401 signed_out_elsewhere');
    }
  }
  const { access } = await logIn(twin, 'everybody');
  assert.equal(await me(access), '200');
});
