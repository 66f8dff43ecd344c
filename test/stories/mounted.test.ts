// The log-in routes in an app that somebody else made: they work there as they do at home, and the app stays what it was.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import { serve } from '@hono/node-server';
import express from 'express';
import Fastify, { type FastifyInstance } from 'fastify';
import { Hono } from 'hono';
import { turnableClock } from '../../src/clock.ts';
import { handler } from '../../src/doors/express.ts';
import { guard, routes } from '../../src/doors/fastify.ts';
import { fetchHandler } from '../../src/doors/hono.ts';
import { latchkey } from '../../src/latchkey.ts';
import type { Latchkey } from '../../src/library.ts';
import { call, houseOptions, outcome, password, temporaryFolder } from '../fixture/server.ts';

let auth: Latchkey;
let app: FastifyInstance;
let url: string;

before(async () => {
  auth = await latchkey(houseOptions(temporaryFolder(), turnableClock()));
  app = Fastify();
  const { required } = guard(auth);
  app.setErrorHandler((_, __, reply) => reply.code(418).send({ mine: true }));
  app.setNotFoundHandler((_, reply) => reply.code(404).send({ mine: true }));
  app.get(
    '/me',
    required((who) => ({ username: who.username })),
  );
  app.post('/echo', async (request) => request.body);
  app.get('/broken', () => {
    throw new Error('no');
  });
  await app.register(routes(auth), { prefix: '/auth' });
  url = await app.listen({ host: '127.0.0.1', port: 0 });
});
after(async () => {
  await app.close();
  await auth.close();
});

const ask = (...given: Parameters<typeof call> extends [string, ...infer Rest] ? Rest : never) =>
  call(url, ...given);

test('sign up, log in, be let in on a route of the app, refresh, leave', async () => {
  const body = { username: 'jonathan', password };
  assert.equal(outcome(await ask('POST /auth/signup', { body })), '201');
  const { body: pair } = await ask('POST /auth/login', { body });
  assert.equal((await ask('GET /me', { token: pair.access_token })).body.username, 'jonathan');
  assert.equal((await ask('GET /auth/users/me', { token: pair.access_token })).body.username, 'jonathan');
  const form = { grant_type: 'refresh_token', refresh_token: pair.refresh_token };
  const { body: next } = await ask('POST /auth/token', { form });
  assert.equal(outcome(await ask('POST /auth/logout', { token: next.access_token })), '204');
  assert.equal(outcome(await ask('GET /me', { token: next.access_token })), '401 signed_out');
  assert.equal((await ask('GET /auth/.well-known/jwks.json')).body.keys.length, 1);
});

test('what is wrong below the prefix is refused as the server of the house does', async () => {
  assert.equal(outcome(await ask('POST /auth/login', { body: { username: 'x' } })), '422 invalid_input');
  assert.equal(
    outcome(await ask('POST /auth/login', { form: { username: 'x', password } })),
    '415 unsupported_media_type',
  );
  const wrong = await ask('PUT /auth/login');
  assert.deepEqual([outcome(wrong), wrong.headers.get('allow')], ['405 method_not_allowed', 'GET, POST']);
  assert.equal(outcome(await ask('GET /auth/nothing')), '404 not_found');
  const foreign = { body: { username: 'x', password }, headers: { origin: 'https://evil.example' } };
  assert.equal(outcome(await ask('POST /auth/login', foreign)), '403 cross_site');
  assert.equal(outcome(await ask('GET /auth/users', {})), '401 token_missing');
});

test('the app keeps its own parsers, error handlers and missing pages', async () => {
  assert.deepEqual((await ask('POST /echo', { body: { a: 1, extra: [2] } })).body, { a: 1, extra: [2] });
  assert.deepEqual((await ask('GET /broken')).body, { mine: true });
  assert.equal((await ask('GET /nothing')).status, 404);
  assert.deepEqual((await ask('GET /nothing')).body, { mine: true });
});

test('what is no Latchkey of this package is told at once', () => {
  for (const door of [routes, handler, fetchHandler])
    assert.throws(() => door({ ...auth }), /no Latchkey that `await latchkey\(\)`/);
});

test('in Express a body that was read before is an error of the app, and nobody waits for ever', async () => {
  const own = express();
  own.use(express.json(), handler(auth));
  own.use(((error, _, response, __) => {
    response.status(500).json({ detail: error.message });
  }) satisfies express.ErrorRequestHandler);
  const server = own.listen(0, '127.0.0.1');
  try {
    await once(server, 'listening');
    const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const asked = call(at, 'POST /login', { body: { username: 'x', password } });
    const late = new Promise<never>((_, reject) => setTimeout(reject, 5_000, new Error('hung')).unref());
    assert.match((await Promise.race([asked, late])).body.detail, /before body parsers/);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

const others: Readonly<Record<string, () => Server>> = {
  express() {
    const own = express();
    own.use('/auth', handler(auth));
    own.use(express.json());
    own.post('/echo', (request, response) => void response.json(request.body));
    return own.listen(0, '127.0.0.1');
  },
  hono() {
    const own = new Hono();
    const inner = fetchHandler(auth, { prefix: '/auth' });
    own.all('/auth/*', (context) => inner(context.req.raw));
    own.post('/echo', async (context) => context.json(await context.req.json()));
    return serve({ fetch: own.fetch, hostname: '127.0.0.1', port: 0 }) as Server;
  },
  node() {
    const inner = handler(auth, { prefix: '/auth' });
    return createServer((request, response) => {
      if (request.url?.startsWith('/auth/')) return inner(request, response);
      return void request.pipe(response.setHeader('content-type', 'application/json'));
    }).listen(0, '127.0.0.1');
  },
};

for (const [framework, open] of Object.entries(others)) {
  test(`the same in ${framework}`, async () => {
    const server = open();
    try {
      if (!server.listening) await once(server, 'listening');
      const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const body = { username: `in-${framework}`, password };
      assert.equal(outcome(await call(at, 'POST /auth/signup', { body })), '201');
      const { body: pair } = await call(at, 'POST /auth/login', { body });
      assert.equal(
        (await call(at, 'GET /auth/users/me', { token: pair.access_token })).body.username,
        `in-${framework}`,
      );
      const form = { grant_type: 'refresh_token', refresh_token: pair.refresh_token };
      const { body: next } = await call(at, 'POST /auth/token', { form });
      const left = await call(at, 'POST /auth/logout', { token: next.access_token });
      assert.deepEqual([left.status, left.text], [204, '']);
      assert.equal(
        outcome(await call(at, 'GET /auth/users/me', { token: next.access_token })),
        '401 signed_out',
      );
      assert.equal(outcome(await call(at, 'PUT /auth/login')), '405 method_not_allowed');
      assert.equal(outcome(await call(at, 'GET /auth/nothing')), '404 not_found');
      assert.equal(outcome(await call(at, 'GET /auth/%zz')), '400 malformed_request');
      const large = { body: { username: 'x'.repeat(70_000), password } };
      assert.equal(outcome(await call(at, 'POST /auth/login', large)), '413 body_too_large');
      assert.deepEqual((await call(at, 'POST /echo', { body: { a: 1 } })).body, { a: 1 });
    } finally {
      server.close();
    }
  });
}
