// What a page of another site can make a browser send, and what a browser is told about every answer.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { generateSecret } from '../../src/house-secret.ts';
import { openTestHouse, passwordOf, publicUrl, type SignedIn, type TestHouse } from '../fixture/house.ts';

let at: TestHouse;
let production: TestHouse;
let anna: SignedIn;
const listed = 'https://app.example.com';
before(async () => {
  at = await openTestHouse({ origins: [listed] });
  production = await openTestHouse({
    origins: [listed],
    secret: generateSecret(),
    environment: { NODE_ENV: 'production' },
  });
  await at.signUp('anna');
  anna = await at.logIn('anna');
});
after(async () => {
  await at.close();
  await production.close();
});

const foreign = [
  'null',
  'https://evil.example',
  'http://login.example.com',
  'https://login.example.com:8443',
  'https://login.example.com.evil.example',
  'https://evil.login.example.com',
  'https://LOGIN.example.com',
  'https://login.example.com/',
  'https://login.example.com, https://evil.example',
  'http://app.example.com',
  'https://app.example.com.evil.example',
  'https://app.example.com:444',
  'http://localhost.evil.example',
  'http://127.0.0.1.evil.example',
  'http://localhost:3000@evil.example',
  'http://evil.example/http://localhost',
  'http://localhost:99999999',
  'file://',
  'chrome-extension://abc',
  '*',
  '',
  'undefined',
];
const changes = [
  ['POST', '/login'],
  ['POST', '/signup'],
  ['POST', '/login/fresh'],
  ['POST', '/refresh'],
  ['POST', '/logout'],
  ['POST', '/logout/everywhere'],
  ['POST', '/token'],
  ['POST', '/revoke'],
  ['POST', '/introspect'],
  ['PATCH', '/users/me'],
  ['DELETE', '/users/me'],
  ['POST', '/users/me/password'],
  ['DELETE', '/sessions'],
  ['POST', '/nothing'],
] as const;

test('threat 122: a foreign Origin, and null, is refused where something changes, and is never reflected', async () => {
  for (const house of [at, production]) {
    for (const origin of foreign) {
      for (const [method, path] of changes) {
        const { status, json, headers } = await house.call(method, path, { headers: { origin } });
        assert.deepEqual([origin, path, status, json.code], [origin, path, 403, 'cross_site']);
        assert.equal(headers['access-control-allow-origin'], undefined);
        assert.equal(headers['access-control-allow-credentials'], undefined);
      }
    }
  }
});

test('threat 122: a foreign Origin may read nothing: no answer to its question or to its GET names it', async () => {
  for (const origin of foreign) {
    for (const path of ['/login', '/users/me', '/.well-known/jwks.json', '/nothing']) {
      const asked = await at.call('OPTIONS', path, {
        headers: {
          origin,
          'access-control-request-method': 'GET',
          'access-control-request-headers': 'authorization',
        },
      });
      const got = await at.call('GET', path, { headers: { origin }, bearer: anna.access });
      for (const { headers } of [asked, got]) {
        const names = Object.keys(headers).filter((name) => name.startsWith('access-control-allow'));
        assert.deepEqual([origin, path, names], [origin, path, []]);
        assert.match(headers.vary ?? '', /\bOrigin\b/);
      }
    }
  }
});

test('threat 122: a page of this server, or one on the list, may call; credentials are allowed to none', async () => {
  for (const house of [at, production]) {
    for (const origin of [publicUrl, listed]) {
      const asked = await house.call('OPTIONS', '/login', {
        headers: {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'content-type',
        },
      });
      assert.deepEqual([asked.status, asked.headers['access-control-allow-origin']], [204, origin]);
      assert.equal(asked.headers['access-control-allow-credentials'], undefined);
      const { status, headers } = await house.call('POST', '/login', {
        json: { username: 'x', password: 'x' },
        headers: { origin },
      });
      assert.deepEqual([status, headers['access-control-allow-origin']], [401, origin]);
      assert.equal(headers['access-control-allow-credentials'], undefined);
    }
  }
});

test('threat 122: pages of this machine may call in development, and never in production', async () => {
  for (const origin of [
    'http://localhost:3000',
    'http://127.0.0.1:5173',
    'http://[::1]:8080',
    'http://localhost',
  ]) {
    const headers = { origin };
    const json = { username: 'x', password: 'x' };
    assert.equal(
      (await at.call('POST', '/login', { json, headers })).headers['access-control-allow-origin'],
      origin,
    );
    const refused = await production.call('POST', '/login', { json, headers });
    assert.deepEqual([refused.status, refused.headers['access-control-allow-origin']], [403, undefined]);
  }
});

test('an OPTIONS that asks nothing is answered like any other request', async () => {
  const { status } = await at.call('OPTIONS', '/login', { headers: { origin: listed } });
  assert.equal(status, 204);
});

test('threat 123: HEAD on a GET that opens a session: 405, and no session', async () => {
  const before = (await at.latchkey.sessions.list(anna.id)).length;
  const { status, headers } = await at.call('HEAD', '/login', { basic: `anna:${passwordOf('anna')}` });
  assert.deepEqual([status, headers.allow], [405, 'GET, POST']);
  assert.equal((await at.latchkey.sessions.list(anna.id)).length, before);
});

test('threat 123: GET /login from another site or by a prefetch: 403, and no session', async () => {
  const before = (await at.latchkey.sessions.list(anna.id)).length;
  const basic = `anna:${passwordOf('anna')}`;
  for (const headers of [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-user': '?1' },
    { 'sec-purpose': 'prefetch' },
    { 'sec-purpose': 'prefetch;prerender' },
  ] as Record<string, string>[]) {
    const { status, json } = await at.call('GET', '/login', { basic, headers });
    assert.deepEqual([status, json.code], [403, 'cross_site']);
  }
  assert.equal((await at.latchkey.sessions.list(anna.id)).length, before);
});

test('threat 123: GET /login is kept by nobody, and its challenge is Basic (RFC 7617)', async () => {
  for (const site of ['none', 'same-origin', 'same-site']) {
    const { status, headers } = await at.call('GET', '/login', {
      basic: `anna:${passwordOf('anna')}`,
      headers: { 'sec-fetch-site': site },
    });
    assert.deepEqual([status, headers['cache-control']], [200, 'no-store']);
    assert.match(headers.vary ?? '', /\bAuthorization\b/);
  }
  for (const sending of [
    {},
    { basic: 'anna:wrong word here' },
    { basic: 'nobody:x' },
    { bearer: anna.access },
  ]) {
    const { status, headers } = await at.call('GET', '/login', sending);
    assert.deepEqual([status, headers['www-authenticate']], [401, 'Basic realm="latchkey", charset="UTF-8"']);
    assert.equal(headers['cache-control'], 'no-store');
  }
});

test('threat 123: no other GET changes anything: not with a good token, and not with what would change it by POST', async () => {
  const sessions = JSON.stringify(await at.latchkey.sessions.list(anna.id));
  const user = JSON.stringify(await at.latchkey.users.find(anna.id));
  for (const path of [
    '/',
    '/users/me',
    '/users/me/sessions',
    '/users',
    `/users/${anna.id}`,
    '/healthz',
    '/readyz',
    '/docs',
    '/redoc',
    '/openapi.json',
    '/.well-known/jwks.json',
    '/.well-known/oauth-authorization-server',
    '/logout',
    '/refresh',
    '/token',
    '/signup',
    '/logout/everywhere',
    '/revoke',
    '/sessions',
    '/users/me/password',
  ]) {
    for (const method of ['GET', 'HEAD']) {
      for (const override of [
        {},
        { 'x-http-method-override': 'DELETE', 'x-method-override': 'POST', 'x-http-method': 'POST' },
      ]) {
        await at.call(method, `${path}?_method=DELETE&refresh_token=${anna.refresh}`, {
          bearer: anna.access,
          headers: override,
        });
      }
    }
  }
  assert.equal(JSON.stringify(await at.latchkey.sessions.list(anna.id)), sessions);
  assert.equal(JSON.stringify(await at.latchkey.users.find(anna.id)), user);
});

test('threat 123: the form post of another site is refused, whatever the form calls itself, with an Origin and without', async () => {
  const form = { grant_type: 'password', username: 'anna', password: passwordOf('anna') };
  const cross = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' };
  for (const headers of [
    { origin: 'https://evil.example', ...cross },
    { origin: 'null', ...cross },
    cross,
  ] as Record<string, string>[]) {
    for (const type of [
      'application/x-www-form-urlencoded',
      'text/plain',
      'multipart/form-data; boundary=x',
    ]) {
      for (const path of ['/token', '/login', '/signup', '/revoke', '/logout']) {
        const body = new URLSearchParams(form).toString();
        const { status } = await at.call('POST', path, {
          body,
          headers: { ...headers, 'content-type': type },
        });
        assert.equal(status, 403, `${path} ${type}`);
      }
    }
  }
});

test('threat 124: nosniff, no frames, no referrer, and nothing that says what runs here, on every answer', async () => {
  const requests = [
    at.call('GET', '/'),
    at.call('GET', '/docs'),
    at.call('GET', '/docs/static/swagger-ui.css'),
    at.call('GET', '/redoc'),
    at.call('GET', '/openapi.json'),
    at.call('GET', '/healthz'),
    at.call('GET', '/users/me'),
    at.call('GET', '/users/me', { bearer: anna.access }),
    at.call('GET', '/nothing'),
    at.call('PUT', '/login'),
    at.call('POST', '/signup', { form: 'a' }),
    at.call('POST', '/login', { json: {} }),
    at.call('POST', '/token', { form: 'a' }),
    at.call('POST', '/logout', { headers: { origin: 'null' } }),
    at.call('GET', '/.well-known/jwks.json'),
    at.call('OPTIONS', '/login', { headers: { origin: listed, 'access-control-request-method': 'POST' } }),
  ];
  for (const { headers, status, text } of await Promise.all(requests)) {
    const what = `${status} ${text.slice(0, 60)}`;
    assert.equal(headers['x-content-type-options'], 'nosniff', what);
    assert.match(String(headers['content-security-policy']), /frame-ancestors '(none|self)'/, what);
    assert.equal(headers['x-frame-options'], 'DENY', what);
    assert.equal(headers['referrer-policy'], 'no-referrer', what);
    assert.equal(headers['strict-transport-security'], 'max-age=31536000; includeSubDomains', what);
    for (const name of ['x-powered-by', 'server', 'via', 'x-runtime', 'set-cookie'])
      assert.equal(headers[name], undefined, what);
  }
});

test('no page lets a browser load anything from another host', async () => {
  for (const path of ['/', '/docs', '/docs/', '/docs/static/index.html', '/redoc', '/users/me']) {
    const { headers } = await at.call('GET', path);
    const policy = String(headers['content-security-policy']);
    assert.doesNotMatch(policy, /\*|https?:|validator/, `${path} ${policy}`);
    assert.match(policy, /default-src '(none|self)'/, path);
  }
});

test('threat 125: nothing redirects to another host, whatever asks for it', async () => {
  const evil = [
    '//evil.example',
    '/\\evil.example',
    'https://evil.example',
    '/%2f%2fevil.example',
    '/docs//evil.example',
    '/docs/..//evil.example',
  ];
  for (const start of ['/', '/docs', '/docs/', '/login', '/logout', '/redoc']) {
    for (const target of evil) {
      for (const path of [
        `${start}?next=${target}&redirect_uri=${target}&return_to=${target}&url=${target}`,
        target.startsWith('h') ? start : target,
      ]) {
        const { headers, status } = await at.call('GET', path, {
          headers: { host: 'evil.example', referer: 'https://evil.example' },
        });
        const { location } = headers;
        assert.ok(
          location === undefined || /^\/(?![/\\])|^\.\.?\//.test(location),
          `${path} ${status} ${location}`,
        );
      }
    }
  }
});

test('guarded answers, tokens and refusals are kept by nobody; the keys may be', async () => {
  const bearer = anna.access;
  const { access, refresh } = await at.logIn('anna');
  for (const asking of [
    at.call('GET', '/users/me', { bearer }),
    at.call('GET', '/users/me/sessions', { bearer }),
    at.call('PATCH', '/users/me', { bearer, json: { profile: {} } }),
    at.call('GET', '/users', { bearer }),
    at.call('DELETE', '/users/me/sessions/x', { bearer }),
    at.call('POST', '/login', { json: { username: 'anna', password: passwordOf('anna') } }),
    at.call('POST', '/login/fresh', { json: { username: 'anna', password: passwordOf('anna') } }),
    at.call('POST', '/signup', { json: { username: 'kept', password: passwordOf('kept') } }),
    at.call('POST', '/users/me/password', { bearer, json: { current_password: 'x', new_password: 'x' } }),
    at.call('GET', '/nothing'),
    at.call('PUT', '/login'),
  ]) {
    assert.equal((await asking).headers['cache-control'], 'no-store');
  }
  const refreshed = await at.call('POST', '/refresh', { bearer: refresh });
  assert.equal(refreshed.headers['cache-control'], 'no-store');
  assert.equal((await at.call('POST', '/logout', { bearer: access })).headers['cache-control'], 'no-store');
  assert.match(
    (await at.call('GET', '/.well-known/jwks.json')).headers['cache-control'] ?? '',
    /^public, max-age=\d+$/,
  );
});
