// Two thousand bad inputs, made from what the server says of its own routes: none is answered with a 5xx, and the server lives on.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type { Sending } from '../fixture/caller.ts';
import { openTestHouse, type SignedIn, secretOf, type TestHouse } from '../fixture/house.ts';

interface Schema {
  readonly properties?: Record<string, Schema>;
}
interface Operation {
  readonly parameters?: readonly { name: string; in: string }[];
  readonly requestBody?: { content: Record<string, { schema: { $ref?: string } & Schema }> };
}
interface Route {
  readonly method: string;
  readonly path: string;
  readonly query: readonly string[];
  readonly type: string | null;
  readonly members: readonly string[];
}

let at: TestHouse;
let anna: SignedIn;
let root: SignedIn;
before(async () => {
  at = await openTestHouse();
  await at.signUp('anna');
  await at.signUp('root', ['admin']);
  await at.addService('billing');
  [anna, root] = [await at.logIn('anna'), await at.logIn('root')];
});
after(() => at.close());

function routes(): Route[] {
  const document = at.app.swagger() as unknown as {
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, Schema> };
  };
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody }]) => {
      const [type = null, content] = Object.entries(requestBody?.content ?? {})[0] ?? [];
      const name = content?.schema.$ref?.split('/').at(-1);
      const { properties = {} } =
        (name === undefined ? content?.schema : document.components.schemas[name]) ?? {};
      const query = parameters.filter((each) => each.in === 'query').map((each) => each.name);
      return { method: method.toUpperCase(), path, query, type, members: Object.keys(properties) };
    }),
  );
}

// Texts that broke somebody: lengths, numbers that are none, names of the language, NUL, halves of characters, queries.
const nasty = fc.constantFrom(
  '',
  ' ',
  '\0',
  '\ud800',
  '\udc00x',
  '\u202e',
  '\ufeff',
  'é',
  'e\u0301',
  '𝐚',
  'a'.repeat(300),
  'a'.repeat(5_000),
  '__proto__',
  'constructor',
  'toString',
  'null',
  'undefined',
  'NaN',
  '-1',
  '1e999',
  '0x10',
  '9007199254740993',
  "' OR 1=1 --",
  '%',
  '_%',
  '*',
  '\\',
  '"',
  '<b>',
  '../..',
  'a@b',
  'a@b.de,c@d.de',
  '@',
  ':',
  '\r\nX: y',
  '{{7*7}}',
  'a,b',
  'admin',
  'me',
);
const text = fc.oneof(nasty, fc.string({ unit: 'binary', maxLength: 40 }));
const other = fc.oneof(
  fc.constantFrom(
    null,
    true,
    0,
    -1,
    1.5,
    1e308,
    -0,
    [],
    {},
    [[]],
    { $ne: null },
    { length: 12 },
    { toString: 1 },
    ['a', 'a'],
  ),
  fc.jsonValue({ maxDepth: 3 }),
);
const anything = fc.oneof(text, other);

/** A body of the route's own members, each right or wrong, and some that nobody knows. A password is hardly ever a text: each one would be hashed. */
function objectFor(members: readonly string[]): fc.Arbitrary<object> {
  const known = members.map((name): [string, fc.Arbitrary<unknown>] => [
    name,
    /password/.test(name)
      ? fc.oneof(
          { weight: 30, arbitrary: other.filter((each) => typeof each !== 'string') },
          { weight: 1, arbitrary: text },
        )
      : anything,
  ]);
  return fc
    .tuple(
      fc.record(Object.fromEntries(known), { requiredKeys: [] }),
      fc.dictionary(text, anything, { maxKeys: 2 }),
    )
    .map(([own, extra]) => ({ ...extra, ...own }));
}

const asForm = (value: object): string =>
  Object.entries(value)
    .map(
      ([name, each]) => `${escaped(name)}=${escaped(typeof each === 'string' ? each : JSON.stringify(each))}`,
    )
    .join('&');
const escaped = (value: string): string => encodeURIComponent(value.toWellFormed());

function bodyFor({ type, members }: Route): fc.Arbitrary<Pick<Sending, 'body'> & { type: string | null }> {
  const whole = objectFor(members).map((value) =>
    type === 'application/json' ? JSON.stringify(value) : asForm(value),
  );
  const broken = fc.tuple(whole, fc.nat(), nasty).map(([one, place, letter]) => {
    const cut = place % (one.length + 1);
    return one.slice(0, cut) + letter + one.slice(cut + 1);
  });
  const bytes = fc.uint8Array({ maxLength: 60 }).map((each) => Buffer.from(each));
  const types = fc.oneof(
    { weight: 8, arbitrary: fc.constant(type) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        null,
        'text/plain',
        'application/json; charset=x',
        'application/x-www-form-urlencoded',
        'a/b',
        ',',
      ),
    },
  );
  return fc.record({
    type: types,
    body: fc.oneof(
      { weight: 5, arbitrary: whole },
      { weight: 2, arbitrary: broken },
      { weight: 1, arbitrary: bytes },
      { weight: 1, arbitrary: other.map((value) => JSON.stringify(value)) },
    ),
  });
}

/** Nobody in these inputs is let near what would end the run by being right. */
const ending = new Set([
  'DELETE /users/me',
  'DELETE /sessions',
  'POST /logout',
  'POST /logout/everywhere',
  'POST /revoke',
  'DELETE /users/{id}',
  'DELETE /users/{id}/sessions',
]);

function authorizationFor({ method, path }: Route): fc.Arbitrary<string | null> {
  const visible = fc.string({
    unit: fc
      .integer({ min: 0x20, max: 0xff })
      .filter((code) => code !== 0x7f)
      .map((code) => String.fromCharCode(code)),
    maxLength: 50,
  });
  const wrong = fc.oneof(
    visible,
    visible.map((each) => `Bearer ${each}`),
    text.map((each) => `Basic ${Buffer.from(each.toWellFormed()).toString('base64')}`),
    fc.constantFrom(
      `Bearer ${anna.access.slice(0, -3)}`,
      `Bearer ${anna.refresh}x`,
      'Basic Og==',
      'Bearer',
      '',
    ),
  );
  if (ending.has(`${method} ${path}`)) return fc.option(wrong);
  const service = `Basic ${Buffer.from(`billing:${encodeURIComponent(secretOf('billing'))}`).toString('base64')}`;
  return fc.option(
    fc.oneof(wrong, fc.constantFrom(`Bearer ${anna.access}`, `Bearer ${root.access}`, service)),
  );
}

function requestFor(route: Route): fc.Arbitrary<{
  route: Route;
  path: string;
  headers: Record<string, string>;
  body: string | Buffer | null;
}> {
  const id = fc
    .oneof(text.map(escaped), fc.constantFrom(anna.id, '%', '%ff', '%00', '..', 'a'.repeat(150)))
    .map((each) => each || 'x');
  const value = anything.map((each) => escaped(typeof each === 'string' ? each : JSON.stringify(each)));
  const pair = fc
    .tuple(fc.oneof(fc.constantFrom('x', ...route.query), text.map(escaped)), value)
    .map((each) => each.join('='));
  const query = fc
    .array(pair, { maxLength: 3 })
    .map((pairs) => (pairs.length === 0 ? '' : `?${pairs.join('&')}`));
  const body = route.type === null ? fc.constant({ type: null, body: null }) : bodyFor(route);
  return fc
    .record({ id, query, body, authorization: authorizationFor(route) })
    .map(({ id, query, body, authorization }) => ({
      route,
      path: route.path.replace('{id}', id) + query,
      body: body.body ?? null,
      headers: {
        ...(body.type !== null && { 'content-type': body.type }),
        ...(body.body != null && { 'content-length': String(Buffer.byteLength(body.body)) }),
        ...(authorization !== null && { authorization }),
      },
    }));
}

test('threat 120: 2,000 seeded bad inputs made from the routes’ own schemas: no 5xx, a refusal in its own form, alive afterwards', async () => {
  const all = routes();
  assert.ok(all.length >= 25);
  const statuses = new Map<number, number>();
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...all).chain(requestFor), async ({ route, path, headers, body }) => {
      const {
        status,
        headers: answered,
        json,
      } = await at.call(route.method, path, { headers, ...(body !== null && { body }) });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      assert.ok(status >= 200 && status < 500, `${status}`);
      assert.equal(answered['x-content-type-options'], 'nosniff');
      if (status < 400) return;
      assert.match(answered['content-type'] ?? '', /^application\/(problem\+)?json; charset=utf-8$/);
      assert.ok(typeof json.code === 'string' && json.code !== 'internal');
      assert.equal(status === 401, answered['www-authenticate'] !== undefined && status !== 403);
    }),
    { seed: 120, numRuns: 2_000, endOnFailure: false },
  );
  // The inputs are bad in many ways, and not all refused at the same door.
  for (const status of [200, 400, 401, 403, 404, 415, 422])
    assert.ok(statuses.has(status), `no ${status}: ${[...statuses]}`);
  assert.equal((await at.call('GET', '/healthz')).status, 200);
  assert.equal((await at.call('GET', '/users/me', { bearer: anna.access })).status, 200);
  assert.equal((await at.call('GET', '/users', { bearer: root.access })).status, 200);
  assert.ok(at.answered.every((answer) => !answer.includes('$argon2')));
});
