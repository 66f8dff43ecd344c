// The OAuth endpoints, asked wrongly: each refusal has the status and the shape that RFC 6749, 7009 and 7662 give it.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { refuse } from '../../src/errors.ts';
import type { Answer, Sending } from '../fixture/caller.ts';
import { openTestHouse, passwordOf, publicUrl, secretOf, type TestHouse } from '../fixture/house.ts';

let at: TestHouse;
before(async () => {
  at = await openTestHouse();
  await at.signUp('anna', ['posts']);
  await at.addService('billing');
  await at.addService('other');
});
after(() => at.close());

const basic = (id: string): string => `${id}:${encodeURIComponent(secretOf(id))}`;
const token = (form: Sending['form'], more: Sending = {}) =>
  at.call('POST', '/token', { form: form ?? '', ...more });
const byPassword = { grant_type: 'password', username: 'anna', password: passwordOf('anna') };
const introspect = (asked: string, sending: Sending = {}) =>
  at.call('POST', '/introspect', { form: { token: asked }, basic: basic('billing'), ...sending });
const revoke = (asked: string, sending: Sending = {}) =>
  at.call('POST', '/revoke', { form: { token: asked }, ...sending });

/** A refusal of RFC 6749 section 5.2, whole. */
function isRefused(
  { status, headers, json, text }: Answer,
  expected: number,
  error: string,
  why = error,
): void {
  assert.deepEqual([why, status, json?.error], [why, expected, error], text);
  assert.equal(headers['content-type'], 'application/json; charset=utf-8', why);
  assert.equal(headers['cache-control'], 'no-store', why);
  assert.equal(headers.pragma, 'no-cache', why);
  assert.deepEqual(Object.keys(json).sort(), ['code', 'error', 'error_description'], why);
  assert.match(json.error_description, /^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/, why);
  assert.equal(
    headers['www-authenticate'],
    expected === 401 ? 'Basic realm="latchkey", charset="UTF-8"' : undefined,
    why,
  );
}

test('threat 47: a missing grant_type: 400 invalid_request', async () => {
  for (const form of [
    '',
    'a=b',
    'grant_type',
    'grant_type=',
    'GRANT_TYPE=password',
    'grant_type%20=password',
    'username=anna&password=x',
  ]) {
    isRefused(await token(form), 400, 'invalid_request', form);
  }
  isRefused(await at.call('POST', '/token'), 400, 'invalid_request', 'no body');
});

test('what is missing from a form is named in the sentence, since nothing else of the answer could', async () => {
  const { grant_type, username } = byPassword;
  for (const [form, name] of [
    [{}, 'grant_type'],
    [{ grant_type }, 'username'],
    [{ grant_type, username }, 'password'],
    [{ grant_type: 'refresh_token' }, 'refresh_token'],
  ] as const) {
    const answer = await token(form);
    isRefused(answer, 400, 'invalid_request', name);
    assert.equal(answer.json.error_description, `${name}: is required.`);
  }
});

test('threat 48: an unknown grant: 400 unsupported_grant_type', async () => {
  for (const grant of [
    'x',
    'Password',
    'password ',
    'client_credentials',
    'authorization_code',
    'implicit',
    '__proto__',
    'constructor',
    'urn:ietf:params:oauth:grant-type:jwt-bearer',
  ]) {
    isRefused(await token({ ...byPassword, grant_type: grant }), 400, 'unsupported_grant_type', grant);
  }
});

test('threat 49: a wrong password and a bad refresh token: 400 invalid_grant', async () => {
  isRefused(await token({ ...byPassword, password: 'wrong word here' }), 400, 'invalid_grant');
  isRefused(await token({ ...byPassword, username: 'nobody' }), 400, 'invalid_grant');
  for (const bad of ['x', 'a.b.c', '%00'])
    isRefused(await token(`grant_type=refresh_token&refresh_token=${bad}`), 400, 'invalid_grant', bad);
  const { json } = await token(byPassword);
  isRefused(
    await token({ grant_type: 'refresh_token', refresh_token: json.access_token }),
    400,
    'invalid_grant',
    'access',
  );
});

test('threat 49: a spent refresh token after its grace: 400 invalid_grant, and the session is dead', async () => {
  const { json } = await token(byPassword);
  const next = await token({ grant_type: 'refresh_token', refresh_token: json.refresh_token });
  assert.equal(next.status, 200);
  at.clock.turn(11_000);
  const spent = await token({ grant_type: 'refresh_token', refresh_token: json.refresh_token });
  isRefused(spent, 400, 'invalid_grant');
  assert.equal(spent.json.code, 'reuse_detected');
  isRefused(
    await token({ grant_type: 'refresh_token', refresh_token: next.json.refresh_token }),
    400,
    'invalid_grant',
  );
  assert.equal(
    (await at.call('GET', '/users/me', { bearer: next.json.access_token })).json.code,
    'reuse_detected',
  );
});

test('threat 50: a repeated parameter: 400 invalid_request, a known one or not', async () => {
  const good = new URLSearchParams(byPassword).toString();
  for (const twice of [
    'grant_type=password',
    'grant_type=refresh_token',
    'username=bert',
    'password=x',
    'scope=&scope=',
    'foo=1&foo=2',
    'username=',
    '__proto__=1&__proto__=2',
    'user%6eame=bert',
  ]) {
    isRefused(await token(`${good}&${twice}`), 400, 'invalid_request', twice);
  }
  isRefused(await introspect('x', { form: 'token=x&token=y' }), 400, 'invalid_request');
  isRefused(await revoke('x', { form: 'token=x&token=x' }), 400, 'invalid_request');
});

test('a form that is not one: 400 invalid_request', async () => {
  const good = new URLSearchParams(byPassword).toString();
  for (const odd of [
    'a=%',
    'a=%2',
    'a=%zz',
    'a=%ff',
    'a=%c3%28',
    'a=%ed%a0%80',
    'a=%u0041',
    '%=a',
    'a=%f8%a1%a1%a1%a1',
    'a=\xff',
  ]) {
    const body = Buffer.from(`${good}&${odd}`, 'latin1');
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'content-length': String(body.length),
    };
    isRefused(await at.call('POST', '/token', { body, headers }), 400, 'invalid_request', odd);
  }
});

test('a plus is a blank, an escape is what it spells, and a value without a sign is empty', async () => {
  const password = passwordOf('anna');
  for (const text of [password.replaceAll(' ', '+'), password.replaceAll(' ', '%20')]) {
    assert.equal(
      (await token(`grant_type=password&username=%61nna&password=${text}&scope`)).status,
      200,
      text,
    );
  }
  isRefused(
    await token(`grant_type=password&username=anna&password=${password.replaceAll(' ', '%2B')}`),
    400,
    'invalid_grant',
  );
});

test('threat 51: an unknown parameter is ignored', async () => {
  const odd =
    'foo=bar&__proto__=x&constructor=y&toString=z&hasOwnProperty=1&state=%0d%0aSet-Cookie:%20a=b&redirect_uri=https://evil.example&sub=root&user_id=1';
  const { status, json, headers } = await token(`${new URLSearchParams(byPassword)}&${odd}`);
  assert.equal(status, 200);
  assert.equal(headers['set-cookie'], undefined);
  const me = await at.call('GET', '/users/me', { bearer: json.access_token });
  assert.equal(me.json.username, 'anna');
});

test('a form of more than a hundred parameters is refused before it is taken apart; fifty unknown ones are ignored', async () => {
  const unknown = (count: number) => Array.from({ length: count }, (_, index) => `x${index}=1`).join('&');
  const good = new URLSearchParams(byPassword).toString();
  assert.equal((await token(`${good}&${unknown(50)}`)).status, 200);
  isRefused(await token(`${good}&${unknown(100)}`), 400, 'invalid_request');
  isRefused(await token(`${unknown(10_000).slice(0, 60_000)}&${good}`), 400, 'invalid_request');
});

test('threat 52: GET at the token endpoint: 405 with Allow, and so is every other method', async () => {
  for (const path of ['/token', '/introspect', '/revoke']) {
    for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'PROPFIND']) {
      const { status, headers } = await at.call(method, `${path}?${new URLSearchParams(byPassword)}`);
      assert.deepEqual([method, path, status, headers.allow], [method, path, 405, 'POST']);
      assert.equal(headers['cache-control'], 'no-store');
    }
  }
});

test('threat 53: success is application/json that nobody keeps, with all that RFC 6749 section 5.1 asks for', async () => {
  const { status, headers, json } = await token(byPassword);
  assert.equal(status, 200);
  assert.equal(headers['content-type'], 'application/json; charset=utf-8');
  assert.deepEqual([headers['cache-control'], headers.pragma], ['no-store', 'no-cache']);
  assert.deepEqual([json.token_type, json.expires_in, json.scope], ['Bearer', 900, 'posts']);
});

test('threat 54: credentials in the query are ignored', async () => {
  const query = new URLSearchParams({
    ...byPassword,
    client_id: 'billing',
    client_secret: secretOf('billing'),
  }).toString();
  isRefused(await at.call('POST', `/token?${query}`, { form: '' }), 400, 'invalid_request');
  isRefused(
    await at.call('POST', `/token?${query}`, { form: { grant_type: 'password' } }),
    400,
    'invalid_request',
  );
  isRefused(await at.call('POST', `/introspect?${query}`, { form: { token: 'x' } }), 401, 'invalid_client');
  assert.equal(
    (await at.call('GET', `/login?username=anna&password=${encodeURIComponent(passwordOf('anna'))}`)).status,
    401,
  );
});

test('threat 55: error_description holds only what RFC 6749 section 5.2 allows, whatever was sent', async () => {
  for (const odd of ['"', '\\', '\r\nX: y', '\u2028', '€', '<script>', '\0']) {
    const each = await Promise.all([
      token({ ...byPassword, grant_type: odd }),
      token({ ...byPassword, scope: `"${odd}` }),
      token({ grant_type: 'refresh_token', refresh_token: odd }),
      introspect(odd, { basic: `${encodeURIComponent(odd)}:x` }),
    ]);
    for (const { json, status } of each) {
      assert.ok(status === 400 || status === 401);
      assert.match(json.error_description, /^[\x20-\x21\x23-\x5B\x5D-\x7E]+$/);
      assert.ok(!json.error_description.includes('script'));
    }
  }
});

test('threat 55: also when the sentence is the house owner’s own, who writes as people write', async () => {
  const own = await openTestHouse({
    hooks: {
      beforeLogIn() {
        throw refuse('log_in_refused', { detail: 'Größe „x“ ist "falsch" \\ \r\nX-Injected: 1' });
      },
    },
  });
  try {
    await own.signUp('anna');
    const answer = await own.call('POST', '/token', { form: byPassword });
    isRefused(answer, 400, 'invalid_grant');
    assert.equal(answer.json.code, 'log_in_refused');
  } finally {
    await own.close();
  }
});

test('a scope that is no list of names: 400 invalid_scope; one that the account has not is left out, and the answer says so', async () => {
  isRefused(await token({ ...byPassword, scope: 'a"b' }), 400, 'invalid_scope');
  const { status, json } = await token({ ...byPassword, scope: 'admin posts' });
  assert.deepEqual([status, json.scope], [200, 'posts']);
});

test('threat 56: the password grant can be switched off for good, and then no document names it', async () => {
  const off = await openTestHouse({ passwordGrant: false });
  try {
    await off.signUp('anna');
    isRefused(await off.call('POST', '/token', { form: byPassword }), 400, 'unsupported_grant_type');
    const metadata = await off.call('GET', '/.well-known/oauth-authorization-server');
    assert.deepEqual(metadata.json.grant_types_supported, ['refresh_token']);
    const { refresh } = await off.logIn('anna');
    assert.equal(
      (await off.call('POST', '/token', { form: { grant_type: 'refresh_token', refresh_token: refresh } }))
        .status,
      200,
    );
    const { json } = await off.call('GET', '/openapi.json');
    assert.equal(json.components.securitySchemes.password, undefined);
    const named = Object.values<Record<string, { security?: object[] }>>(json.paths).flatMap((path) =>
      Object.values(path).flatMap(({ security = [] }) => security.flatMap((lock) => Object.keys(lock))),
    );
    assert.deepEqual(
      named.filter((name) => !(name in json.components.securitySchemes)),
      [],
    );
  } finally {
    await off.close();
  }
});

test('threat 62: revocation: 200 for tokens that nobody knows, and for what is no token', async () => {
  for (const unknown of ['x', 'a.b.c', '%', '\0', 'x'.repeat(9_000)]) {
    const { status, text, headers } = await revoke(unknown);
    assert.deepEqual([status, text, headers['cache-control']], [200, '', 'no-store']);
  }
  isRefused(await revoke('', { form: '' }), 400, 'invalid_request');
  isRefused(await revoke('', { form: 'token=' }), 400, 'invalid_request');
});

test('threat 62: a revoked access token is dead and its session lives; a revoked refresh token ends the session', async () => {
  const first = (await token(byPassword)).json;
  assert.equal(
    (
      await revoke(first.access_token, {
        form: { token: first.access_token, token_type_hint: 'refresh_token' },
      })
    ).status,
    200,
  );
  const dead = await at.call('GET', '/users/me', { bearer: first.access_token });
  assert.deepEqual([dead.status, dead.json.code], [401, 'token_revoked']);
  const next = await token({ grant_type: 'refresh_token', refresh_token: first.refresh_token });
  assert.equal(next.status, 200);
  assert.equal((await revoke(next.json.refresh_token)).status, 200);
  isRefused(
    await token({ grant_type: 'refresh_token', refresh_token: next.json.refresh_token }),
    400,
    'invalid_grant',
  );
  assert.equal((await at.call('GET', '/users/me', { bearer: next.json.access_token })).status, 401);
});

test('threat 62: a token of a confidential client is revoked by that client and by nobody else', async () => {
  const { json } = await token(byPassword, { basic: basic('billing') });
  for (const asked of [json.access_token, json.refresh_token]) {
    isRefused(await revoke(asked), 401, 'invalid_client');
    isRefused(await revoke(asked, { basic: basic('other') }), 400, 'unauthorized_client');
    isRefused(await revoke(asked, { basic: `billing:${secretOf('other')}` }), 401, 'invalid_client');
  }
  assert.equal((await introspect(json.access_token)).json.active, true);
  assert.equal((await revoke(json.refresh_token, { basic: basic('billing') })).status, 200);
  assert.deepEqual((await introspect(json.access_token)).json, { active: false });
});

test('GHSA-pw9m-5jxm-xr6h: a refresh token of a confidential client is refreshed by that client and by nobody else', async () => {
  const { json } = await token(byPassword, { basic: basic('billing') });
  const form = { grant_type: 'refresh_token', refresh_token: json.refresh_token };
  for (const sending of [{}, { basic: basic('other') }, { basic: 'docs:' }]) {
    const { status, json: body } = await token(form, sending);
    assert.ok(status === 400 || status === 401, `${status} ${JSON.stringify(body)}`);
  }
  assert.equal((await at.call('POST', '/refresh', { bearer: json.refresh_token })).status, 401);
  assert.equal((await token(form, { basic: basic('billing') })).status, 200);
});

test('threat 63: introspection without credentials, or with bad ones: 401', async () => {
  const { json } = await token(byPassword);
  for (const [why, sending] of Object.entries<Sending>({
    none: { headers: {} },
    'an access token': { bearer: json.access_token },
    'a user': { basic: `anna:${passwordOf('anna')}` },
    'no secret': { basic: 'billing:' },
    'a wrong secret': { basic: 'billing:x' },
    nobody: { basic: 'nobody:x' },
    'an escape that is none': { basic: 'billing:%' },
    'a name of the language': { basic: '__proto__:x' },
  })) {
    const answer = await at.call('POST', '/introspect', { form: { token: json.access_token }, ...sending });
    isRefused(answer, 401, 'invalid_client', why);
    assert.ok(!answer.text.includes('active'));
  }
});

test('threat 64: introspection of anything that is not good: exactly {"active":false}', async () => {
  const first = (await token(byPassword)).json;
  const second = (await token({ grant_type: 'refresh_token', refresh_token: first.refresh_token })).json;
  const ended = (await token(byPassword)).json;
  await at.call('POST', '/logout', { bearer: ended.access_token });
  for (const bad of [
    'x',
    'a.b.c',
    '\0',
    first.refresh_token,
    ended.access_token,
    ended.refresh_token,
    `${second.access_token}.`,
    ` ${second.access_token}`,
    'x'.repeat(20_000),
  ]) {
    const { status, text, headers } = await introspect(bad);
    assert.deepEqual([status, text], [200, '{"active":false}'], bad.slice(0, 40));
    assert.equal(headers['cache-control'], 'no-store');
  }
  assert.equal((await introspect(second.access_token)).json.active, true);
  assert.equal((await introspect(second.refresh_token)).json.token_type, 'refresh_token');
});

test('threat 65: the issuer of the metadata is the one in the tokens, and nothing follows Host or a forwarded header', async () => {
  const headers = {
    host: 'evil.example',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'http',
    forwarded: 'host=evil.example',
    'x-original-url': '/evil',
  };
  const { json } = await token(byPassword);
  const { iss } = JSON.parse(Buffer.from(json.access_token.split('.')[1], 'base64url').toString('utf8'));
  const metadata = await at.call('GET', '/.well-known/oauth-authorization-server', { headers });
  assert.equal(metadata.json.issuer, iss);
  assert.equal(iss, publicUrl);
  for (const [name, value] of Object.entries<unknown>(metadata.json)) {
    if (/_endpoint$|_uri$|issuer|documentation/.test(name))
      assert.ok(String(value).startsWith(publicUrl), name);
  }
  for (const path of ['/', '/docs', '/redoc', '/openapi.json', '/.well-known/jwks.json', '/nothing']) {
    const { text, headers: answered } = await at.call('GET', path, { headers });
    assert.ok(!text.includes('evil') && !JSON.stringify(answered).includes('evil'), path);
  }
});

test('threat 67: a failed client log-in: 401 with WWW-Authenticate, by Basic and by form, at each endpoint', async () => {
  for (const path of ['/token', '/introspect', '/revoke']) {
    const form = path === '/token' ? byPassword : { token: 'x' };
    isRefused(await at.call('POST', path, { form, basic: 'billing:wrong' }), 401, 'invalid_client', path);
    isRefused(
      await at.call('POST', path, { form: { ...form, client_id: 'billing', client_secret: 'wrong' } }),
      401,
      'invalid_client',
      path,
    );
    isRefused(
      await at.call('POST', path, { form, headers: { authorization: 'Basic !!!' } }),
      401,
      'invalid_client',
      path,
    );
    isRefused(await at.call('POST', path, { form, bearer: 'x' }), 401, 'invalid_client', path);
  }
});

test('threat 67: a client that proves itself in two ways at once: 400 invalid_request (RFC 6749 section 2.3)', async () => {
  const form = { token: 'x', client_id: 'billing', client_secret: secretOf('billing') };
  assert.equal((await at.call('POST', '/introspect', { form })).status, 200);
  for (const twice of [basic('billing'), 'docs:', 'billing:wrong']) {
    isRefused(await at.call('POST', '/introspect', { form, basic: twice }), 400, 'invalid_request', twice);
  }
});

test('an API page that sends an id and an empty secret beside the form is a public client, and no error', async () => {
  assert.equal((await token(byPassword, { basic: 'docs:' })).status, 200);
});

test('JSON at an endpoint that reads forms: 415', async () => {
  for (const path of ['/token', '/introspect', '/revoke']) {
    const { status, json } = await at.call('POST', path, { json: byPassword });
    assert.deepEqual([path, status, json.code], [path, 415, 'unsupported_media_type']);
  }
});
