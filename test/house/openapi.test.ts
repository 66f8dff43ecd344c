// The OpenAPI document against the server that it speaks of: valid, whole, locked where the server is, and true of real answers.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Compile } from 'typebox/compile';
import type { Answer, Sending } from '../fixture/caller.ts';
import { openTestHouse, passwordOf, secretOf, type TestHouse } from '../fixture/house.ts';

type Json = Record<string, unknown>;
interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly tags?: readonly string[];
  readonly security?: readonly Record<string, readonly string[]>[];
  readonly parameters?: readonly { name: string; in: string; schema: Json }[];
  readonly requestBody?: { content: Record<string, { schema: Json; example?: unknown; examples?: Json }> };
  readonly responses: Record<string, { description: string; content?: Record<string, { schema: Json }> }>;
}

let at: TestHouse;
let document: {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Json> };
};

before(async () => {
  at = await openTestHouse();
  document = (await at.call('GET', '/openapi.json')).json;
});
after(() => at.close());

const operations = (): [string, string, Operation][] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]): [string, string, Operation] => [
      method,
      path,
      operation,
    ]),
  );

/** A schema with every reference replaced by what it refers to. */
function resolved(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(resolved);
  if (typeof value !== 'object' || value === null) return value;
  const { $ref } = value as { $ref?: unknown };
  if (typeof $ref === 'string') {
    const name = /^#\/components\/schemas\/(\w+)$/.exec($ref)?.[1];
    assert.ok(name !== undefined && name in document.components.schemas, $ref);
    return resolved(document.components.schemas[name]);
  }
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [name, name === 'examples' ? each : resolved(each)]),
  );
}

function matches(schema: unknown, value: unknown): boolean {
  return Compile(resolved(schema) as never).Check(value);
}

test('the document is valid OpenAPI 3.1, with the password grant and without', async () => {
  const without = await openTestHouse({ passwordGrant: false });
  try {
    for (const house of [at, without]) {
      const { json } = await house.call('GET', '/openapi.json');
      const validator = new Validator();
      const result = await validator.validate(json);
      assert.ok(result.valid, JSON.stringify(result.errors));
      assert.equal(validator.version, '3.1');
    }
  } finally {
    await without.close();
  }
});

test('every route of the server is in the document but the pages, and nothing else is', () => {
  const pages = new Set(['/', '/docs', '/redoc', '/openapi.json']);
  const routes = routesOf(at.app.printRoutes({ commonPrefix: false })).filter(
    ([method, path]) =>
      method !== 'HEAD' && method !== 'OPTIONS' && !pages.has(path) && !/^\/(docs|redoc)\//.test(path),
  );
  const mounted = routes.map(([method, path]) => `${method} ${path.replace(/:(\w+)/g, '{$1}')}`).sort();
  assert.ok(mounted.length >= 25, mounted.join('\n'));
  assert.deepEqual(
    operations()
      .map(([method, path]) => `${method.toUpperCase()} ${path}`)
      .sort(),
    mounted,
  );
});

/** Method and path of each line of the tree that Fastify prints. */
function routesOf(tree: string): [string, string][] {
  const above: string[] = [];
  return tree.split('\n').flatMap((line) => {
    const [, indent = '', part = '', methods] = /^([│├└─\s]*)(\S+)(?: \(([A-Z, ]+)\))?$/.exec(line) ?? [];
    if (part === '') return [];
    const depth = indent.length / 4;
    above.length = depth;
    above[depth] = part;
    const path = above.join('').replace(/^\/+/, '/');
    return (methods ?? '')
      .split(', ')
      .filter(Boolean)
      .map((method): [string, string] => [method, path]);
  });
}

test('every operation has a name of its own, a summary, one tag, and says what it answers', () => {
  const ids = operations().map(([, , { operationId }]) => operationId);
  assert.equal(new Set(ids).size, ids.length);
  for (const [method, path, { operationId, summary, tags, responses }] of operations()) {
    assert.ok(
      /^[a-z]\w+$/i.test(operationId ?? '') && summary !== undefined && tags?.length === 1,
      `${method} ${path}`,
    );
    assert.ok(
      Object.keys(responses).some((status) => status.startsWith('2')),
      `${method} ${path}`,
    );
  }
});

test('a route is locked in the document exactly where the server refuses who brings nothing', async () => {
  for (const [method, path, { security = [], requestBody, responses }] of operations()) {
    // A body that fits, so that a refusal is not for the body.
    const [type, content] = Object.entries(requestBody?.content ?? {})[0] ?? [];
    const example = type === undefined ? undefined : exampleOf(content!.schema, content);
    const sending: Sending =
      type === undefined
        ? {}
        : type === 'application/json'
          ? { json: example }
          : { form: example as Record<string, string> };
    const given = path.startsWith('/log') && path.includes('out') ? {} : sending;
    const { status } = await at.call(method.toUpperCase(), path.replace('{id}', 'x'), given);
    const isOpen = security.length === 0 || security.some((lock) => Object.keys(lock).length === 0);
    // These take a password or a refresh token in the body, which the example has and nobody knows.
    const takesCredentials =
      ['/login', '/login/fresh', '/refresh', '/token'].includes(path) && method === 'post';
    if (takesCredentials) continue;
    assert.equal(status !== 401, isOpen, `${method} ${path} ${status}`);
    assert.ok(isOpen || '401' in responses, `${method} ${path} documents no 401`);
  }
});

/** The example of a schema as the document gives it. */
function exampleOf(schema: Json, content: { example?: unknown; examples?: Json } = {}): unknown {
  if (content.example !== undefined) return content.example;
  const named = Object.values(content.examples ?? {})[0] as { value?: unknown } | undefined;
  return named?.value ?? ((resolved(schema) as { examples?: unknown[] }).examples ?? [])[0];
}

test('every example is of its own schema', () => {
  const examples = examplesIn(document);
  assert.ok(examples.length > 20, String(examples.length));
  for (const [schema, example] of examples) {
    assert.ok(matches(schema, example), `${JSON.stringify(example)} in ${JSON.stringify(schema)}`);
  }
});

/** Every example below a part of the document, with its schema: those that a schema holds, and those that stand beside one. */
function examplesIn(part: unknown): [unknown, unknown][] {
  if (typeof part !== 'object' || part === null) return [];
  if (Array.isArray(part)) return part.flatMap(examplesIn);
  const { schema, example, examples } = part as { schema?: unknown; example?: unknown; examples?: unknown };
  const beside = Object.values((examples ?? {}) as Record<string, Json>).map(({ value }) => value);
  const own = Array.isArray(examples) ? examples.map((each): [unknown, unknown] => [part, each]) : [];
  const of = schema === undefined ? [] : [example, ...beside].filter((each) => each !== undefined);
  const below = Object.entries(part).filter(([name]) => name !== 'examples' && name !== 'example');
  return [
    ...own,
    ...of.map((each): [unknown, unknown] => [schema, each]),
    ...below.flatMap(([, each]) => examplesIn(each)),
  ];
}

test('every schema that is referred to is there, and every one that is there is referred to', () => {
  const referred = new Set(
    [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name),
  );
  assert.deepEqual([...referred].sort(), Object.keys(document.components.schemas).sort());
});

test('what a walk through the whole API is answered with is what the document says', async () => {
  const seen = new Set<string>();
  const ask = async (
    method: string,
    template: string,
    expected: number,
    sending: Sending & { id?: string } = {},
  ): Promise<Answer> => {
    const { id = '', ...rest } = sending;
    const answer = await at.call(method, template.replace('{id}', id), rest);
    assert.equal(answer.status, expected, `${method} ${template} ${answer.text}`);
    isAsDocumented(method, template, answer);
    seen.add(`${method} ${template.split('?')[0]}`);
    return answer;
  };
  const json = {
    username: 'dora',
    email: 'dora@example.com',
    password: passwordOf('dora'),
    profile: { level: 'beginner' },
  };
  await ask('POST', '/signup', 422, { json: { username: 'dora' } });
  await ask('POST', '/signup', 415, { form: 'a=b' });
  const { json: user } = await ask('POST', '/signup', 201, { json });
  await ask('POST', '/signup', 409, { json });
  await ask('POST', '/login', 401, { json: { username: 'dora', password: 'wrong word here' } });
  await ask('POST', '/login', 400, { body: '{', headers: { 'content-type': 'application/json' } });
  const { json: first } = await ask('POST', '/login', 200, {
    json: { username: 'dora', password: json.password },
  });
  await ask('GET', '/login', 401);
  await ask('GET', '/login', 403, { headers: { 'sec-fetch-site': 'cross-site' } });
  await ask('GET', '/login', 200, { basic: `dora:${json.password}` });
  const credentials = { username: 'dora', password: json.password };
  await ask('POST', '/login/fresh', 200, { json: credentials });
  await ask('POST', '/login/fresh', 200, { json: credentials, bearer: first.access_token });
  await ask('POST', '/refresh', 401, { json: { refresh_token: 'x' } });
  await ask('POST', '/refresh', 422, { json: {} });
  const { json: second } = await ask('POST', '/refresh', 200, {
    json: { refresh_token: first.refresh_token },
  });
  const bearer = first.access_token;
  await ask('GET', '/users/me', 401);
  await ask('GET', '/users/me', 200, { bearer });
  await ask('PATCH', '/users/me', 200, { bearer, json: { profile: { level: 'expert' } } });
  await ask('PATCH', '/users/me', 422, { bearer, json: { username: 1 } });
  const { json: devices } = await ask('GET', '/users/me/sessions', 200, { bearer });
  const elsewhere = devices.data.find((device: { current: boolean }) => !device.current);
  await ask('DELETE', '/users/me/sessions/{id}', 204, { bearer, id: elsewhere.id });
  await ask('DELETE', '/users/me/sessions/{id}', 404, { bearer, id: 'x' });
  await ask('POST', '/users/me/password', 403, {
    bearer,
    json: { current_password: 'x', new_password: 'yet another 77 socks' },
  });
  await ask('POST', '/users/me/password', 204, {
    bearer,
    json: { current_password: json.password, new_password: 'yet another 77 socks' },
  });
  await ask('DELETE', '/users/me', 401, { bearer: second.access_token });
  await ask('POST', '/token', 400, { form: 'grant_type=x' });
  const { json: pair } = await ask('POST', '/token', 200, {
    form: { grant_type: 'password', username: 'dora', password: 'yet another 77 socks' },
  });
  await at.addService('billing');
  const basic = `billing:${encodeURIComponent(secretOf('billing'))}`;
  await ask('POST', '/introspect', 401, { form: { token: 'x' } });
  await ask('POST', '/introspect', 200, { form: { token: pair.access_token }, basic });
  await ask('POST', '/introspect', 200, { form: { token: 'x' }, basic });
  await ask('POST', '/revoke', 400, { form: '' });
  await ask('POST', '/revoke', 200, { form: { token: pair.access_token } });
  await ask('POST', '/logout', 401);
  await ask('POST', '/logout', 204, { bearer: pair.refresh_token });
  await ask('GET', '/users', 403, { bearer: second.access_token });
  await at.signUp('root', ['admin']);
  const { access: admin } = await at.logIn('root');
  await ask('GET', '/users?limit=1', 200, { bearer: admin });
  await ask('GET', '/users?limit=no', 422, { bearer: admin });
  const { json: made } = await ask('POST', '/users', 201, {
    bearer: admin,
    json: { username: 'ella', password: passwordOf('ella') },
  });
  await ask('GET', '/users/{id}', 200, { bearer: admin, id: made.id });
  await ask('GET', '/users/{id}', 404, { bearer: admin, id: 'x' });
  await ask('PATCH', '/users/{id}', 200, { bearer: admin, id: made.id, json: { disabled: true } });
  await ask('DELETE', '/users/{id}/sessions', 204, { bearer: admin, id: made.id });
  await ask('DELETE', '/users/{id}', 204, { bearer: admin, id: made.id });
  const { access } = await at.logIn('root');
  await ask('POST', '/logout/everywhere', 204, { bearer: access });
  const fresh = await at.latchkey.logIn({ name: 'dora', password: 'yet another 77 socks' });
  await ask('DELETE', '/users/me', 204, { bearer: fresh.accessToken });
  assert.equal(await at.latchkey.users.find(user.id), null);
  await ask('DELETE', '/sessions', 204, { bearer: (await at.logIn('root')).access });
  for (const path of [
    '/healthz',
    '/readyz',
    '/.well-known/jwks.json',
    '/.well-known/oauth-authorization-server',
  ])
    await ask('GET', path, 200);
  assert.deepEqual(
    operations()
      .map(([method, path]) => `${method.toUpperCase()} ${path}`)
      .filter((each) => !seen.has(each)),
    [],
  );
});

function isAsDocumented(method: string, template: string, { status, headers, json, text }: Answer): void {
  const where = `${method} ${template} ${status}`;
  const response = document.paths[template.split('?')[0]!]?.[method.toLowerCase()]?.responses[status];
  assert.ok(response !== undefined, `${where} is not in the document`);
  const type = headers['content-type']?.split(';')[0];
  if (response.content === undefined) assert.equal(text, '', where);
  if (response.content === undefined) return;
  const documented = response.content[type ?? ''];
  assert.ok(documented !== undefined, `${where}: ${type}`);
  assert.ok(matches(documented.schema, json), `${where}: ${text}`);
}
