// The client against a served house: it stays signed in through tabs, lost answers and storms, and hears why it was signed out.
import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { before, test } from 'node:test';
import {
  type Change,
  type Client,
  type ClientOptions,
  type ClientStorage,
  createClient,
  LatchkeyClientError,
  memoryStorage,
} from '../../src/client/index.ts';
import { turnableClock } from '../../src/clock.ts';
import { atEnd, openServer, password, type Server } from '../fixture/server.ts';

let server: Server;
before(async () => {
  server = await openServer();
  for (const username of ['jonathan', 'mary', 'tabs'])
    await server.latchkey.users.add({ username, password });
});

/** A fetch that counts what goes over the wire, and may lose answers after the server gave them. */
function wire() {
  const sent: string[] = [];
  const wired = {
    lose: 0,
    count: (line: string) => sent.filter((other) => other === line).length,
    fetch: (async (input: string | URL | Request, init: RequestInit = {}) => {
      const line = `${init.method ?? 'GET'} ${new URL(input instanceof Request ? input.url : input).pathname}`;
      sent.push(line);
      const response = await fetch(input, init);
      if (line !== refreshing || wired.lose === 0) return response;
      wired.lose -= 1;
      await response.arrayBuffer();
      throw new TypeError('terminated');
    }) as typeof fetch,
  };
  return wired;
}

const refreshing = 'POST /refresh';

/** A client of the house; its clock is the server's. */
function open(options: Partial<ClientOptions> = {}) {
  const net = wire();
  const client = createClient({ url: server.url, clock: server.clock, fetch: net.fetch, ...options });
  const changes: Change[] = [];
  client.on('change', (change) => changes.push(change));
  return { client, net, changes };
}

async function openAs(username: string, options: Partial<ClientOptions> = {}) {
  const opened = open(options);
  await opened.client.logIn({ username, password });
  return opened;
}

/** A shared place, and the refresh token that lies in it. */
function place(): ClientStorage & { refreshToken(): Promise<string> } {
  const storage = memoryStorage();
  return { ...storage, refreshToken: async () => JSON.parse((await storage.read())!).refresh };
}

const expire = () => server.clock.turn(16 * 60_000);
const me = async (client: Client) => (await client.fetch('/users/me')).status;

test('sign up, log in, ask, log in freshly, refresh, log out', async () => {
  const { client, net, changes } = open();
  const user = await client.signUp({ username: 'walker', password, profile: { level: 'beginner' } });
  await assert.rejects(client.user(), { name: 'LatchkeyClientError', code: 'token_missing', status: 401 });
  await client.logIn({ username: 'walker', password });
  assert.deepEqual(await client.user(), user);
  expire();
  assert.deepEqual(await client.user(), user);
  assert.equal(net.count(refreshing), 1);
  const move = () =>
    client.fetch('/users/me', {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ email: 'walker@example.com' }),
    });
  assert.equal((await move()).status, 401);
  await client.logInFresh({ username: 'walker', password });
  assert.equal((await move()).status, 200);
  await client.logOut();
  assert.equal(await me(client), 401);
  assert.deepEqual(changes, [{ signedIn: true }, { signedIn: false, reason: 'signed_out' }]);
});

test('what the house refuses says which field', async () => {
  const { client } = open();
  await assert.rejects(client.signUp({ username: 'short', password: 'x' }), (error) => {
    assert.ok(error instanceof LatchkeyClientError);
    assert.equal(error.code, 'password_refused');
    assert.equal(error.errors[0]?.field, 'password');
    return true;
  });
  const wrong = client.logIn({ username: 'jonathan', password: 'wrong donkey charger' });
  await assert.rejects(wrong, { code: 'invalid_credentials', status: 401 });
});

test('50 parallel requests of an expired token make one refresh', async () => {
  const { client, net } = await openAs('jonathan');
  expire();
  const answers = await Promise.all(Array.from({ length: 50 }, () => me(client)));
  assert.deepEqual(new Set(answers), new Set([200]));
  assert.equal(net.count(refreshing), 1);
});

test('50 tabs that refresh at once make one refresh, and nobody is signed out', async () => {
  const storage = place();
  await openAs('tabs', { storage });
  const tabs = Array.from({ length: 50 }, () => open({ storage }));
  for (let round = 1; round <= 2; round += 1) {
    expire();
    const answers = await Promise.all(tabs.map(({ client }) => me(client)));
    assert.deepEqual(new Set(answers), new Set([200]));
    const refreshes = tabs.map(({ net }) => net.count(refreshing)).reduce((sum, count) => sum + count);
    assert.equal(refreshes, round);
  }
  assert.ok(tabs.every(({ changes }) => changes.length === 0));
});

test('tabs without Web Locks refresh one at a time, too', async (t) => {
  const navigator = Object.getOwnPropertyDescriptor(globalThis, 'navigator')!;
  t.after(() => Object.defineProperty(globalThis, 'navigator', navigator));
  Object.defineProperty(globalThis, 'navigator', { value: {}, configurable: true });
  const storage = place();
  await openAs('tabs', { storage });
  const tabs = Array.from({ length: 5 }, () => open({ storage }));
  expire();
  const answers = await Promise.all(tabs.map(({ client }) => me(client)));
  assert.deepEqual(new Set(answers), new Set([200]));
  assert.equal(
    tabs.map(({ net }) => net.count(refreshing)).reduce((sum, count) => sum + count),
    1,
  );
  assert.ok(tabs.every(({ changes }) => changes.length === 0));
});

test('50 clients that share nothing but the tokens all get the same successor', async () => {
  const storage = place();
  await openAs('tabs', { storage });
  const text = (await storage.read())!;
  expire();
  const copies = Array.from({ length: 50 }, () => {
    const copy = place();
    void copy.write(text);
    return { copy, ...open({ storage: copy }) };
  });
  const answers = await Promise.all(copies.map(({ client }) => me(client)));
  assert.deepEqual(new Set(answers), new Set([200]));
  const successors = await Promise.all(copies.map(({ copy }) => copy.refreshToken()));
  assert.equal(new Set(successors).size, 1);
});

test('a refresh whose answer was lost is recovered within the grace', async () => {
  const { client, net, changes } = await openAs('jonathan');
  expire();
  net.lose = 1;
  assert.equal(await me(client), 200);
  assert.equal(net.count(refreshing), 2);
  assert.deepEqual(changes, [{ signedIn: true }]);
});

test('a thief’s replay ends exactly that session, and its owner hears reuse_detected', async () => {
  const storage = place();
  const victim = await openAs('jonathan', { storage });
  const other = await openAs('jonathan');
  const stolen = await storage.refreshToken();
  expire();
  assert.equal(await me(victim.client), 200);
  server.clock.turn(11_000);
  const theft = await server.call(refreshing, { body: { refresh_token: stolen } });
  assert.equal(theft.body.code, 'reuse_detected');
  const response = await victim.client.fetch('/users/me');
  assert.equal(((await response.json()) as { code: string }).code, 'reuse_detected');
  assert.deepEqual(victim.changes.at(-1), { signedIn: false, reason: 'reuse_detected' });
  assert.equal(await storage.read(), null);
  assert.equal(await me(other.client), 200);
});

test('a log-out elsewhere is noticed at the next request, here with its reason', async () => {
  const here = await openAs('mary');
  const there = await openAs('mary');
  await there.client.logOut({ everywhere: true });
  assert.equal(await me(here.client), 401);
  assert.deepEqual(here.changes.at(-1), { signedIn: false, reason: 'signed_out_elsewhere' });
  assert.deepEqual(there.changes.at(-1), { signedIn: false, reason: 'signed_out' });
});

test('who changes the password stays signed in, and the other devices hear why they are not', async () => {
  await server.latchkey.users.add({ username: 'changer', password });
  const here = await openAs('changer');
  const there = await openAs('changer');
  const body = JSON.stringify({ current_password: password, new_password: 'wrong donkey charger' });
  const headers = { 'content-type': 'application/json' };
  const changed = await here.client.fetch('/users/me/password', { method: 'POST', headers, body });
  assert.equal(changed.status, 204);
  assert.equal(await me(here.client), 200);
  assert.equal(await me(there.client), 401);
  assert.deepEqual(there.changes.at(-1), { signedIn: false, reason: 'password_changed' });
  assert.deepEqual(here.changes, [{ signedIn: true }]);
});

test('an expired session is told apart from one that was ended', async () => {
  const { client, changes } = await openAs('mary');
  server.clock.turn(31 * 24 * 3_600_000);
  await assert.rejects(client.fetch('/users/me'), { code: 'expired', status: 401 });
  assert.deepEqual(changes.at(-1), { signedIn: false, reason: 'expired' });
});

test('clocks that disagree by a year sign nobody out and refresh no more often', async () => {
  for (const start of [Date.UTC(2000, 0, 1), Date.UTC(2060, 0, 1)]) {
    const { client, net } = await openAs('mary', { clock: turnableClock(start) });
    assert.equal(await me(client), 200);
    assert.equal(net.count(refreshing), 0);
    // The server's clock went on and the client's stood still: the refusal is what tells.
    expire();
    assert.equal(await me(client), 200);
    assert.equal(net.count(refreshing), 1);
  }
});

/** A server of our own making; gives its address and what it was asked with. */
async function serve(answer: RequestListener) {
  const asked: { url: string; authorization: string | undefined }[] = [];
  const made = createServer((request, response) => {
    asked.push({ url: request.url!, authorization: request.headers.authorization });
    answer(request, response);
  });
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  atEnd(() => {
    made.closeAllConnections();
    made.close();
  });
  return { url: `http://127.0.0.1:${(made.address() as AddressInfo).port}`, asked };
}

/** A place with a session whose access token lives on, or not. */
function signedInPlace(seconds: number): ClientStorage {
  const storage = memoryStorage();
  const held = { session: 's', access: 'access', refresh: 'refresh', since: server.clock.now(), seconds };
  void storage.write(JSON.stringify(held));
  return storage;
}

test('whatever a server answers over a socket, a request ends after a few', async () => {
  const answers: Record<string, RequestListener> = {
    'hangs up': (request) => request.socket.destroy(),
    'HTML with 401': (_, response) => response.writeHead(401, { 'content-type': 'text/html' }).end('<p>'),
    'HTML with 200': (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
    'half an answer': (_, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '900' }).write('{');
      setImmediate(() => response.destroy());
    },
    'status 500': (_, response) => response.writeHead(500).end(),
    'redirects to itself': (request, response) => response.writeHead(307, { location: request.url! }).end(),
  };
  await Promise.all(
    Object.entries(answers).flatMap(([name, answer]) =>
      [0, 900].map(async (seconds) => {
        const { url, asked } = await serve(answer);
        const { client, changes } = open({ url, storage: signedInPlace(seconds) });
        await client.fetch('/orders').then(
          (response) => response.text().catch(() => ''),
          (error) => assert.ok(error instanceof LatchkeyClientError, String(error)),
        );
        // How often a redirect of the caller's own request is followed is the platform's matter: it ends after twenty.
        const most = name.startsWith('redirects') ? 24 : 4;
        assert.ok(asked.length <= most, `${name}: ${asked.length}`);
        assert.deepEqual(changes, [], name);
      }),
    ),
  );
});

test('neither token nor password follows a redirect to another host', async () => {
  const other = await serve((_, response) => response.end('{}'));
  const { url } = await serve((request, response) =>
    response.writeHead(307, { location: `${other.url}${request.url}` }).end(),
  );
  const { client } = open({ url, storage: signedInPlace(900) });
  assert.equal((await client.fetch('/orders')).status, 200);
  await assert.rejects(client.logIn({ username: 'jonathan', password }), { code: 'network' });
  await assert.rejects(client.logOut(), { code: 'network' });
  assert.deepEqual(other.asked, [{ url: '/orders', authorization: undefined }]);
});

test('the token goes to a listed origin, and to no other', async () => {
  const api = await serve((_, response) => response.end('{}'));
  const stranger = await serve((_, response) => response.end('{}'));
  const { client } = await openAs('jonathan', { origins: [api.url] });
  await client.fetch(`${api.url}/orders`);
  await client.fetch(`${stranger.url}/orders`);
  assert.match(api.asked[0]!.authorization!, /^Bearer /);
  assert.equal(stranger.asked[0]!.authorization, undefined);
});
