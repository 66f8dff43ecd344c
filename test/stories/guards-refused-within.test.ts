// What a guard makes of handlers and shapers that do not do the plain thing: refusals thrown by a handler, answers of a handler's own
// making, words that are written wrongly.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { before, test } from 'node:test';
import Fastify from 'fastify';
import { Hono } from 'hono';
import { turnableClock } from '../../src/clock.ts';
import { guard as fastifyGuard } from '../../src/guards/fastify.ts';
import type { GuardOptions } from '../../src/guards/guard.ts';
import { guard as honoGuard } from '../../src/guards/hono.ts';
import { fetchGuard, guard as nodeGuard } from '../../src/guards/node.ts';
import { latchkey } from '../../src/latchkey.ts';
import type { Latchkey } from '../../src/library.ts';
import { atEnd, call, houseOptions, outcome, password, temporaryFolder } from '../fixture/server.ts';

let auth: Latchkey;
let access: string;
let spent: string;

before(async () => {
  const clock = turnableClock();
  auth = await latchkey(houseOptions(temporaryFolder(), clock));
  atEnd(() => auth.close());
  await auth.users.add({ username: 'mary', password });
  spent = (await auth.logIn({ name: 'mary', password })).refreshToken;
  await auth.refresh(spent);
  clock.turn(60_000);
  await assert.rejects(auth.refresh(spent), { code: 'reuse_detected' });
  access = (await auth.logIn({ name: 'mary', password })).accessToken;
});

async function askNode(listener: RequestListener, token?: string) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return call(url, 'GET /', { token }).finally(() => server.close());
}

const asking = (token: string) =>
  new Request('http://house.example/', { headers: { authorization: `Bearer ${token}` } });

test('a spent refresh token is a refusal, and not the end of a process of node:http', async () => {
  const words = nodeGuard(auth);
  const later = words.refresh(async (who) => auth.refresh(who.token));
  assert.equal(outcome(await askNode(later, spent)), '401 reuse_detected');
  const atOnce = words.required(() => auth.verify('x'));
  assert.equal(outcome(await askNode(atOnce, access)), '401 token_invalid');
  const halfSaid = words.refresh(async (who, _, response) => {
    response.writeHead(200, { 'content-length': 10 }).write('half');
    await auth.refresh(who.token);
  });
  await assert.rejects(askNode(halfSaid, spent));
});

test('what is no refusal is thrown on by a handler of node:http', async () => {
  const response = { headersSent: false, setHeader() {} } as never;
  const request = { url: '/', rawHeaders: ['authorization', `Bearer ${access}`] } as never;
  const fault = new Error('mine');
  const broken = nodeGuard(auth).required(async () => {
    throw fault;
  });
  await assert.rejects(async () => broken(request, response), fault);
});

test('a spent refresh token is a refusal in Hono and Fetch', async () => {
  const app = new Hono();
  app.get(
    '/',
    honoGuard(auth).refresh(async (who, context) => context.json(await auth.refresh(who.token))),
  );
  const inHono = await app.request(asking(spent));
  const inFetch = await fetchGuard(auth).refresh(async (who) => Response.json(await auth.refresh(who.token)))(
    asking(spent),
  );
  for (const answer of [inHono, inFetch]) {
    assert.equal(answer.status, 401);
    assert.match(answer.headers.get('www-authenticate') ?? '', /invalid_token/);
    assert.equal(((await answer.json()) as { code: string }).code, 'reuse_detected');
  }
});

test('an answer that a handler of Hono makes by itself is kept from caches too, unless it says otherwise', async () => {
  const app = new Hono();
  const { required } = honoGuard(auth, { from: ['header', 'query'] });
  app.get(
    '/bare',
    required(() => Response.json({})),
  );
  app.get(
    '/own',
    required((_, context) => context.json({}, 200, { 'cache-control': 'private' })),
  );
  const headers = { authorization: `Bearer ${access}` };
  const bare = await app.request('/bare', { headers });
  assert.equal(bare.headers.get('cache-control'), 'no-store');
  assert.equal(bare.headers.get('referrer-policy'), 'no-referrer');
  assert.equal((await app.request('/own', { headers })).headers.get('cache-control'), 'private');
});

test('a shape whose body is undefined leaves the body as it is', async () => {
  const shape: GuardOptions = { refusal: () => ({ status: 403, body: undefined }) };
  const answer = await askNode(nodeGuard(auth, shape).required(() => {}));
  assert.equal(outcome(answer), '403 token_missing');
  assert.match(answer.headers.get('content-type') ?? '', /^application\/problem\+json/);
});

test('an error of 401 or 403 that a handler of Fastify throws is not written empty', async () => {
  const app = Fastify();
  app.get(
    '/',
    fastifyGuard(auth).refresh(async (who) => auth.refresh(who.token)),
  );
  const answer = await app.inject({ url: '/', headers: { authorization: `Bearer ${spent}` } });
  assert.deepEqual([answer.statusCode, answer.json().code], [401, 'reuse_detected']);
});

test('a list of scopes that came out empty, or holds what is no scope, is told at once', () => {
  const { scope, anyScope } = nodeGuard(auth);
  for (const scopes of [[], [''], ['a b'], ['a"'], ['a\n'], [['a']]]) {
    assert.throws(() => scope(...(scopes as [string])), /names of scopes/);
    assert.throws(() => anyScope(...(scopes as [string])), /names of scopes/);
  }
});

test('a length of time in the place of the options of a route is told at once', () => {
  assert.throws(() => fastifyGuard(auth).fresh({ within: '1ms' } as never, () => 'in'), /stands by itself/);
});
