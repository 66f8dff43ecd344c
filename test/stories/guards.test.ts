// The same table in every framework, over real sockets: what each word says to each state of a token, in each place.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as httpRequest, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { getRequestListener, serve } from '@hono/node-server';
import express from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import { turnableClock } from '../../src/clock.ts';
import { guard as expressGuard } from '../../src/guards/express.ts';
import { guard as fastifyGuard } from '../../src/guards/fastify.ts';
import type { GuardOptions } from '../../src/guards/guard.ts';
import { guard as honoGuard } from '../../src/guards/hono.ts';
import { fetchGuard, guard as nodeGuard } from '../../src/guards/node.ts';
import { latchkey } from '../../src/latchkey.ts';
import type { Latchkey } from '../../src/library.ts';
import { atEnd, houseOptions, password, temporaryFolder } from '../fixture/server.ts';

const clock = turnableClock();
const everywhere: GuardOptions = { from: ['header', 'query', 'body'] };
const bent: GuardOptions = {
  from: ['query'],
  refusal: ({ code }) => ({
    status: 403,
    body: { message: code === 'token_missing' ? 'Token is missing!' : 'Token is invalid!' },
    headers: { 'WWW-Authenticate': null },
  }),
};

interface Asks {
  readonly id: string;
}
const nameOf = (who: Asks | null) => ({ who: who?.id ?? null });

type App = (auth: Latchkey) => Promise<{ readonly port: number; close(): unknown }>;

const apps: Readonly<Record<string, App>> = {
  async fastify(auth) {
    const app = Fastify();
    const words = fastifyGuard(auth);
    app.get('/required', words.required(nameOf));
    app.get('/optional', words.optional(nameOf));
    app.get('/fresh', words.fresh(nameOf));
    app.get('/fresh-1m', words.fresh({ within: '1m' })(nameOf));
    app.get('/refresh', words.refresh(nameOf));
    app.get('/scope', words.scope('posts:read', 'posts:write')(nameOf));
    app.get('/any', words.anyScope('posts:write', 'admin')(nameOf));
    app.get(
      '/account',
      words.required(async (who) => ({ who: (await who.user()).id })),
    );
    app.post('/places', fastifyGuard(auth, everywhere).required(nameOf));
    app.get('/bent', fastifyGuard(auth, bent).required(nameOf));
    await app.listen({ host: '127.0.0.1', port: 0 });
    return { port: (app.server.address() as AddressInfo).port, close: () => app.close() };
  },

  async express(auth) {
    const app = express();
    app.use(express.json());
    const words = expressGuard(auth);
    const say = (who: Asks | null, _: unknown, response: express.Response) => response.json(nameOf(who));
    app.get('/required', words.required(say));
    app.get('/optional', words.optional(say));
    app.get('/fresh', words.fresh(say));
    app.get('/fresh-1m', words.fresh({ within: '1m' })(say));
    app.get('/refresh', words.refresh(say));
    app.get('/scope', words.scope('posts:read', 'posts:write')(say));
    app.get('/any', words.anyScope('posts:write', 'admin')(say));
    app.get(
      '/account',
      words.required(async (who, _, response) => response.json({ who: (await who.user()).id })),
    );
    app.post('/places', expressGuard(auth, everywhere).required(say));
    app.get('/bent', expressGuard(auth, bent).required(say));
    const server = app.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return { port: (server.address() as AddressInfo).port, close: () => server.close() };
  },

  async hono(auth) {
    const app = new Hono();
    const words = honoGuard(auth);
    app.get(
      '/required',
      words.required((who, context) => context.json(nameOf(who))),
    );
    app.get(
      '/optional',
      words.optional((who, context) => context.json(nameOf(who))),
    );
    app.get(
      '/fresh',
      words.fresh((who, context) => context.json(nameOf(who))),
    );
    app.get(
      '/fresh-1m',
      words.fresh({ within: '1m' })((who, context) => context.json(nameOf(who))),
    );
    app.get(
      '/refresh',
      words.refresh((who, context) => context.json(nameOf(who))),
    );
    app.get(
      '/scope',
      words.scope('posts:read', 'posts:write')((who, context) => context.json(nameOf(who))),
    );
    app.get(
      '/any',
      words.anyScope('posts:write', 'admin')((who, context) => context.json(nameOf(who))),
    );
    app.get(
      '/account',
      words.required(async (who, context) => context.json({ who: (await who.user()).id })),
    );
    app.post(
      '/places',
      honoGuard(auth, everywhere).required((who, context) => context.json(nameOf(who))),
    );
    app.get(
      '/bent',
      honoGuard(auth, bent).required((who, context) => context.json(nameOf(who))),
    );
    const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }) as Server;
    await once(server, 'listening');
    return { port: (server.address() as AddressInfo).port, close: () => server.close() };
  },

  node(auth) {
    const words = nodeGuard(auth);
    const say = (who: Asks | null, _: unknown, response: { end(text: string): unknown }) =>
      response.end(JSON.stringify(nameOf(who)));
    const routes: Record<string, RequestListener> = {
      '/required': words.required(say),
      '/optional': words.optional(say),
      '/fresh': words.fresh(say),
      '/fresh-1m': words.fresh({ within: '1m' })(say),
      '/refresh': words.refresh(say),
      '/scope': words.scope('posts:read', 'posts:write')(say),
      '/any': words.anyScope('posts:write', 'admin')(say),
      '/account': words.required(async (who, _, response) =>
        response.end(JSON.stringify(nameOf(await who.user()))),
      ),
      '/places': nodeGuard(auth, everywhere).required(say),
      '/bent': nodeGuard(auth, bent).required(say),
    };
    return listening((request, response) => {
      // Whoever uses node:http alone parses bodies with something of their own, and leaves them here.
      const chunks: Buffer[] = [];
      request.on('data', (chunk) => chunks.push(chunk));
      request.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        Object.assign(request, { body: text === '' ? undefined : JSON.parse(text) });
        routes[request.url!.split('?')[0]!]!(request, response);
      });
    });
  },

  fetch(auth) {
    const words = fetchGuard(auth);
    const say = (who: Asks | null) => Response.json(nameOf(who));
    const routes: Record<string, (request: Request) => Promise<Response>> = {
      '/required': words.required(say),
      '/optional': words.optional(say),
      '/fresh': words.fresh(say),
      '/fresh-1m': words.fresh({ within: '1m' })(say),
      '/refresh': words.refresh(say),
      '/scope': words.scope('posts:read', 'posts:write')(say),
      '/any': words.anyScope('posts:write', 'admin')(say),
      '/account': words.required(async (who) => Response.json(nameOf(await who.user()))),
      '/places': fetchGuard(auth, everywhere).required(say),
      '/bent': fetchGuard(auth, bent).required(say),
    };
    return listening(getRequestListener((request) => routes[new URL(request.url).pathname]!(request)));
  },
};

async function listening(listener: RequestListener): ReturnType<App> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => server.close() };
}

interface Sent {
  readonly headers?: Record<string, string | string[]>;
  readonly method?: string;
  readonly body?: string;
}

/** By node:http and not by fetch, which would join two Authorization headers into one. */
function ask(port: number, path: string, { headers = {}, method = 'GET', body }: Sent) {
  return new Promise<{
    status: number;
    headers: Record<string, unknown>;
    json: { who?: string; code?: string; message?: string };
  }>((resolve, reject) => {
    const sent = httpRequest({ host: '127.0.0.1', port, path, method, headers, agent: false }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: answer.statusCode!, headers: answer.headers, json: JSON.parse(text) });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

type State =
  | 'none'
  | 'good'
  | 'stale'
  | 'old'
  | 'writer'
  | 'reader'
  | 'expired'
  | 'garbage'
  | 'refresh'
  | 'signedOut'
  | 'disabled'
  | 'foreign';

const mary = 'mary';
const words = ['required', 'optional', 'fresh', 'fresh-1m', 'refresh', 'scope', 'any'] as const;
// Who is let in (the account's name), or the code of the refusal. `good`: fresh, without scopes; `stale`: made by a refresh;
// `old`: fresh two minutes ago; `writer`: posts:read posts:write; `reader`: posts:read alone.
const table: Readonly<Record<State, readonly string[]>> = {
  //           required         optional         fresh                   fresh-1m                refresh          scope                 any
  none: [
    'token_missing',
    'null',
    'token_missing',
    'token_missing',
    'token_missing',
    'token_missing',
    'token_missing',
  ],
  good: [mary, mary, mary, mary, 'token_invalid', 'insufficient_scope', 'insufficient_scope'],
  stale: [
    mary,
    mary,
    'stale_authentication',
    'stale_authentication',
    'token_invalid',
    'insufficient_scope',
    'insufficient_scope',
  ],
  old: [
    mary,
    mary,
    mary,
    'stale_authentication',
    'token_invalid',
    'insufficient_scope',
    'insufficient_scope',
  ],
  writer: ['will', 'will', 'will', 'will', 'token_invalid', 'will', 'will'],
  reader: ['rita', 'rita', 'rita', 'rita', 'token_invalid', 'insufficient_scope', 'insufficient_scope'],
  expired: Array(4).fill('token_expired').concat('token_invalid', 'token_expired', 'token_expired'),
  garbage: Array(7).fill('token_invalid'),
  refresh: [
    'token_invalid',
    'token_invalid',
    'token_invalid',
    'token_invalid',
    mary,
    'token_invalid',
    'token_invalid',
  ],
  signedOut: Array(4).fill('signed_out').concat('token_invalid', 'signed_out', 'signed_out'),
  disabled: Array(4).fill('disabled').concat('token_invalid', 'disabled', 'disabled'),
  foreign: Array(7).fill('token_invalid'),
};

const tokens: Partial<Record<State, string>> = {};
const ids = new Map<string, string>();
let auth: Latchkey;

before(async () => {
  auth = await latchkey(houseOptions(temporaryFolder(), clock));
  const stranger = await latchkey(houseOptions(temporaryFolder(), clock));
  atEnd(async () => Promise.all([auth.close(), stranger.close()]));
  for (const [username, scopes] of [
    [mary, []],
    ['will', ['posts:read', 'posts:write']],
    ['rita', ['posts:read']],
    ['dan', []],
  ] as const) {
    ids.set((await auth.users.add({ username, password }, { scopes })).id, username);
  }
  await stranger.users.add({ username: mary, password });
  const logIn = async (name: string, house = auth) => house.logIn({ name, password });
  tokens.garbage = 'not.a.token';
  tokens.foreign = (await logIn(mary, stranger)).accessToken;
  tokens.expired = (await logIn(mary)).accessToken;
  clock.turn(16 * 60_000);
  tokens.old = (await logIn(mary)).accessToken;
  clock.turn(2 * 60_000);
  const { accessToken, refreshToken } = await logIn(mary);
  tokens.good = accessToken;
  const next = await auth.refresh(refreshToken);
  tokens.stale = next.accessToken;
  tokens.refresh = next.refreshToken;
  tokens.writer = (await logIn('will')).accessToken;
  tokens.reader = (await logIn('rita')).accessToken;
  tokens.signedOut = (await logIn(mary)).accessToken;
  await auth.logOut(tokens.signedOut);
  tokens.disabled = (await logIn('dan')).accessToken;
  await auth.users.change([...ids].find(([, name]) => name === 'dan')![0], { disabled: true });
});

for (const [framework, open] of Object.entries(apps)) {
  describe(framework, () => {
    let app: Awaited<ReturnType<App>>;
    before(async () => {
      app = await open(auth);
    });
    after(() => app.close());

    const bearer = (state: State): Record<string, string> =>
      state === 'none' ? {} : { authorization: `Bearer ${tokens[state]}` };

    for (const state of Object.keys(table) as State[]) {
      test(`a token that is ${state}: ${table[state].join(', ')}`, async () => {
        for (const [index, word] of words.entries()) {
          const { status, headers, json } = await ask(app.port, `/${word}`, { headers: bearer(state) });
          const said = status === 200 ? String(json.who === null ? null : ids.get(json.who!)) : json.code;
          assert.equal(said, table[state][index], `${word}, ${state}`);
          assert.equal(headers['cache-control'], 'no-store');
          if (status !== 200) assertRefusal(status, headers, json.code!);
        }
      });
    }

    test('threat 39, 40, 44, 45: the header is read strictly: any case of the scheme, and one credential', async () => {
      const of = async (authorization: string | string[]) => {
        const { status, json } = await ask(app.port, '/required', { headers: { authorization } });
        return status === 200 ? 'in' : `${status} ${json.code}`;
      };
      assert.equal(await of(`bEaReR ${tokens.good}`), 'in');
      assert.equal(await of(`Basic ${Buffer.from('mary:x').toString('base64')}`), '401 token_missing');
      assert.equal(await of('Bearer'), '401 token_invalid');
      assert.equal(await of(`Bearer ${tokens.good}, Bearer ${tokens.good}`), '400 ambiguous_credentials');
      assert.equal(
        await of(`Bearer ${tokens.good} `),
        'in',
        'HTTP itself takes blanks off the end of a header',
      );
      const two = await of([`Bearer ${tokens.garbage}`, `Bearer ${tokens.good}`]);
      assert.match(two, /^4\d\d /);
    });

    test('threat 43: a token in the address, a body or a cookie counts only where that place was named', async () => {
      const { good } = tokens;
      const json = { 'content-type': 'application/json' };
      const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
        ask(app.port, path, { method: 'POST', headers: { ...json, ...headers }, body: JSON.stringify(body) });
      assert.equal(
        (await ask(app.port, `/required?token=${good}`, { headers: { cookie: `token=${good}` } })).json.code,
        'token_missing',
      );
      assert.equal((await post(`/places?token=${good}`, {})).status, 200);
      assert.equal((await post('/places', { token: good })).status, 200);
      assert.equal((await post('/places', {}, bearer('good'))).status, 200);
      assert.equal((await post('/places', {})).json.code, 'token_missing');
      assert.equal(
        (await post(`/places?token=${good}`, {}, bearer('good'))).json.code,
        'ambiguous_credentials',
      );
      assert.equal((await post(`/places?token=${good}&token=${good}`, {})).json.code, 'token_invalid');
      assert.equal((await post('/places', { token: [good] })).json.code, 'token_invalid');
      assert.equal((await post(`/places?token=${good}`, {})).headers['referrer-policy'], 'no-referrer');
    });

    test('a refusal takes the status, body and headers that an app gives it', async () => {
      for (const [query, message] of [
        ['', 'Token is missing!'],
        ['?token=x', 'Token is invalid!'],
      ]) {
        const { status, headers, json } = await ask(app.port, `/bent${query}`, {});
        assert.deepEqual([status, json, headers['www-authenticate']], [403, { message }, undefined]);
        assert.equal(headers['referrer-policy'], 'no-referrer');
      }
    });

    test('the account is a promise away', async () => {
      const { json } = await ask(app.port, '/account', { headers: bearer('good') });
      assert.equal(ids.get(json.who!), mary);
    });
  });
}

/** RFC 6750 section 3 and RFC 9470 section 3. */
function assertRefusal(status: number, headers: Record<string, unknown>, code: string): void {
  const challenge = String(headers['www-authenticate']);
  assert.match(String(headers['content-type']), /^application\/problem\+json/);
  if (code === 'token_missing') assert.equal(challenge, 'Bearer realm="latchkey"');
  else if (code === 'insufficient_scope') assert.match(challenge, /error="insufficient_scope".*scope="posts/);
  else if (code === 'stale_authentication')
    assert.match(challenge, /error="insufficient_user_authentication".*max_age="(300|60)"/);
  else assert.match(challenge, /error="invalid_token"/);
  assert.equal(status, code === 'insufficient_scope' ? 403 : 401);
}
