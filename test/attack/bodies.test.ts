// Bodies that are wrong, too rich, or not what their label says: a refusal that names the field and tells nothing else, and no effect.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Answer } from '../fixture/caller.ts';
import { openTestHouse, passwordOf, type SignedIn, type TestHouse } from '../fixture/house.ts';

let at: TestHouse;
let anna: SignedIn;
let bertId: string;
before(async () => {
  at = await openTestHouse();
  await at.signUp('anna');
  bertId = await at.signUp('bert');
  anna = await at.logIn('anna');
});
after(() => at.close());

const typed = (path: string, type: string | null, body: string | Buffer, method = 'POST') =>
  at.call(method, path, {
    body,
    headers: {
      'content-length': String(Buffer.byteLength(body)),
      ...(type !== null && { 'content-type': type }),
    },
  });
const jsonRoutes = ['/signup', '/login', '/login/fresh', '/refresh', '/logout', '/logout/everywhere'];

/** A refusal of RFC 9457 that tells nothing of the inside. */
function isProblem({ status, headers, json, text }: Answer, expected: number, code: string, why = ''): void {
  assert.deepEqual([why, status, json?.code], [why, expected, code], text);
  assert.equal(headers['content-type'], 'application/problem+json; charset=utf-8', why);
  assert.equal(headers['cache-control'], 'no-store', why);
  assert.equal(json.status, status, why);
  const members = ['type', 'title', 'status', 'detail', 'code', 'request_id', 'errors'];
  assert.deepEqual(
    Object.keys(json).filter((name) => !members.includes(name)),
    [],
  );
  assert.doesNotMatch(
    text,
    /node_modules|\.[tj]s\b|\bat \w+ \(|SELECT|INSERT|SQLITE|sqlite|fastify|FST_|typebox|v\d+\.\d+/i,
    why,
  );
}

test('threat 117: another media type than JSON: 415, on every route that reads a body', async () => {
  const body = JSON.stringify({ username: 'x', password: passwordOf('x') });
  for (const path of jsonRoutes) {
    for (const type of [
      'text/plain',
      'application/x-www-form-urlencoded',
      'multipart/form-data; boundary=x',
      'application/xml',
      'application/jsonp',
      'application/json+x',
      'text/json',
      '*/*',
      'nonsense',
    ]) {
      isProblem(await typed(path, type, body), 415, 'unsupported_media_type', `${path} ${type}`);
    }
    isProblem(await typed(path, null, body), 415, 'unsupported_media_type', `${path} without a type`);
  }
});

test('threat 117: malformed JSON, and what is not UTF-8: 400', async () => {
  const bodies = [
    '',
    '{',
    '{"a":1,}',
    "{'a':1}",
    '{"a":NaN}',
    '{"a":01}',
    '{"a":"\t"}',
    '[1',
    '{}{}',
    '{} x',

    'undefined',
    '{"a":"\\x"}',
    '/**/{}',
    Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
    Buffer.from('{"username":"\xe9"}', 'latin1'),
    Buffer.from('{}', 'utf16le'),
    Buffer.from([0x22, 0xed, 0xa0, 0x80, 0x22]),
    Buffer.from([0x22, 0xc0, 0xaf, 0x22]),
    '['.repeat(60_000),
    '{"a":'.repeat(10_000),
  ];
  for (const path of jsonRoutes) {
    for (const body of bodies) {
      isProblem(
        await typed(path, 'application/json', body),
        400,
        'malformed_json',
        `${path} ${String(body).slice(0, 20)}`,
      );
    }
  }
});

test('JSON that is no object, or has fields of another type: 422 that names them', async () => {
  for (const body of ['null', '1', '"x"', '[]', 'true', '[{"username":"a","password":"b"}]']) {
    isProblem(await typed('/signup', 'application/json', body), 422, 'invalid_input', body);
    isProblem(await typed('/login', 'application/json', body), 422, 'invalid_input', body);
  }
  const answer = await at.call('POST', '/signup', {
    json: { username: { $ne: null }, email: ['a@example.com'], password: 12345678 },
  });
  isProblem(answer, 422, 'invalid_input');
  assert.deepEqual(answer.json.errors.map(({ field }: { field: string }) => field).sort(), [
    'email',
    'password',
    'username',
  ]);
  const none = await at.call('POST', '/signup', { json: {} });
  assert.deepEqual(none.json.errors, [{ field: 'password', code: 'required', detail: 'is required.' }]);
});

test('threat 35: JSON as deep as a body can be is refused like any other, wherever it stands', async () => {
  const deep = {
    list: `${'['.repeat(31_000)}${']'.repeat(31_000)}`,
    object: `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
  };
  for (const value of Object.values(deep)) {
    for (const body of [
      value,
      `{"username":${value}}`,
      `{"username":"deep","password":"${passwordOf('deep')}","profile":{"a":${value}}}`,
    ]) {
      for (const path of ['/signup', '/login', '/refresh']) {
        const { status } = await typed(path, 'application/json', body);
        assert.ok(status >= 400 && status < 500, `${path} ${status} ${body.slice(0, 60)}`);
      }
    }
    const body = `{"profile":{"a":${value}},"__proto__":1}`;
    const { status } = await at.call('PATCH', '/users/me', {
      bearer: anna.access,
      body,
      headers: { 'content-type': 'application/json' },
    });
    assert.ok(status >= 400 && status < 500, String(status));
  }
});

test('threat 117: a wrong method: 405 with Allow; an unknown path: 404', async () => {
  for (const [method, path, allow] of [
    ['PUT', '/login', 'GET, POST'],
    ['DELETE', '/login', 'GET, POST'],
    ['HEAD', '/login', 'GET, POST'],
    ['GET', '/signup', 'POST'],
    ['HEAD', '/signup', 'POST'],
    ['PUT', '/users/me', 'DELETE, GET, HEAD, PATCH'],
    ['POST', '/users/x', 'DELETE, GET, HEAD, PATCH'],
    ['PUT', '/users?x=1', 'GET, HEAD, POST'],
    ['POST', '/users/me/sessions/x', 'DELETE'],
    ['POST', '/healthz', 'GET, HEAD'],
    ['TRACE', '/logout', 'POST'],
    ['PROPFIND', '/', 'GET, HEAD'],
    ['OPTIONS', '/login', 'GET, POST'],
  ] as const) {
    const { status, headers } = await at.call(method, path);
    assert.deepEqual([method, path, status, headers.allow], [method, path, 405, allow]);
  }
  for (const path of [
    '/nothing',
    '/login/',
    '/users/me/nothing',
    '/.env',
    '/.git/config',
    '/admin',
    '/users/a/b/c',
    '/api',
    '/metrics/x',
    '/%00',
  ]) {
    for (const method of ['GET', 'POST', 'DELETE'])
      isProblem(await at.call(method, path), 404, 'not_found', path);
  }
});

test('threat 118: a refusal of every kind is problem+json with its own status, without a stack, a path, SQL or a version', async () => {
  const { access } = anna;
  isProblem(await typed('/signup', 'application/json', '{'), 400, 'malformed_json');
  isProblem(await at.call('GET', '/users/%ff'), 400, 'malformed_request');
  isProblem(await at.call('GET', `/users/${'x'.repeat(300)}`, { bearer: access }), 400, 'malformed_request');
  isProblem(await at.call('GET', '/users/me'), 401, 'token_missing');
  isProblem(await at.call('GET', '/users', { bearer: access }), 403, 'insufficient_scope');
  isProblem(await at.call('DELETE', '/users/me/sessions/x', { bearer: access }), 404, 'not_found');
  isProblem(await at.call('PUT', '/login'), 405, 'method_not_allowed');
  isProblem(
    await at.call('POST', '/signup', { json: { username: 'anna', password: passwordOf('other') } }),
    409,
    'username_taken',
  );
  isProblem(
    await at.call('POST', '/signup', { json: { username: 'x', password: 'x'.repeat(70_000) } }),
    413,
    'body_too_large',
  );
  isProblem(await typed('/signup', 'text/plain', 'x'), 415, 'unsupported_media_type');
  isProblem(
    await at.call('POST', '/signup', { json: { username: 'x', password: 'short' } }),
    422,
    'password_refused',
  );
  isProblem(await at.call('GET', '/docs/static/nothing.js'), 404, 'not_found');
  isProblem(await at.call('GET', '/docs/static/..%2f..%2f..%2fpackage.json'), 404, 'not_found');
});

test('threat 118: a fault of ours: 500 that says nothing of it', async (t) => {
  t.mock.method(at.house.store.accounts, 'find', async () => {
    throw new Error('SELECT secret FROM users at /srv/latchkey/src/store.ts');
  });
  isProblem(await at.call('GET', '/users/me', { bearer: anna.access }), 500, 'internal');
  t.mock.method(at.house.store.accounts, 'findByUsernameKey', async () => {
    throw Object.assign(new Error('SQLITE_CORRUPT'), { code: 'SQLITE_CORRUPT' });
  });
  isProblem(await at.call('POST', '/login', { json: { username: 'anna', password: 'x' } }), 500, 'internal');
  const form = { grant_type: 'password', username: 'anna', password: 'x' };
  isProblem(await at.call('POST', '/token', { form }), 500, 'internal');
});

test('threat 119: no spelling of Content-Type gets a body past its shape (CVE-2025-32442, CVE-2026-25223, CVE-2026-33806)', async () => {
  const body = '{"username":["mallory"],"password":{"length":12},"profile":1}';
  const good = '{"username":"x","password":"short"}';
  for (const type of [
    'application/json',
    'Application/JSON',
    'application/json ',
    ' application/json',
    '\tapplication/json',
    'application/json\t',
    'application/json;',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-16',
    'application/json ; x',
    'application/json\t; charset=utf-8',
    'application/json,text/plain',
    'application/json, application/json',
    'text/plain, application/json',
    'application/jsonx',
    'application/ json',
    'application /json',
    'application/json;;',
    'application/json; charset="',
    'application/problem+json',
    'application/x-www-form-urlencoded',
    'application/json\xa0',
    '"application/json"',
    'APPLICATION/JSON;a=b;a=c',
  ]) {
    for (const path of ['/signup', '/login', '/login/fresh']) {
      for (const [sent, statuses] of [
        [body, [400, 415, 422]],
        [good, [400, 401, 415, 422]],
      ] as const) {
        const { status } = await typed(path, type, sent);
        assert.ok(statuses.includes(status as never), `${path} ${JSON.stringify(type)} ${status}`);
      }
    }
  }
  assert.equal(await at.latchkey.users.findByName('mallory'), null);
  const twice = `POST /signup HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${body.length}\r\n`;
  for (const types of [
    ['application/json', 'text/plain'],
    ['text/plain', 'application/json'],
  ]) {
    const { statuses } = await at.raw(
      `${twice}${types.map((type) => `Content-Type: ${type}\r\n`).join('')}\r\n${body}`,
    );
    assert.ok(statuses.length === 1 && [400, 415, 422].includes(statuses[0]!), String(statuses));
  }
});

const extra = {
  id: 'mine',
  user_id: 'x',
  userId: 'x',
  sub: 'x',
  role: 'admin',
  roles: ['admin'],
  scope: 'admin',
  scopes: ['admin'],
  is_admin: true,
  admin: true,
  disabled: true,
  email_verified: true,
  emailVerified: true,
  verified: true,
  epoch: 99,
  version: 99,
  passwordHash: 'x',
  password_hash: 'x',
  created_at: '1970-01-01',
  createdAt: 0,
  sid: 'x',
  fresh: true,
};
const polluting =
  '"__proto__":{"scopes":["admin"],"polluted":true},"constructor":{"prototype":{"scopes":["admin"],"polluted":true}}';

test('threat 99: members that nobody asked for change nothing at sign-up, __proto__ and constructor among them', async () => {
  const body = JSON.stringify({ username: 'carla', password: passwordOf('carla'), ...extra });
  const { status, json } = await typed('/signup', 'application/json', `${body.slice(0, -1)},${polluting}}`);
  assert.equal(status, 201);
  assert.deepEqual([json.scopes, json.disabled, json.email_verified, json.profile], [[], false, false, {}]);
  assert.notEqual(json.id, 'mine');
  assert.equal(({} as { polluted?: true }).polluted, undefined);
  const logIn = `{"username":"carla","password":${JSON.stringify(passwordOf('carla'))},"scope":"admin","scopes":["admin"],${polluting}}`;
  const tokens = await typed('/login', 'application/json', logIn);
  assert.deepEqual([tokens.status, tokens.json.scope], [200, '']);
  assert.equal((await at.call('GET', '/users', { bearer: tokens.json.access_token })).status, 403);
});

test('threat 99: members that nobody asked for change nothing in one’s own account', async () => {
  const before = (await at.call('GET', '/users/me', { bearer: anna.access })).json;
  const { status, json } = await at.call('PATCH', '/users/me', { bearer: anna.access, json: extra });
  assert.deepEqual([status, json], [200, before]);
  const polluted = await at.call('PATCH', '/users/me', {
    bearer: anna.access,
    body: `{"profile":{"a":1,${polluting},"deep":{"__proto__":{"polluted":true}}},${polluting}}`,
    headers: { 'content-type': 'application/json' },
  });
  assert.deepEqual([polluted.status, polluted.json.profile], [200, { a: 1, deep: {} }]);
  assert.equal(({} as { polluted?: true }).polluted, undefined);
  const { json: after } = await at.call('GET', '/users/me', { bearer: anna.access });
  assert.deepEqual(
    [after.scopes, after.disabled, after.email_verified, after.id],
    [[], false, false, anna.id],
  );
});

test('threat 99: an administrator’s change takes no password and no id', async () => {
  await at.signUp('root', ['admin']);
  const { access } = await at.logIn('root');
  const { status, json } = await at.call('PATCH', `/users/${bertId}`, {
    bearer: access,
    json: { id: 'x', password: 'set by an admin 77', password_hash: 'x', epoch: 5, profile: { a: 1 } },
  });
  assert.deepEqual([status, json.id, json.profile], [200, bertId, { a: 1 }]);
  assert.equal(
    (await at.call('POST', '/login', { json: { username: 'bert', password: 'set by an admin 77' } })).status,
    401,
  );
  assert.equal(
    (await at.call('POST', '/login', { json: { username: 'bert', password: passwordOf('bert') } })).status,
    200,
  );
});

test('threat 100: an id in a body, in the query or in a header never says whose account it is (CVE-2025-61928)', async () => {
  const ids = { id: bertId, user_id: bertId, userId: bertId, sub: bertId, user: bertId, username: undefined };
  const query = new URLSearchParams({
    id: bertId,
    user_id: bertId,
    userId: bertId,
    sub: bertId,
    username: 'bert',
  }).toString();
  const headers = {
    'x-user-id': bertId,
    'x-user': bertId,
    'x-forwarded-user': bertId,
    'remote-user': bertId,
  };
  assert.equal((await at.call('GET', `/users/me?${query}`, { headers })).status, 401);
  assert.equal((await at.call('PATCH', `/users/me?${query}`, { json: ids, headers })).status, 401);
  const read = await at.call('GET', `/users/me?${query}`, { bearer: anna.access, headers });
  assert.equal(read.json.id, anna.id);
  const changed = await at.call('PATCH', `/users/me?${query}`, {
    bearer: anna.access,
    headers,
    json: { ...ids, profile: { mark: 'anna' } },
  });
  assert.equal(changed.json.id, anna.id);
  assert.notEqual((await at.latchkey.users.find(bertId))?.profile.mark, 'anna');
  const change = { ...ids, current_password: passwordOf('bert'), new_password: 'taken over 77 times' };
  const refused = await at.call('POST', `/users/me/password?${query}`, {
    bearer: anna.access,
    headers,
    json: change,
  });
  assert.deepEqual([refused.status, refused.json.code], [403, 'wrong_password']);
  const devices = await at.call('GET', `/users/me/sessions?${query}`, { bearer: anna.access, headers });
  const sids = (await at.latchkey.sessions.list(bertId)).map(({ id }) => id);
  assert.ok(sids.length > 0 && sids.every((id) => !devices.text.includes(id)));
  for (const id of sids) {
    assert.equal((await at.call('DELETE', `/users/me/sessions/${id}`, { bearer: anna.access })).status, 404);
  }
  assert.equal((await at.latchkey.sessions.list(bertId)).length, sids.length);
});

test('threat 74: a session id that a client brings along is never adopted', async () => {
  const [mine] = await at.latchkey.sessions.list(anna.id);
  const { json } = await at.call('POST', '/login', {
    json: { username: 'bert', password: passwordOf('bert'), sid: mine!.id, session_id: mine!.id },
    headers: { cookie: `sid=${mine!.id}; session=${mine!.id}`, 'x-session-id': mine!.id },
  });
  const { sid } = JSON.parse(Buffer.from(json.access_token.split('.')[1], 'base64url').toString('utf8'));
  assert.notEqual(sid, mine!.id);
});
