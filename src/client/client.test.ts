// The client against a server that is a function: what it sends, and that it stops whatever the answer is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { turnableClock } from '../clock.ts';
import { type Client, type ClientOptions, createClient } from './client.ts';
import { LatchkeyClientError } from './client-error.ts';
import { type ClientStorage, memoryStorage } from './storage.ts';
import type { Change } from './token-keeper.ts';

const url = 'https://login.example.com';

interface Sent {
  readonly line: string;
  readonly token: string | null;
  readonly body: string;
}

type Answer = (sent: Sent, count: number) => Response | Promise<Response>;

const json = (status: number, body: unknown, headers: Record<string, string> = {}): Response =>
  Response.json(body, { status, headers });
const problem = (code: string, status = 401): Response =>
  new Response(JSON.stringify({ code, detail: 'No.' }), {
    status,
    headers: { 'content-type': 'application/problem+json' },
  });
const pair = (generation: number, seconds = 900): Response =>
  json(200, {
    access_token: `access-${generation}`,
    refresh_token: `refresh-${generation}`,
    ...{ token_type: 'Bearer', expires_in: seconds, refresh_expires_in: 9000, scope: '' },
  });

/** A client whose server answers as it is told. A path that is not told answers 200. */
function clientOf(answers: Record<string, Answer>, options: Partial<ClientOptions> = {}) {
  const sent: Sent[] = [];
  const clock = turnableClock();
  const fake = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const request = new Request(input, init);
    const line = `${request.method} ${request.url.replace(url, '')}`;
    const header = request.headers.get('authorization');
    const one = { line, token: header, body: await request.text() };
    sent.push(one);
    const count = sent.filter((other) => other.line === line).length;
    return (await answers[line]?.(one, count)) ?? json(200, {});
  };
  const client = createClient({ url, clock, fetch: fake as typeof fetch, ...options });
  const changes: Change[] = [];
  client.on('change', (change) => changes.push(change));
  const lines = () => sent.map(({ line }) => line);
  const count = (line: string) => lines().filter((other) => other === line).length;
  return { client, clock, sent, changes, lines, count };
}

const signIn = (client: Client) => client.logIn({ username: 'jonathan', password: 'x' });
const refreshing = 'POST /refresh';
const logIn: Record<string, Answer> = { 'POST /login': () => pair(1) };

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'none';
  } catch (error) {
    assert.ok(error instanceof LatchkeyClientError, String(error));
    return error.code;
  }
}

test('a token is refreshed ten seconds before it expires, and not sooner', async () => {
  const { client, clock, sent, count } = clientOf({ ...logIn, [refreshing]: () => pair(2) });
  await signIn(client);
  clock.turn(889_000);
  await client.fetch('/orders');
  assert.equal(count(refreshing), 0);
  clock.turn(1_000);
  await client.fetch('/orders');
  assert.equal(count(refreshing), 1);
  assert.deepEqual(JSON.parse(sent.at(-2)!.body), { refresh_token: 'refresh-1' });
  assert.deepEqual(
    sent.filter(({ line }) => line === 'GET /orders').map(({ token }) => token),
    ['Bearer access-1', 'Bearer access-2'],
  );
});

test('a clock that is set back makes one refresh and no harm', async () => {
  const { client, clock, count } = clientOf({ ...logIn, [refreshing]: () => pair(2) });
  await signIn(client);
  clock.turn(-3_600_000);
  for (let index = 0; index < 3; index += 1) await client.fetch('/orders');
  assert.equal(count(refreshing), 1);
});

test('parallel requests share one refresh, before and after a 401', async () => {
  let good = 'Bearer access-2';
  const { client, clock, count } = clientOf({
    ...logIn,
    [refreshing]: (_, index) => pair(index + 1),
    'GET /orders': ({ token }) => (token === good ? json(200, {}) : problem('token_revoked')),
  });
  await signIn(client);
  clock.turn(900_000);
  const all = () => Promise.all(Array.from({ length: 20 }, () => client.fetch('/orders')));
  assert.ok((await all()).every(({ status }) => status === 200));
  assert.equal(count(refreshing), 1);
  good = 'Bearer access-3';
  assert.ok((await all()).every(({ status }) => status === 200));
  assert.equal(count(refreshing), 2);
});

test('no request is sent more than twice and no answer makes an endless loop', async () => {
  const always: [name: string, refresh: Answer, orders: Answer, most: number][] = [
    ['always 401', () => problem('token_invalid'), () => problem('token_invalid'), 2],
    ['401 with good refreshes', (_, index) => pair(index + 1), () => problem('token_expired'), 3],
    ['401 with the same pair', () => pair(1), () => problem('token_expired'), 2],
    ['tokens that are born expired', (_, index) => pair(index + 1, 0), () => problem('token_expired'), 3],
    [
      '401 in HTML',
      () => new Response('<p>', { status: 401 }),
      () => new Response('<p>', { status: 401 }),
      2,
    ],
    ['200 in HTML at refresh', () => new Response('<p>'), () => problem('token_expired'), 2],
    ['500 at refresh', () => new Response('', { status: 500 }), () => problem('token_expired'), 4],
    ['a far Retry-After', () => json(503, {}, { 'retry-after': '999' }), () => problem('token_expired'), 2],
    ['no expires_in', () => json(200, { access_token: 'a', refresh_token: 'b' }), () => problem('x'), 2],
    [
      'an unsendable token',
      () => json(200, { access_token: 'a\nb', refresh_token: 'b', expires_in: 9 }),
      () => problem('x'),
      2,
    ],
  ];
  await Promise.all(
    always.map(async ([name, refresh, orders, most]) => {
      const { client, lines } = clientOf({ ...logIn, [refreshing]: refresh, 'GET /orders': orders });
      await signIn(client);
      assert.equal((await client.fetch('/orders')).status, 401, name);
      const first = lines().length - 1;
      assert.ok(first <= most, `${name}: ${first}`);
    }),
  );
});

test('a log-in that gives tokens which are already expired makes one refresh per request', async () => {
  const { client, count } = clientOf({
    'POST /login': () => pair(1, 0),
    [refreshing]: (_, index) => pair(index + 1, 0),
    'GET /orders': () => problem('token_expired'),
  });
  await signIn(client);
  await client.fetch('/orders');
  assert.ok(count(refreshing) <= 2 && count('GET /orders') <= 2);
});

test('a refresh whose answer was lost is sent again with the same token', async () => {
  const { client, clock, sent, count } = clientOf({
    ...logIn,
    [refreshing]: (_, index) => {
      if (index === 1) throw new TypeError('fetch failed');
      return index === 2 ? json(503, { code: 'busy' }, { 'retry-after': '1' }) : pair(2);
    },
  });
  await signIn(client);
  clock.turn(900_000);
  assert.equal((await client.fetch('/orders')).status, 200);
  assert.equal(count(refreshing), 3);
  assert.equal(new Set(sent.filter(({ line }) => line === refreshing).map(({ body }) => body)).size, 1);
});

test('being offline signs nobody out, and a token that is still good is used meanwhile', async () => {
  let offline = true;
  const { client, clock, changes, sent } = clientOf({
    ...logIn,
    [refreshing]: () => {
      if (offline) throw new TypeError('fetch failed');
      return pair(2);
    },
  });
  await signIn(client);
  clock.turn(895_000);
  assert.equal((await client.fetch('/orders')).status, 200);
  assert.equal(sent.at(-1)!.token, 'Bearer access-1');
  clock.turn(10_000);
  assert.equal(await codeOf(client.fetch('/orders')), 'network');
  offline = false;
  assert.equal((await client.fetch('/orders')).status, 200);
  assert.deepEqual(changes, [{ signedIn: true }]);
});

test('only a refusal of the refresh ends the session, and says why', async () => {
  const { client, changes, count } = clientOf({
    ...logIn,
    [refreshing]: (_, index) => (index === 1 ? pair(2) : problem('reuse_detected')),
    'GET /orders': ({ token }) => (token === 'Bearer access-2' ? json(200, {}) : problem('password_changed')),
    'GET /later': () => problem('token_revoked'),
  });
  await signIn(client);
  assert.equal((await client.fetch('/orders')).status, 200);
  assert.deepEqual(changes, [{ signedIn: true }]);
  assert.equal((await client.fetch('/later')).status, 401);
  assert.deepEqual(changes.at(-1), { signedIn: false, reason: 'reuse_detected' });
  await client.fetch('/later');
  assert.equal(count(refreshing), 2);
});

test('a session that is found to be over before a request is not followed by a request without a token', async () => {
  const { client, clock, count } = clientOf({ ...logIn, [refreshing]: () => problem('expired') });
  await signIn(client);
  clock.turn(900_000);
  assert.equal(await codeOf(client.fetch('/orders', { method: 'POST', body: 'x' })), 'expired');
  assert.equal(count('POST /orders'), 0);
});

test('a 401 about a password or its age is not answered with a refresh', async () => {
  for (const code of ['stale_authentication', 'invalid_credentials']) {
    const { client, count } = clientOf({ ...logIn, 'DELETE /users/me': () => problem(code) });
    await signIn(client);
    assert.equal((await client.fetch('/users/me', { method: 'DELETE' })).status, 401);
    assert.equal(count(refreshing) + count('DELETE /users/me'), 1);
  }
});

test('the token goes to the named origins alone, and not where the caller brings another', async () => {
  const { client, sent } = clientOf(logIn, { origins: ['https://api.example.com'] });
  await signIn(client);
  for (const target of [
    'https://api.example.com/a',
    new URL(`${url}/a`),
    new Request(`${url}/a`),
    'https://login.example.com.evil.example/a',
    'http://login.example.com/a',
    'https://login.example.com:8443/a',
    '//evil.example/a',
    new Request('https://evil.example/a'),
  ]) {
    await client.fetch(target);
  }
  await client.fetch('/a', { headers: { Authorization: 'Basic abc' } });
  const ours = 'Bearer access-1';
  const tokens = sent.slice(1).map(({ token }) => token);
  assert.deepEqual(tokens, [ours, ours, ours, null, null, null, null, null, 'Basic abc']);
});

test('a body is sent again after a 401, a stream is not', async () => {
  const answers = {
    ...logIn,
    [refreshing]: (_: Sent, index: number) => pair(index + 1),
    'POST /orders': ({ token }: Sent) =>
      token === 'Bearer access-1' ? problem('token_revoked') : json(200, {}),
  };
  const streams = {
    stream: () => ({ body: new Blob(['tea']).stream(), duplex: 'half' }),
    text: () => ({ body: 'tea' }),
    form: () => ({ body: new URLSearchParams({ tea: 'green' }) }),
  };
  for (const [name, init] of Object.entries(streams)) {
    const { client, sent, count } = clientOf(answers);
    await signIn(client);
    const { status } = await client.fetch('/orders', { method: 'POST', ...init() } as RequestInit);
    const bodies = sent.filter(({ line }) => line === 'POST /orders').map(({ body }) => body);
    assert.equal(status, name === 'stream' ? 401 : 200, name);
    assert.equal(bodies.length, name === 'stream' ? 1 : 2, name);
    assert.equal(new Set(bodies).size, 1, name);
    // The next request has a token that is good.
    assert.equal(count(refreshing), 1, name);
  }
});

test('refusals become one error with code, status and fields', async () => {
  const errors = [{ field: 'password', code: 'too_short', detail: 'is too short.' }];
  const { client } = clientOf({
    'POST /signup': () => json(422, { code: 'password_refused', detail: 'No.', errors }),
    'POST /login': () => new Response('<h1>Bad gateway', { status: 502 }),
    'GET /users/me': () => {
      throw new TypeError('fetch failed');
    },
  });
  await assert.rejects(client.signUp({ username: 'a', password: 'b' }), {
    ...{ name: 'LatchkeyClientError', code: 'password_refused', status: 422, message: 'No.', errors },
  });
  await assert.rejects(signIn(client), { code: 'unexpected_answer', status: 502, errors: [] });
  await assert.rejects(client.user(), { code: 'network', status: 0 });
  assert.equal(await codeOf(client.fetch('/users/me')), 'network');
});

test('a request that its caller gave up fails with the caller’s own reason', async () => {
  const { client } = clientOf(logIn, { fetch });
  const signal = AbortSignal.abort(new RangeError('enough'));
  await assert.rejects(client.fetch('/orders', { signal }), RangeError);
});

test('a log-out is one at once, whatever the server says', async () => {
  for (const [answer, code] of [
    [() => new Response(null, { status: 204 }), 'none'],
    [() => problem('expired'), 'none'],
    [() => json(503, { code: 'store_unavailable' }), 'store_unavailable'],
  ] as const) {
    const { client, sent, changes } = clientOf({ ...logIn, 'POST /logout': answer });
    await signIn(client);
    assert.equal(await codeOf(client.logOut()), code);
    await client.fetch('/orders');
    assert.equal(sent.at(-1)!.token, null);
    assert.deepEqual(changes.at(-1), { signedIn: false, reason: 'signed_out' });
  }
});

test('a fresh log-in gives the running session its token, and none to a session that came after it', async () => {
  const fresh = Promise.withResolvers<void>();
  const { client, sent } = clientOf({
    'POST /login': (_, index) => pair(index),
    'POST /login/fresh': async (_, index) => {
      if (index === 2) await fresh.promise;
      return json(200, { access_token: `fresh-${index}`, token_type: 'Bearer', expires_in: 900, scope: '' });
    },
  });
  await signIn(client);
  await client.logInFresh({ username: 'jonathan', password: 'x' });
  assert.equal(sent.at(-1)!.token, 'Bearer access-1');
  await client.fetch('/orders');
  assert.equal(sent.at(-1)!.token, 'Bearer fresh-1');
  const late = client.logInFresh({ username: 'jonathan', password: 'x' });
  await signIn(client);
  fresh.resolve();
  await late;
  await client.fetch('/orders');
  assert.equal(sent.at(-1)!.token, 'Bearer access-2');
});

test('what lies in the storage is believed only when it is whole', async () => {
  for (const text of [
    '',
    'null',
    '[]',
    '"x"',
    '{',
    '{"access":"a"}',
    '{"session":"s","access":"a b","refresh":"c","since":0,"seconds":9}',
  ]) {
    const storage: ClientStorage = { ...memoryStorage(), read: () => text };
    const { client, sent } = clientOf({}, { storage });
    await client.fetch('/orders');
    assert.equal(sent.at(-1)!.token, null, text);
  }
});

test('a listener that is taken away hears nothing more, and what another tab did is heard', async () => {
  const storage = memoryStorage();
  const { client, changes } = clientOf(logIn, { storage });
  const heard: Change[] = [];
  const end = client.on('change', (change) => heard.push(change));
  await signIn(client);
  end();
  await storage.clear();
  await client.fetch('/orders');
  assert.deepEqual(changes, [{ signedIn: true }, { signedIn: false }]);
  assert.deepEqual(heard, [{ signedIn: true }]);
});

test('an address that cannot be one is refused at the start, and a prefix is kept', async () => {
  for (const bad of ['', '/auth', 'ftp://x', 'https://a:b@x', 'https://x?y=1']) {
    assert.throws(() => createClient({ url: bad }), TypeError, bad);
  }
  const { client, lines } = clientOf({ 'POST /auth/login': () => pair(1) }, { url: `${url}/auth` });
  await signIn(client);
  await client.user();
  await client.fetch('/orders');
  assert.deepEqual(lines(), ['POST /auth/login', 'GET /auth/users/me', 'GET /orders']);
});

test('parallel requests share a refresh that fails, too', async () => {
  const { client, clock, count } = clientOf({ ...logIn, [refreshing]: () => new Response('<p>') });
  await signIn(client);
  clock.turn(900_000);
  const codes = await Promise.all(Array.from({ length: 20 }, () => codeOf(client.fetch('/orders'))));
  assert.deepEqual(new Set(codes), new Set(['unexpected_answer']));
  assert.equal(count(refreshing), 1);
});

/** What a log-in of somebody else leaves in the storage. */
const another = (clock: { now(): number }) =>
  JSON.stringify({
    session: 's',
    access: 'access-9',
    refresh: 'refresh-9',
    since: clock.now(),
    seconds: 900,
  });

test('a refresh neither overwrites nor ends a session that took its place meanwhile', async () => {
  for (const answer of [() => pair(2), () => problem('expired')]) {
    const storage = memoryStorage();
    const opened = clientOf(
      {
        ...logIn,
        async [refreshing]() {
          await storage.write(another(opened.clock));
          return answer();
        },
      },
      { storage },
    );
    await signIn(opened.client);
    opened.clock.turn(900_000);
    await opened.client.fetch('/orders');
    assert.equal(await storage.read(), another(opened.clock));
    assert.equal(opened.sent.at(-1)!.token, 'Bearer access-9');
  }
});

test('a request that was refused is not sent again in the name of somebody else', async () => {
  const storage = memoryStorage();
  const opened = clientOf(
    {
      ...logIn,
      async 'POST /orders'() {
        await storage.write(another(opened.clock));
        return problem('token_revoked');
      },
    },
    { storage },
  );
  await signIn(opened.client);
  assert.equal((await opened.client.fetch('/orders', { method: 'POST', body: 'tea' })).status, 401);
  assert.equal(opened.count('POST /orders'), 1);
});

test('a log-out everywhere that was refused is not taken for one', async () => {
  const { client } = clientOf({ ...logIn, 'POST /logout/everywhere': () => problem('expired') });
  await signIn(client);
  assert.equal(await codeOf(client.logOut({ everywhere: true })), 'expired');
});

test('each log-in is told, also of somebody else', async () => {
  const { client, changes } = clientOf(logIn);
  await signIn(client);
  await signIn(client);
  assert.deepEqual(changes, [{ signedIn: true }, { signedIn: true }]);
});

test('refusals in a shape of an app’s own are told apart by their challenge', async () => {
  const shaped = (error: string) => () =>
    json(401, { detail: 'No.' }, { 'www-authenticate': `Bearer realm="x", error="${error}"` });
  const { client, changes, count } = clientOf({
    ...logIn,
    [refreshing]: shaped('invalid_token'),
    'GET /fresh': shaped('insufficient_user_authentication'),
    'GET /orders': shaped('invalid_token'),
  });
  await signIn(client);
  await client.fetch('/fresh');
  assert.equal(count(refreshing), 0);
  await client.fetch('/orders');
  assert.equal(count(refreshing), 1);
  assert.deepEqual(changes.at(-1), { signedIn: false, reason: 'token_invalid' });
});
