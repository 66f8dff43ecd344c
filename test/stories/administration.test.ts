// What an administrator does, over a socket: find accounts, make and change them, take away what they may, and end sessions.
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import {
  claimsOf,
  headerOf,
  logIn,
  openServer,
  outcome,
  password,
  type Server,
  type SignedIn,
  signedIn,
} from '../fixture/server.ts';

let server: Server;
let admin: SignedIn;

before(async () => {
  server = await openServer();
  admin = await signedIn(server, 'root', ['admin']);
});

const asAdmin = (line: string, body?: unknown) => server.call(line, { token: admin.access, body });

test('every route of administration is closed to strangers and to everybody without the scope', async () => {
  const user = await signedIn(server, 'plain', ['posts:write']);
  const lines: [string, unknown?][] = [
    ['GET /users'],
    ['POST /users', { username: 'made', password }],
    [`GET /users/${user.id}`],
    [`PATCH /users/${user.id}`, { scopes: ['admin'] }],
    [`DELETE /users/${user.id}`],
    [`DELETE /users/${user.id}/sessions`],
    ['DELETE /sessions'],
  ];
  for (const [line, body] of lines) {
    const stranger = await server.call(line, { body });
    assert.equal(outcome(stranger), '401 token_missing', line);
    const refused = await server.call(line, { token: user.access, body });
    assert.equal(outcome(refused), '403 insufficient_scope', line);
    const challenge = refused.headers.get('www-authenticate') ?? '';
    assert.match(challenge, /error="insufficient_scope".*scope="admin"/, line);
  }
  assert.deepEqual((await server.call('GET /users/me', { token: user.access })).body.scopes, ['posts:write']);
});

test('a token with the scope is refused when the account has lost it', async () => {
  const user = await signedIn(server, 'former', ['admin']);
  // Taken from the row alone, as if no revocation had been written.
  await server.house.store.accounts.change(user.id, ({ account, passwordHash }) => ({
    outcome: null,
    next: { account: { ...account, scopes: [] }, passwordHash },
  }));
  assert.equal(outcome(await server.call('GET /users', { token: user.access })), '403 insufficient_scope');
});

test('accounts are listed in pages, the oldest first, each once', async () => {
  for (const username of ['page-a', 'page-b', 'page-c', 'page-d', 'page-e']) {
    server.clock.turn(1_000);
    await server.latchkey.users.add({ username, passwordHash: hashOfNobody });
  }
  const seen: (string | null)[] = [];
  let cursor: string | null = null;
  do {
    const query: string = cursor === null ? '' : `&cursor=${cursor}`;
    const page = await asAdmin(`GET /users?limit=2&search=page-${query}`);
    assert.equal(page.status, 200);
    assert.equal(page.headers.get('cache-control'), 'no-store');
    assert.ok(page.body.data.length <= 2);
    assert.doesNotMatch(page.text, /argon2|password/i);
    seen.push(...page.body.data.map(({ username }) => username));
    cursor = page.body.next_cursor;
  } while (cursor !== null);
  assert.deepEqual(seen, ['page-a', 'page-b', 'page-c', 'page-d', 'page-e']);
  const all = await asAdmin('GET /users');
  const ids = all.body.data.map(({ id }) => id);
  assert.deepEqual(ids, ids.toSorted());
  for (const query of ['limit=0', 'limit=201', 'limit=x']) {
    assert.equal(outcome(await asAdmin(`GET /users?${query}`)), '422 invalid_input', query);
  }
  assert.deepEqual((await asAdmin('GET /users?cursor=~')).body.data, []);
});

/** An account with it is in nobody's hands, and costs no hash to make. */
const hashOfNobody = '$2b$10$abcdefghijklmnopqrstuuZ3w9nqPSpg1Bkv1rjpK4TQzTpYZ1nm2';

test('a search finds a part of a name or address in any case, and takes no wildcards', async () => {
  const add = (username: string, email: string) =>
    server.latchkey.users.add({ username, email, passwordHash: hashOfNobody });
  await add('Straße', 'someone@Wide.example');
  await add('under_score', 'percent@example.org');
  await add('underscore', 'plain@example.org');
  const found = async (search: string) =>
    (await asAdmin(`GET /users?search=${encodeURIComponent(search)}`)).body.data.map(
      ({ username }) => username,
    );
  assert.deepEqual(await found('stra'), ['Straße']);
  assert.deepEqual(await found('STRASSE'), ['Straße']);
  assert.deepEqual(await found('straße'), ['Straße']);
  assert.deepEqual(await found('WIDE.ex'), ['Straße']);
  assert.deepEqual(await found('under_'), ['under_score']);
  assert.deepEqual(await found('%'), []);
  assert.deepEqual(await found('\\'), []);
  assert.deepEqual(await found('nobody-at-all'), []);
});

test('an account is made with what only an administrator may say, and can log in', async () => {
  const made = await asAdmin('POST /users', {
    username: 'clerk',
    email: 'clerk@example.com',
    email_verified: true,
    password,
    profile: { desk: 4 },
    scopes: ['posts:write'],
  });
  assert.equal(made.status, 201);
  assert.equal(made.body.email_verified, true);
  assert.deepEqual(made.body.scopes, ['posts:write']);
  assert.deepEqual(made.body.profile, { desk: 4 });
  const read = await asAdmin(`GET /users/${made.body.id}`);
  assert.deepEqual(read.body, made.body);
  const { access } = await logIn(server, 'clerk');
  assert.equal(claimsOf(access).scope, 'posts:write');
  assert.equal(outcome(await asAdmin('POST /users', { username: 'Clerk', password })), '409 username_taken');
  assert.equal(
    outcome(await asAdmin('POST /users', { username: 'x', password: 'short' })),
    '422 password_refused',
  );
  assert.equal(
    outcome(await asAdmin('POST /users', { username: 'x', password, scopes: ['a b'] })),
    '422 invalid_input',
  );
});

test('names, address and profile change; what is left out stays, null takes away, and a password cannot be set', async () => {
  const { id } = await server.latchkey.users.add(
    { username: 'before', email: 'before@example.com', passwordHash: hashOfNobody, profile: { a: 1, b: 2 } },
    { emailVerified: true },
  );
  const renamed = await asAdmin(`PATCH /users/${id}`, { username: 'Afterwards', profile: { b: null, c: 3 } });
  assert.equal(renamed.body.username, 'Afterwards');
  assert.equal(renamed.body.email, 'before@example.com');
  assert.equal(renamed.body.email_verified, true);
  assert.deepEqual(renamed.body.profile, { a: 1, c: 3 });
  const moved = await asAdmin(`PATCH /users/${id}`, { email: 'after@example.com' });
  assert.equal(moved.body.email_verified, false, 'another address is an unproven one');
  const bare = await asAdmin(`PATCH /users/${id}`, { email: null });
  assert.equal(bare.body.email, null);
  assert.equal(outcome(await asAdmin(`PATCH /users/${id}`, { username: null })), '422 invalid_input');
  assert.equal(outcome(await asAdmin(`PATCH /users/${id}`, { username: 'ROOT' })), '409 username_taken');
  const before = await server.house.store.accounts.find(id);
  await asAdmin(`PATCH /users/${id}`, {
    password: 'another password',
    password_hash: 'x',
    passwordHash: 'x',
  });
  assert.equal((await server.house.store.accounts.find(id))?.passwordHash, before?.passwordHash);
  for (const line of [
    `GET /users/${'0'.repeat(36)}`,
    `DELETE /users/${'0'.repeat(36)}`,
    'DELETE /users/x/sessions',
  ]) {
    assert.equal(outcome(await asAdmin(line)), '404 not_found', line);
  }
  assert.equal(outcome(await asAdmin('PATCH /users/x', { disabled: true })), '404 not_found');
});

test('a disabled account: log-in like a wrong password, running sessions refused as disabled; enabled, it logs in again', async () => {
  const user = await signedIn(server, 'leaver');
  const disabled = await asAdmin(`PATCH /users/${user.id}`, { disabled: true });
  assert.equal(disabled.body.disabled, true);
  assert.equal(outcome(await server.call('GET /users/me', { token: user.access })), '401 disabled');
  assert.equal(outcome(await server.call('POST /refresh', { token: user.refresh })), '401 disabled');
  const right = await server.call('POST /login', { body: { username: 'leaver', password } });
  assert.equal(outcome(right), '401 invalid_credentials');

  const enabled = await asAdmin(`PATCH /users/${user.id}`, { disabled: false });
  assert.equal(enabled.body.disabled, false);
  // What ended stays ended.
  assert.equal(outcome(await server.call('POST /refresh', { token: user.refresh })), '401 disabled');
  assert.equal(outcome(await server.call('GET /users/me', { token: user.access })), '401 disabled');
  const { access } = await logIn(server, 'leaver');
  assert.equal((await server.call('GET /users/me', { token: access })).status, 200);
});

test('a scope that is granted comes with the next refresh; one that is taken is gone at once, and the session lives', async () => {
  const user = await signedIn(server, 'writer');
  await asAdmin(`PATCH /users/${user.id}`, { scopes: ['posts:write', 'posts:read'] });
  assert.equal((await server.call('GET /users/me', { token: user.access })).status, 200);
  const granted = await server.call('POST /refresh', { token: user.refresh });
  assert.equal(granted.body.scope, 'posts:write posts:read');

  await asAdmin(`PATCH /users/${user.id}`, { scopes: ['posts:read'] });
  for (const token of [user.access, granted.body.access_token]) {
    assert.equal(outcome(await server.call('GET /users/me', { token })), '401 scope_changed');
  }
  const after = await server.call('POST /refresh', { token: granted.body.refresh_token });
  assert.equal(after.status, 200);
  assert.equal(after.body.scope, 'posts:read');
  assert.equal((await server.call('GET /users/me', { token: after.body.access_token })).status, 200);
});

test('a deleted account is gone with its sessions, and says so to its tokens; the name is free again', async () => {
  const user = await signedIn(server, 'goner');
  assert.equal((await asAdmin(`DELETE /users/${user.id}`)).status, 204);
  assert.equal(outcome(await server.call('GET /users/me', { token: user.access })), '401 deleted');
  assert.equal(outcome(await server.call('POST /refresh', { token: user.refresh })), '401 deleted');
  assert.equal(outcome(await server.call('POST /logout', { token: user.refresh })), '401 deleted');
  assert.equal(outcome(await asAdmin(`GET /users/${user.id}`)), '404 not_found');
  const again = await signedIn(server, 'goner');
  assert.notEqual(again.id, user.id);
  assert.equal(outcome(await server.call('GET /users/me', { token: user.access })), '401 deleted');
});

test('all sessions of one account end, and nobody else’s', async () => {
  const user = await signedIn(server, 'signed-out');
  const second = await logIn(server, 'signed-out');
  assert.equal((await asAdmin(`DELETE /users/${user.id}/sessions`)).status, 204);
  for (const { access, refresh } of [user, second]) {
    assert.equal(outcome(await server.call('GET /users/me', { token: access })), '401 signed_out_elsewhere');
    assert.equal(outcome(await server.call('POST /refresh', { token: refresh })), '401 signed_out_elsewhere');
  }
  assert.equal((await asAdmin('GET /users/me')).status, 200);
  assert.equal((await logIn(server, 'signed-out')).access.length > 0, true);
});

test('all sessions of everybody end, the administrator’s too, and another key signs from then on', async () => {
  const user = await signedIn(server, 'everybody');
  const { refresh } = await logIn(server, 'root');
  assert.equal((await asAdmin('DELETE /sessions')).status, 204);
  for (const token of [user.access, admin.access]) {
    assert.equal(outcome(await server.call('GET /users/me', { token })), '401 signed_out_elsewhere');
  }
  for (const token of [user.refresh, refresh]) {
    assert.equal(outcome(await server.call('POST /refresh', { token })), '401 signed_out_elsewhere');
  }
  const { access } = await logIn(server, 'root');
  assert.equal((await server.call('GET /users', { token: access })).status, 200);
  assert.notEqual(headerOf(access).kid, headerOf(admin.access).kid);
});
