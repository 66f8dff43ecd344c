// The attacks on accounts, by the number of the statement that forbids them, over sockets. What needs a statistic is in test/timing/.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import * as bcrypt from '@node-rs/bcrypt';
import { turnableClock } from '../../src/clock.ts';
import {
  type Answer,
  claimsOf,
  logIn,
  openServer,
  outcome,
  password,
  type Server,
  type SignedIn,
  signedIn,
  temporaryFolder,
} from '../fixture/server.ts';

let server: Server;
let twin: Server;
let user: SignedIn;
let other: SignedIn;

before(async () => {
  const folder = temporaryFolder();
  const clock = turnableClock();
  server = await openServer({ folder, clock });
  twin = await openServer({ folder, clock });
  user = await signedIn(server, 'jonathan');
  other = await signedIn(server, 'mary');
});

const logInWith = (username: string, tried: string, at = server) =>
  at.call('POST /login', { body: { username, password: tried } });

test('threat 34: an issued token holds no password, hash, address or profile', async () => {
  const body = { username: 'private', email: 'private@example.com', password, profile: { born: 'long ago' } };
  assert.equal((await server.call('POST /signup', { body })).status, 201);
  const { access, refresh } = await logIn(server, 'private');
  const known = ['iss', 'sub', 'aud', 'iat', 'exp', 'jti', 'sid', 'epoch', 'preferred_username', 'auth_time'];
  assert.deepEqual(Object.keys(claimsOf(access)).toSorted(), [...known, 'amr', 'scope', 'fresh'].toSorted());
  assert.deepEqual(Object.keys(claimsOf(refresh)), ['sub', 'sid', 'gen', 'iat', 'exp', 'jti']);
  const stored = await server.house.store.accounts.findByUsernameKey('private');
  for (const token of [access, refresh]) {
    const text = JSON.stringify(claimsOf(token));
    for (const secret of ['private@', 'long ago', password, stored?.passwordHash as string]) {
      assert.ok(!text.includes(secret), secret);
    }
  }
  // An account with an address alone: the address takes no other way into a token.
  const { id } = await server.latchkey.users.add({ email: 'only@example.com', password });
  const tokens = await server.call('POST /login', { body: { email: 'only@example.com', password } });
  assert.equal(claimsOf(tokens.body.access_token).sub, id);
  assert.ok(!JSON.stringify(claimsOf(tokens.body.access_token)).includes('only@'));
});

test('threat 90: a password is changed by who knows the current one, whoever holds a token', async () => {
  const change = (body: Record<string, unknown>, token = user.access) =>
    server.call('POST /users/me/password', { token, body });
  const next = 'wrong donkey charger';
  assert.equal(outcome(await change({ new_password: next })), '422 invalid_input');
  for (const current of ['', 'wrong', `${password} `, password.toUpperCase(), 'x'.repeat(5_000)]) {
    const refused = await change({ current_password: current, new_password: next });
    assert.equal(outcome(refused), '403 wrong_password', current.slice(0, 30));
  }
  const foreign = await change({ current_password: password, new_password: next, id: other.id }, 'x.y.z');
  assert.equal(outcome(foreign), '401 token_invalid');
  const patched = await server.call('PATCH /users/me', { token: user.access, body: { password: next } });
  assert.equal(patched.status, 200);
  assert.equal((await logInWith('jonathan', password)).status, 200);
  assert.equal(outcome(await logInWith('jonathan', next)), '401 invalid_credentials');
});

test('threat 91: password, hash and salt are in no answer, and the password is in no file', async () => {
  const secret = 'marzipan lighthouse quarrel';
  const name = 'unseen';
  const email = 'unseen@example.com';
  const answers: Answer[] = [];
  const call = async (...request: Parameters<Server['call']>): Promise<Answer> => {
    const answer = await server.call(...request);
    answers.push(answer);
    return answer;
  };
  await call('POST /signup', { body: { username: name, email, password: secret } });
  await call('POST /signup', { body: { username: name, password: secret } });
  await call('POST /signup', { body: { username: { $: 1 }, password: secret } });
  await call('POST /signup', { body: { username: 'un seen', password: secret, email: secret } });
  const tokens = (await call('POST /login', { body: { username: name, password: secret } })).body;
  await call('POST /login', { body: { username: secret, password: secret } });
  await call('POST /token', { form: { grant_type: 'password', username: name, password: secret } });
  await call('GET /users/me', { token: tokens.access_token });
  await call('GET /users/me/sessions', { token: tokens.access_token });
  const body = { current_password: `${secret}!`, new_password: secret };
  await call('POST /users/me/password', { token: tokens.access_token, body });
  await call(`GET /${encodeURIComponent(secret)}`);
  await signedIn(server, 'seer', ['admin']);
  await call('GET /users', { token: (await logIn(server, 'seer')).access });
  const stored = await server.house.store.accounts.findByUsernameKey(name);
  const [, , , , salt, tag] = (stored?.passwordHash ?? '').split('$');
  for (const answer of answers) {
    const text = answer.text + [...answer.headers].join();
    for (const part of [secret, encodeURIComponent(secret), salt as string, tag as string, '$argon2']) {
      assert.ok(!text.includes(part), `${answer.text} holds ${part}`);
    }
  }
  const files = readdirSync(server.folder);
  assert.ok(files.some((file) => readFileSync(join(server.folder, file)).includes(name)));
  for (const file of files) assert.ok(!readFileSync(join(server.folder, file)).includes(secret), file);
});

test('threat 92: CVE-2025-22234: unknown, wrong, disabled and over-long get one and the same answer, on every route', async () => {
  await server.latchkey.users.add({ username: 'asleep', password }, { disabled: true });
  const tries: [string, string][] = [
    ['jonathan', 'not the password'],
    ['nobody', password],
    ['nobody@example.com', password],
    ['asleep', password],
    ['asleep', 'not the password'],
    ['jonathan', 'x'.repeat(300)],
    ['nobody', 'x'.repeat(300)],
    ['jonathan', 'x'.repeat(50_000)],
    ['nobody', 'x'.repeat(50_000)],
    ['jonathan', ''],
    ['nobody', ''],
    ['', password],
    ['x'.repeat(10_000), password],
    ['jona than', password],
    ['jonathan\0', password],
    ['jonathan', `${password}\0`],
    ['\u{1f511}', password],
    ['@', password],
    ['__proto__', password],
  ];
  const routes: [string, (username: string, tried: string) => Promise<Answer>][] = [
    ['json', (username, tried) => logInWith(username, tried)],
    ['fresh', (username, tried) => server.call('POST /login/fresh', { body: { username, password: tried } })],
    [
      'form',
      (username, tried) =>
        server.call('POST /token', { form: { grant_type: 'password', username, password: tried } }),
    ],
    [
      'basic',
      (username, tried) =>
        server.call('GET /login', {
          headers: { authorization: `Basic ${Buffer.from(`${username}:${tried}`).toString('base64')}` },
        }),
    ],
  ];
  for (const [route, tryIt] of routes) {
    // A form counts an empty parameter as one that is missing, and a header holds no more than 16 KB.
    const fitting = tries.filter(
      ([name, tried]) =>
        (route !== 'form' || (name !== '' && tried !== '')) && (route !== 'basic' || tried.length < 5_000),
    );
    const seen = new Set<string>();
    for (const [name, tried] of fitting) {
      const answer = await tryIt(name, tried);
      const headers = [...answer.headers].filter(([header]) => !['x-request-id', 'date'].includes(header));
      const body = { ...answer.body, ...(answer.body.request_id !== undefined && { request_id: '' }) };
      seen.add(JSON.stringify([answer.status, headers, body]));
    }
    assert.equal(seen.size, 1, `${route}: ${[...seen].join('\n')}`);
    assert.match([...seen][0] as string, /invalid_credentials/);
  }
});

const spellings = ['racer', 'Racer', 'RACER', 'ｒａｃｅｒ', 'ＲＡＣＥＲ', 'rACEr'];

test('threat 97: of 50 parallel sign-ups of one name in every spelling one makes an account, through one house or two', async () => {
  for (const [round, houses] of [[server], [server, twin]].entries()) {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => {
        const spelling = spellings[index % spellings.length] as string;
        const at = houses[index % houses.length] as Server;
        const body = {
          username: `${spelling}${round}`,
          email: `Racer${round}.${index}@example.com`,
          password,
        };
        return at.call('POST /signup', { body });
      }),
    );
    const outcomes = answers.map(outcome);
    assert.equal(outcomes.filter((each) => each === '201').length, 1);
    // On a machine that is busy with other things some may be told so.
    const refused = outcomes.filter((each) => each === '409 username_taken' || each === '503 busy');
    assert.equal(refused.length, 49, outcomes.join());
    assert.equal((await server.latchkey.users.list({ search: `racer${round}` })).length, 1);
  }
});

test('threat 97: the same of one address under other names', async () => {
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, index) => {
      const email = index % 2 === 0 ? 'One@Bücher.example' : 'one@xn--bcher-kva.example';
      const body = { username: `address-${index}`, email, password };
      return (index % 3 === 0 ? server : twin).call('POST /signup', { body });
    }),
  );
  assert.deepEqual(answers.map(outcome).toSorted(), ['201', ...Array(11).fill('409 email_taken')]);
});

test('threat 98: names that are equal under NFKC and case folding are one account, at sign-up, at log-in and in a change', async () => {
  await server.latchkey.users.add({ username: 'Straße', password });
  for (const spelling of ['STRASSE', 'strasse', 'ｓｔｒａｓｓｅ', 'straſſe', 'STRAẞE']) {
    const taken = await server.call('POST /signup', { body: { username: spelling, password } });
    assert.equal(outcome(taken), '409 username_taken', spelling);
    assert.equal((await logInWith(spelling, password)).status, 200, spelling);
    const change = await server.call('PATCH /users/me', { token: user.access, body: { username: spelling } });
    assert.equal(outcome(change), '409 username_taken', spelling);
  }
  for (const name of [
    'a\u200bb',
    'a\u0000b',
    'a\u202eb',
    'a\ufeffb',
    'a b',
    'a\u00adb',
    'pаypal',
    'a@b',
    'a:b',
  ]) {
    const refused = await server.call('POST /signup', { body: { username: name, password } });
    assert.equal(outcome(refused), '422 invalid_input', JSON.stringify(name));
    assert.equal((refused.body.errors as { field: string }[])[0]?.field, 'username');
  }
});

test('threat 99: extra members change nothing: no scope, id, epoch or flag comes in by a body', async () => {
  const extra = {
    id: other.id,
    sub: other.id,
    scopes: ['admin'],
    scope: 'admin',
    role: 'admin',
    admin: true,
    disabled: true,
    email_verified: true,
    emailVerified: true,
    epoch: 99,
    version: 99,
    created_at: '2000-01-01T00:00:00Z',
    passwordHash: 'x',
    password_hash: 'x',
    granted: { scopes: ['admin'] },
    constructor: { prototype: { scopes: ['admin'] } },
  };
  const made = await server.call('POST /signup', { body: { username: 'plain', password, ...extra } });
  assert.equal(made.status, 201);
  const untouched = (answer: Answer) => {
    assert.notEqual(answer.body.id, other.id);
    assert.deepEqual(answer.body.scopes, []);
    assert.equal(answer.body.disabled, false);
    assert.equal(answer.body.email_verified, false);
    assert.notEqual(answer.body.created_at, extra.created_at);
  };
  untouched(made);
  const { access } = await logIn(server, 'plain');
  assert.equal(claimsOf(access).epoch, 1);
  assert.equal(claimsOf(access).scope, '');
  const changed = await server.call('PATCH /users/me', {
    token: access,
    body: { ...extra, profile: { a: 1 } },
  });
  assert.equal(changed.status, 200);
  untouched(changed);
  // The member that JSON.stringify would lose, as it would arrive.
  for (const text of [
    '{"username":"proto","password":"correct horse battery","__proto__":{"scopes":["admin"]}}',
    '{"username":"proto2","password":"correct horse battery","profile":{"__proto__":{"scopes":["admin"]}}}',
  ]) {
    const response = await fetch(`${server.url}/signup`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: text,
    });
    assert.ok(response.status === 201 || response.status === 422, String(response.status));
    if (response.status === 201) assert.deepEqual(((await response.json()) as Answer['body']).scopes, []);
  }
  assert.equal(({} as { scopes?: unknown }).scopes, undefined);
  const asked = await server.call('POST /token', {
    form: { grant_type: 'password', username: 'plain', password, scope: 'admin' },
  });
  assert.equal(asked.body.scope, '');
});

test('threat 100: CVE-2025-61928: an id in a body, query, header or cookie never chooses whose account it is', async () => {
  const ids = { id: other.id, user_id: other.id, userId: other.id, sub: other.id, username: 'jonathan' };
  const query = `?id=${other.id}&user_id=${other.id}&userId=${other.id}&sub=${other.id}`;
  const headers = { 'x-user-id': other.id, cookie: `user_id=${other.id}; sub=${other.id}` };
  const { access: token } = await logIn(server, 'jonathan');
  const read = await server.call(`GET /users/me${query}`, { token, headers });
  assert.equal(read.body.id, user.id);
  const changed = await server.call(`PATCH /users/me${query}`, {
    token,
    headers,
    body: { ...ids, profile: { mine: true } },
  });
  assert.equal(changed.body.id, user.id);
  const devices = await server.call(`GET /users/me/sessions${query}`, { token, headers });
  assert.ok(devices.body.data.some(({ id }) => id === claimsOf(token).sid));
  // Without a token none of it is anybody.
  for (const line of [`GET /users/me${query}`, `DELETE /users/me${query}`, `GET /users/${other.id}`]) {
    assert.equal(outcome(await server.call(line, { headers })), '401 token_missing', line);
  }
  const nobody = await server.call(`PATCH /users/me${query}`, { headers, body: ids });
  assert.equal(outcome(nobody), '401 token_missing');
  const mary = await server.call('GET /users/me', { token: other.access });
  assert.deepEqual(mary.body.profile, {});
  // A log-in names one account, once.
  const two = await server.call('POST /login', {
    body: { username: 'jonathan', email: 'mary@example.com', password },
  });
  assert.equal(outcome(two), '422 invalid_input');
});

test('threat 101: a new house has no account, and no name with a usual password opens it', async () => {
  const empty = await openServer();
  assert.deepEqual(await empty.latchkey.users.list(), []);
  for (const name of ['admin', 'root', 'administrator', 'latchkey', 'test']) {
    for (const tried of [name, 'password', 'admin', 'changeme', '']) {
      assert.equal(outcome(await logInWith(name, tried, empty)), '401 invalid_credentials');
    }
  }
});

test('threat 102: an imported bcrypt hash logs in and becomes argon2id; past byte 72 nothing matches by accident', async () => {
  const long = 'b'.repeat(72);
  for (const [index, prefix] of ['2a', '2b', '2y'].entries()) {
    const username = `imported-${prefix}`;
    const passwordHash = (await bcrypt.hash(password, 4)).replace(/^\$2[aby]/, `$${prefix}`);
    const { id } = await server.latchkey.users.add({ username, passwordHash });
    assert.equal(outcome(await logInWith(username, 'wrong')), '401 invalid_credentials');
    const hashOf = async () => (await server.house.store.accounts.find(id))?.passwordHash ?? '';
    assert.equal(await hashOf(), passwordHash);
    assert.equal((await logInWith(username, password, index === 1 ? twin : server)).status, 200);
    assert.match(await hashOf(), /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    const upgraded = await hashOf();
    assert.equal((await logInWith(username, password)).status, 200);
    assert.equal(await hashOf(), upgraded);
    assert.equal(outcome(await logInWith(username, 'wrong')), '401 invalid_credentials');
  }
  await server.latchkey.users.add({ username: 'imported-long', passwordHash: await bcrypt.hash(long, 4) });
  for (const neighbour of [`${long}c`, `${long}${long}`, long.slice(1), `${long}\0`]) {
    assert.equal(outcome(await logInWith('imported-long', neighbour)), '401 invalid_credentials');
  }
  assert.equal((await logInWith('imported-long', long)).status, 200);
  assert.equal(outcome(await logInWith('imported-long', `${long}c`)), '401 invalid_credentials');
});

test('threat 102: a log-in that makes the hash anew does not bring back a password that was changed meanwhile', async () => {
  const passwordHash = await bcrypt.hash(password, 4);
  const { id } = await server.latchkey.users.add({ username: 'rehashed', passwordHash });
  await server.latchkey.users.setPassword(id, 'wrong donkey charger');
  await server.house.store.accounts.rehash(id, passwordHash, await server.house.lane.hash(password));
  assert.equal(outcome(await logInWith('rehashed', password)), '401 invalid_credentials');
  assert.equal((await logInWith('rehashed', 'wrong donkey charger')).status, 200);
});
