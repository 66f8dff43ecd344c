// What a request says it may do, over HTTP: tokens that lie about themselves, tokens in the wrong place, headers that are no header.
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type { KeyPair } from '../../src/tokens/key.ts';
import { openTestHouse, passwordOf, type SignedIn, type TestHouse } from '../fixture/house.ts';
import { forge } from './forge.ts';

let at: TestHouse;
let anna: SignedIn;
let trap: Server;
let trapUrl: string;
let sprung = 0;

before(async () => {
  at = await openTestHouse();
  await at.signUp('anna');
  anna = await at.logIn('anna');
  trap = createServer((_, response) => {
    sprung += 1;
    response.end('{"keys":[]}');
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => trap.once('listening', resolve));
  trapUrl = `http://127.0.0.1:${(trap.address() as AddressInfo).port}`;
});
after(async () => {
  trap.close();
  await at.close();
});

const key = (): KeyPair => at.house.keys.signing() as KeyPair;
const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString('utf8'));
const header = (changes: object = {}): object => ({
  alg: key().algorithm,
  kid: key().kid,
  typ: 'at+jwt',
  ...changes,
});
const me = (bearer: string) => at.call('GET', '/users/me', { bearer });
const withHeader = (authorization: string | string[], path = '/users/me') =>
  at.call('GET', path, { headers: { authorization: authorization as string } });

async function refusedAsInvalid(token: string, why: string): Promise<void> {
  const { status, headers, json } = await me(token);
  assert.deepEqual([why, status, json.code], [why, 401, 'token_invalid']);
  assert.match(
    headers['www-authenticate'] ?? '',
    /^Bearer realm="latchkey", error="invalid_token", error_description="/,
  );
}

test('a token forged with the true key and nothing changed is let in, so the refusals below are for what they name', async () => {
  assert.equal((await me(forge(key(), header(), claimsOf(anna.access)))).status, 200);
});

test('threat 5: jwk, jku, x5u and x5c in the header: 401, and no outgoing request', async () => {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: 'A'.repeat(43) };
  const pointers = { jwk, jku: `${trapUrl}/jwks`, x5u: `${trapUrl}/cert`, x5c: ['MIIB'], 'x5t#S256': 'AAAA' };
  for (const [name, value] of Object.entries(pointers)) {
    await refusedAsInvalid(forge(key(), header({ [name]: value }), claimsOf(anna.access)), name);
  }
  assert.equal(sprung, 0);
});

test('threat 6: a kid that is a path, SQL, a URL, a prototype name, of a wrong type or 8 KB: 401, and nothing is fetched', async () => {
  const kids: unknown[] = [
    '../../etc/passwd',
    '/dev/null',
    "' OR 1=1 --",
    `${trapUrl}/key`,
    '__proto__',
    'constructor',
    'toString',
    '',
    'k'.repeat(5_000),
    '\0',
    1,
    null,
    true,
    {},
    [key().kid],
    { toString: 1 },
  ];
  for (const kid of kids) {
    await refusedAsInvalid(
      forge(key(), header({ kid }), claimsOf(anna.access)),
      JSON.stringify(kid).slice(0, 30),
    );
  }
  assert.equal(sprung, 0);
});

test('threat 7: an unknown kid: 401, and no request fetches anything, however many there are', async (t) => {
  const fetched = t.mock.method(globalThis, 'fetch');
  for (let count = 0; count < 20; count++) {
    await refusedAsInvalid(
      forge(key(), header({ kid: `unknown-${count}` }), claimsOf(anna.access)),
      'unknown',
    );
  }
  await refusedAsInvalid(
    forge(key(), header(), { ...claimsOf(anna.access), iss: trapUrl }),
    'another issuer',
  );
  assert.deepEqual([sprung, fetched.mock.callCount()], [0, 0]);
});

test('threat 8: crit with an unknown name, empty, or not a list: 401', async () => {
  for (const crit of [['x'], [], 'exp', null, ['exp'], ['alg']]) {
    await refusedAsInvalid(forge(key(), header({ crit }), claimsOf(anna.access)), JSON.stringify(crit));
  }
});

test('threat 9: b64 false, with or without crit: 401', async () => {
  for (const changes of [{ b64: false }, { b64: false, crit: ['b64'] }, { b64: true, crit: ['b64'] }]) {
    await refusedAsInvalid(forge(key(), header(changes), claimsOf(anna.access)), JSON.stringify(changes));
  }
});

test('threat 27: a sub that is missing, of a wrong type, or of nobody: 401', async () => {
  const good = claimsOf(anna.access);
  for (const sub of [undefined, null, 1, '', {}, [good.sub], true]) {
    await refusedAsInvalid(forge(key(), header(), { ...good, sub }), JSON.stringify(sub) ?? 'missing');
  }
  for (const sub of ['nobody', '0199f6a1-5a3c-7b2e-9d1f-3a5c7e9b1d2f', '__proto__', "' OR '1'='1"]) {
    const { status, json } = await me(forge(key(), header(), { ...good, sub }));
    assert.deepEqual([sub, status, json.code], [sub, 401, 'deleted']);
  }
});

test('threat 27: the token of a user who was disabled, and of one who was deleted: 401 with the reason', async () => {
  for (const [name, reason, end] of [
    ['bert', 'disabled', (id: string) => at.latchkey.users.change(id, { disabled: true })],
    ['carla', 'deleted', (id: string) => at.latchkey.users.remove(id)],
  ] as const) {
    const id = await at.signUp(name);
    const { access } = await at.logIn(name);
    assert.equal((await me(access)).status, 200);
    await end(id);
    const { status, json } = await me(access);
    assert.deepEqual([status, json.code], [401, reason]);
  }
});

test('threat 39: no token: 401 with a Bearer challenge and no error code', async () => {
  for (const [method, path] of [
    ['GET', '/users/me'],
    ['PATCH', '/users/me'],
    ['DELETE', '/users/me'],
    ['GET', '/users/me/sessions'],
    ['DELETE', '/users/me/sessions/x'],
    ['GET', '/users'],
    ['GET', '/users/x'],
    ['DELETE', '/users/x'],
    ['DELETE', '/users/x/sessions'],
    ['DELETE', '/sessions'],
    ['POST', '/logout'],
    ['POST', '/logout/everywhere'],
  ] as const) {
    const { status, headers, json } = await at.call(method, path, method === 'PATCH' ? { json: {} } : {});
    assert.deepEqual([path, status, json.code], [path, 401, 'token_missing']);
    assert.equal(headers['www-authenticate'], 'Bearer realm="latchkey"');
    assert.equal(headers['cache-control'], 'no-store');
  }
});

test('threat 40: a bad token: 401 with error="invalid_token", and no more than that it is bad', async () => {
  const [first, second, third] = anna.access.split('.') as [string, string, string];
  for (const token of [
    'x',
    '..',
    `${first}.${second}.`,
    `${first}.${second}.${third.slice(0, -4)}AAAA`,
    anna.refresh,
  ]) {
    await refusedAsInvalid(token, token.slice(0, 20));
  }
});

test('threat 40: an expired and a revoked token say so, in the code and as invalid_token', async () => {
  const { access, refresh } = await at.logIn('anna');
  await at.latchkey.logOut(access);
  const revoked = await me(access);
  assert.deepEqual([revoked.status, revoked.json.code], [401, 'signed_out']);
  assert.match(revoked.headers['www-authenticate'] ?? '', /error="invalid_token"/);
  assert.equal((await at.call('POST', '/refresh', { bearer: refresh })).json.code, 'signed_out');
  const past = { ...claimsOf(anna.access), iat: 1, exp: 2 };
  const expired = await me(forge(key(), header(), past));
  assert.deepEqual([expired.status, expired.json.code], [401, 'token_expired']);
  assert.match(expired.headers['www-authenticate'] ?? '', /error="invalid_token"/);
});

test('threat 41: a good token without the scope: 403 with error="insufficient_scope" and the scope', async () => {
  for (const [method, path] of [
    ['GET', '/users'],
    ['GET', `/users/${anna.id}`],
    ['DELETE', `/users/${anna.id}`],
    ['DELETE', '/sessions'],
    ['POST', '/users'],
    ['PATCH', `/users/${anna.id}`],
  ] as const) {
    const { status, headers, json } = await at.call(method, path, { bearer: anna.access });
    assert.deepEqual([path, status, json.code], [path, 403, 'insufficient_scope']);
    assert.equal(
      headers['www-authenticate'],
      'Bearer realm="latchkey", error="insufficient_scope", error_description="The token does not carry the scope that this route needs.", scope="admin"',
    );
  }
});

test('threat 41: a scope that only the token or only the account has opens nothing', async () => {
  const claimed = forge(key(), header(), { ...claimsOf(anna.access), scope: 'admin' });
  assert.equal((await at.call('GET', '/users', { bearer: claimed })).status, 403);
  await at.signUp('root', ['admin']);
  const { access } = await at.logIn('root');
  assert.equal((await at.call('GET', '/users', { bearer: access })).status, 200);
  for (const scope of [undefined, '', 'administrator', 'ADMIN', 'admin\tx', 'xadmin', 'admin,x']) {
    const without = forge(key(), header(), { ...claimsOf(access), scope });
    assert.equal((await at.call('GET', '/users', { bearer: without })).status, 403, JSON.stringify(scope));
  }
});

test('threat 42: a good but stale token at a fresh route: 401 with error="insufficient_user_authentication" and max_age (RFC 9470)', async () => {
  const refreshed = await at.call('POST', '/refresh', { bearer: anna.refresh });
  const { access_token: stale, refresh_token: next } = refreshed.json;
  anna = { ...anna, access: anna.access, refresh: next };
  const good = claimsOf(anna.access);
  const seconds = at.clock.now() / 1000;
  for (const [why, token] of [
    ['refreshed', stale],
    ['old password', forge(key(), header(), { ...good, auth_time: seconds - 301 })],
    ['no auth_time', forge(key(), header(), { ...good, auth_time: undefined })],
    ['not fresh', forge(key(), header(), { ...good, fresh: undefined })],
  ] as const) {
    for (const asking of [
      () => at.call('DELETE', '/users/me', { bearer: token }),
      () => at.call('PATCH', '/users/me', { bearer: token, json: { email: 'other@example.com' } }),
    ]) {
      const { status, headers, json } = await asking();
      assert.deepEqual([why, status, json.code], [why, 401, 'stale_authentication']);
      assert.match(
        headers['www-authenticate'] ?? '',
        /^Bearer realm="latchkey", error="insufficient_user_authentication", error_description="[^"\\]+", max_age="300"$/,
      );
    }
  }
});

test('threat 43: a token in the query, in a body, in a cookie or in another header is not looked at', async () => {
  const token = anna.access;
  const elsewhere = [
    at.call('GET', `/users/me?access_token=${token}`),
    at.call('GET', `/users/me?token=${token}&authorization=Bearer%20${token}`),
    at.call('GET', '/users/me', {
      headers: { cookie: `access_token=${token}; token=${token}; __Host-access=${token}` },
    }),
    at.call('GET', '/users/me', {
      headers: { 'x-access-token': token, 'proxy-authorization': `Bearer ${token}` },
    }),
    at.call('PATCH', '/users/me', { json: { access_token: token, profile: {} } }),
    at.call('POST', '/users/me/password', {
      json: { access_token: token, current_password: passwordOf('anna'), new_password: 'yet another one 99' },
    }),
  ];
  for (const { status, json, headers } of await Promise.all(elsewhere)) {
    assert.deepEqual([status, json.code], [401, 'token_missing']);
    assert.equal(headers['set-cookie'], undefined);
  }
});

test('threat 43: a refresh token in the query or in a cookie refreshes nothing', async () => {
  for (const asking of [
    at.call('POST', `/refresh?refresh_token=${anna.refresh}`),
    at.call('POST', '/refresh', { headers: { cookie: `refresh_token=${anna.refresh}` } }),
    at.call('POST', `/token?grant_type=refresh_token&refresh_token=${anna.refresh}`, {
      form: 'grant_type=refresh_token',
    }),
  ]) {
    const { status, text } = await asking;
    assert.ok(status === 422 || status === 400, String(status));
    assert.ok(!text.includes('access_token'));
  }
});

test('threat 44: two Authorization headers, or two credentials in one: 400 or 401, whichever comes first', async () => {
  const bearer = `Bearer ${anna.access}`;
  const basic = `Basic ${Buffer.from(`anna:${passwordOf('anna')}`).toString('base64')}`;
  const line = (value: string): string => `Authorization: ${value}\r\n`;
  const start = 'Host: login.example.com\r\n';
  for (const path of ['/users/me', '/login', '/users']) {
    for (const headers of [
      line(bearer) + line(bearer),
      line(bearer) + line(basic),
      line(basic) + line(bearer),
      line(basic) + line(basic),
      line(bearer) + line(''),
      `authorization: ${bearer}\r\nAUTHORIZATION: ${bearer}\r\n`,
      line(`${bearer}, ${bearer}`),
      line(`${bearer},${basic}`),
      line(`${basic}, ${bearer}`),
      line(`${bearer} ${anna.access}`),
      line(`Bearer ${bearer}`),
      line(`Basic ${bearer}`),
      line(`${basic} ${basic}`),
    ]) {
      const { statuses } = await at.raw(
        `GET ${path} HTTP/1.1\r\n${start}${headers}Connection: close\r\n\r\n`,
        2_000,
      );
      assert.equal(statuses.length, 1);
      assert.ok(statuses[0] === 400 || statuses[0] === 401, `${path} ${statuses[0]} ${headers.slice(0, 40)}`);
    }
  }
});

test('threat 44: two tokens in one header are two, and not one that is bad', async () => {
  for (const value of [
    `Bearer ${anna.access}, Bearer ${anna.access}`,
    `Bearer ${anna.access} ${anna.access}`,
    `Bearer ${anna.access},`,
  ]) {
    const { status, json } = await withHeader(value);
    assert.deepEqual([status, json.code], [400, 'ambiguous_credentials']);
  }
});

test('threat 44: a token in the header and another in the body: 400', async () => {
  for (const path of ['/refresh', '/logout', '/logout/everywhere']) {
    const { status, json } = await at.call('POST', path, {
      bearer: anna.refresh,
      json: { refresh_token: anna.refresh },
    });
    assert.deepEqual([path, status, json.code], [path, 400, 'ambiguous_credentials']);
  }
});

test('threat 45: the name of the scheme is taken in any case', async () => {
  for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR']) {
    assert.equal((await withHeader(`${scheme} ${anna.access}`)).status, 200, scheme);
  }
  const basic = Buffer.from(`anna:${passwordOf('anna')}`).toString('base64');
  assert.equal((await withHeader(`bAsIc ${basic}`, '/login')).status, 200);
});

test('GHSA-xmf8-cvqr-rfgj: a malformed Authorization header of any kind is a 4xx, on every route that reads one', async () => {
  const kinds = [
    '',
    ' ',
    'Bearer',
    'Bearer ',
    'Bearer  ',
    'Basic',
    'Basic ',
    'Basic :',
    'Basic !!!!',
    'Basic =',
    'Basic ====',
    'Basic YQ',
    'Basic YTpi=',
    'Basic /w==',
    'Basic gICA',
    'Basic Og==',
    'Basic AA==',
    'Basic YTo=',
    'Basic OmI=',
    'Digest username="a"',
    'Negotiate x',
    'bearer:x',
    'Bearer\tx',
    'Bearerx',
    ':',
    ',',
    '=',
    '"',
    'Bearer "x"',
    'Bearer {"a":1}',
    `Bearer ${'.'.repeat(9_000)}`,
    `Basic ${'A'.repeat(9_000)}`,
    `Bearer ${'é'}`,
    'Bearer \xa0',
    `Bearer ${'x'.repeat(100)}\xa0`,
    'undefined',
    'null',
    '[object Object]',
    '__proto__ x',
    'constructor x',
    'DPoP x',
    'Bearer .',
    'Bearer e30.e30.',
    'Bearer bnVsbA.bnVsbA.bnVsbA',
  ];
  for (const [method, path] of [
    ['GET', '/users/me'],
    ['GET', '/login'],
    ['GET', '/users'],
    ['POST', '/refresh'],
    ['POST', '/logout'],
    ['POST', '/introspect'],
  ] as const) {
    for (const authorization of kinds) {
      const { status } = await at.call(method, path, {
        headers: { authorization },
        ...(path === '/introspect' && { form: 'token=x' }),
      });
      assert.ok(status >= 400 && status < 500, `${path} ${authorization.slice(0, 30)} ${status}`);
    }
  }
});

test('one token has one spelling in the header too: what stands behind it is not trimmed away', async () => {
  for (const behind of ['\xa0', '\x0b', '\x0c', '=', '.', '%20', '\x85']) {
    const { statuses } = await at.raw(
      `GET /users/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${anna.access}${behind}\r\n\r\n`,
      2_000,
    );
    assert.ok(statuses[0] === 400 || statuses[0] === 401, `${JSON.stringify(behind)} ${statuses}`);
  }
});

test('threat 37: whatever stands where a token should, the answer is a 401 or 400, never a 5xx and never a pass', async () => {
  const [first, second, third] = anna.access.split('.') as [string, string, string];
  const printable = fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
    maxLength: 60,
  });
  const part = fc.oneof(
    printable,
    fc.constantFrom('', first, second, third),
    fc.json().map((text) => Buffer.from(text).toString('base64url')),
  );
  const changed = fc
    .tuple(fc.nat(anna.access.length - 1), fc.constantFrom('A', '_', '.', '=', '~'))
    .map(([place, letter]) => `${anna.access.slice(0, place)}${letter}${anna.access.slice(place + 1)}`);
  const parts = fc.array(part, { minLength: 1, maxLength: 6 }).map((each) => each.join('.'));
  const token = fc.oneof(parts, changed, printable).filter((text) => text !== anna.access && text !== '');
  await fc.assert(
    fc.asyncProperty(token, async (text) => {
      const { status } = await me(text);
      assert.ok(status === 401 || status === 400, `${status} for ${text}`);
    }),
    { seed: 37, numRuns: 400 },
  );
});

test('GHSA-8fpg-xm3f-6cx3: when what was revoked is not known, nobody gets in: 503 with Retry-After', async (t) => {
  t.mock.method(at.house.store, 'catchUp', () => false);
  at.clock.turn(11_000);
  try {
    const { status, json, headers } = await me(anna.access);
    assert.deepEqual([status, json.code, headers['retry-after']], [503, 'view_stale', '1']);
  } finally {
    at.clock.turn(-11_000);
  }
});

test('threat 32: after a key is revoked as compromised its tokens are dead at once, and a refresh gives good ones', async () => {
  const { access, refresh } = await at.logIn('anna');
  assert.equal((await me(access)).status, 200);
  await at.latchkey.keys.revoke(key().kid);
  const dead = await me(access);
  assert.equal(dead.status, 401);
  assert.match(dead.headers['www-authenticate'] ?? '', /error="invalid_token"/);
  const next = await at.call('POST', '/refresh', { bearer: refresh });
  assert.equal((await me(next.json.access_token)).status, 200);
});
