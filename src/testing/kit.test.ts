// The kit is judged by a guard of the house: each state must get from it the answer that its name promises. The assertions are
// judged by routes that are open in one way each.
import assert, { AssertionError } from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, test } from 'node:test';
import { Type } from 'typebox';
import { turnableClock } from '../clock.ts';
import { isLatchkeyError, StartError } from '../errors.ts';
import { fetchGuard } from '../guards/node.ts';
import type { Closing } from './assert-closed.ts';
import { testLatchkey } from './kit.ts';
import { type TokenState, tokenStates } from './mint.ts';
import { testPassword } from './people.ts';

const kit = await testLatchkey({ hooks: { claims: () => ({ plan: 'free' }) } });
const { auth, clock, mint } = kit;
after(() => kit.close());

type Handler = (request: Request) => Response | Promise<Response>;
type Ask = (token: string | null) => Promise<Response>;

/** A route as a test asks it. */
function asking(handler: Handler): Ask {
  return async (token) => {
    const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
    return handler(new Request('https://api.example/', { headers }));
  };
}

const { required, optional, fresh, refresh, scope, anyScope } = fetchGuard(auth);
const answer = (): Response => Response.json({});
const ask = {
  required: asking(required(answer)),
  optional: asking(optional(answer)),
  fresh: asking(fresh(answer)),
  refresh: asking(refresh(answer)),
  both: asking(scope('posts:read', 'posts:write')(answer)),
  either: asking(anyScope('posts:read', 'posts:write')(answer)),
  open: asking(answer),
};

async function codeOf(response: Response): Promise<string> {
  return response.ok ? 'let in' : ((await response.json()) as { code: string }).code;
}

const byRequired: Readonly<Record<TokenState, string>> = {
  good: 'let in',
  stale: 'let in',
  expired: 'token_expired',
  notYetValid: 'token_invalid',
  wrongAudience: 'token_invalid',
  wrongIssuer: 'token_invalid',
  wrongKey: 'token_invalid',
  refresh: 'token_invalid',
  revoked: 'signed_out',
  disabled: 'disabled',
  garbage: 'token_invalid',
};

test('each state gets from a guard the answer that its name promises', async () => {
  for (const state of tokenStates) {
    assert.equal(await codeOf(await ask.required(await mint(state))), byRequired[state], state);
  }
  assert.equal(await codeOf(await ask.fresh(await mint('good'))), 'let in');
  assert.equal(await codeOf(await ask.fresh(await mint('stale'))), 'stale_authentication');
  assert.equal(await codeOf(await ask.refresh(await mint('refresh'))), 'let in');
});

/** The claims of a token, unverified. */
function claimsIn(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString());
}

test('a state is wrong in that one way: whatever else it says is what a good token says', async () => {
  const user = await kit.user({ scopes: ['posts:read'] });
  const good = claimsIn(await mint('good', { user }));
  const differing = async (state: TokenState): Promise<string[]> => {
    const claims = claimsIn(await mint(state, { user }));
    const names = new Set([...Object.keys(good), ...Object.keys(claims)]);
    const perToken = ['jti', 'sid', 'epoch'];
    return [...names].filter(
      (name) => !perToken.includes(name) && claims[name] !== good[name] && name !== 'amr',
    );
  };
  const life = async (state: TokenState): Promise<number> => {
    const { iat, exp } = claimsIn(await mint(state, { user }));
    return Number(exp) - Number(iat);
  };
  assert.equal(await life('expired'), await life('good'));
  assert.equal(await life('notYetValid'), await life('good'));
  // The header, with the name of the key, is the house's own.
  const [header] = (await mint('good')).split('.');
  assert.equal((await mint('wrongKey')).split('.')[0], header);
  assert.deepEqual(await differing('good'), []);
  assert.deepEqual(await differing('stale'), ['fresh']);
  assert.deepEqual(await differing('expired'), ['iat', 'exp']);
  assert.deepEqual(await differing('notYetValid'), ['iat', 'exp']);
  assert.deepEqual(await differing('wrongAudience'), ['aud']);
  assert.deepEqual(await differing('wrongIssuer'), ['iss']);
  assert.deepEqual(await differing('wrongKey'), []);
  assert.deepEqual(await differing('revoked'), []);
  assert.deepEqual(await differing('disabled'), []);
});

test('a token is of the account, the scopes and the claims that are asked for', async () => {
  const user = await kit.user({ username: 'ada', scopes: ['posts:read'] });
  const claims = auth.verify(await mint('good', { user, claims: { plan: 'paid' } }));
  assert.deepEqual(
    [claims.sub, claims.preferred_username, claims.scope, claims.plan],
    [user.id, 'ada', 'posts:read', 'paid'],
  );
  assert.equal(auth.verify(await mint('good', { user, scopes: ['a', 'b'] })).scope, 'a b');
  assert.equal(auth.verify(await mint('good', { scopes: ['a'] })).scope, 'a');
  assert.equal(auth.verify(await mint('good')).scope, '');
  assert.equal(auth.verify(await mint('good')).plan, 'free');
});

test('anyone can be logged in as, and with the password too', async () => {
  const user = await kit.user({ profile: { level: 'beginner' } });
  assert.deepEqual(user.profile, { level: 'beginner' });
  const tokens = await kit.logInAs(user);
  assert.equal(await codeOf(await ask.fresh(tokens.accessToken)), 'let in');
  const next = await auth.refresh(tokens.refreshToken);
  assert.equal(auth.verify(next.accessToken).sub, user.id);
  const byPassword = await auth.logIn({ name: user.username!, password: testPassword });
  assert.equal(byPassword.user.id, user.id);
});

test('a disabled account logs in no way, but has a token in the state that is named for it', async () => {
  const user = await kit.user({ disabled: true });
  const disabled = (error: unknown): boolean => isLatchkeyError(error) && error.code === 'disabled';
  await assert.rejects(kit.logInAs(user), disabled);
  await assert.rejects(mint('good', { user }), disabled);
  assert.equal(await codeOf(await ask.required(await mint('disabled', { user }))), 'disabled');
  assert.equal((await auth.users.find(user.id))?.disabled, true);
  await assert.rejects(
    kit.logInAs({ id: 'nobody' }),
    (error) => isLatchkeyError(error) && error.code === 'not_found',
  );
});

const closings: readonly (readonly [Closing, Ask])[] = [
  ['required', ask.required],
  ['optional', ask.optional],
  ['fresh', ask.fresh],
  ['refresh', ask.refresh],
  [{ scope: ['posts:read', 'posts:write'] }, ask.both],
  [{ anyScope: ['posts:read', 'posts:write'] }, ask.either],
];

test('every word of a guard is found to be closed as it says', async () => {
  for (const [closing, route] of closings) await kit.assertClosed(route, closing);
});

test('who asks can be chosen, and can still log in afterwards', async () => {
  const user = await kit.user();
  const mine = required((who) => new Response(null, { status: who.id === user.id ? 200 : 404 }));
  await assert.rejects(kit.assertClosed(asking(mine), 'required'), AssertionError);
  await kit.assertClosed(asking(mine), 'required', { user });
  assert.ok(await kit.logInAs(user));
});

/** The names that an assertion complains of. */
async function complaints(route: Ask, closing: Closing): Promise<string[]> {
  const error = await kit.assertClosed(route, closing).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error === null) return [];
  assert.ok(error instanceof AssertionError);
  return [...error.message.matchAll(/^ {2}(.+): answered \d+/gm)].map(([, name]) => name!);
}

test('an open route is complained of, with every token that it must not take', async () => {
  const wrong = tokenStates.filter((state) => byRequired[state] !== 'let in');
  assert.deepEqual(await complaints(ask.open, 'required'), ['no token', ...wrong]);
  assert.deepEqual(await complaints(ask.open, 'optional'), wrong);
  for (const [closing] of closings) assert.ok((await complaints(ask.open, closing)).length > 0);
});

test('a route that is closed to everybody, or is not there, is complained of', async () => {
  const shut = asking(() => new Response(null, { status: 403 }));
  assert.deepEqual(await complaints(shut, 'required'), ['good', 'stale']);
  const missing = asking(() => new Response(null, { status: 404 }));
  assert.equal((await complaints(missing, 'required')).length, tokenStates.length + 1);
});

test('a route that ignores freshness, or how long ago it was, is complained of', async () => {
  const longAgo = 'good, of a password given long ago';
  assert.deepEqual(await complaints(ask.required, 'fresh'), ['stale', longAgo]);
  const byFlag = required((who) => new Response(null, { status: who.fresh ? 200 : 401 }));
  assert.deepEqual(await complaints(asking(byFlag), 'fresh'), [longAgo]);
});

test('a route that ignores scopes, asks for one of them or for others, is complained of', async () => {
  const scopes = ['posts:read', 'posts:write'] as const;
  const [read, write] = ['good, without posts:read', 'good, without posts:write'];
  assert.deepEqual(await complaints(ask.required, { scope: scopes }), ['good, without scopes', read, write]);
  assert.deepEqual(await complaints(ask.required, { scope: ['posts:read'] }), ['good, without scopes']);
  assert.deepEqual(await complaints(ask.either, { scope: scopes }), [read, write]);
  assert.deepEqual(await complaints(ask.both, { anyScope: scopes }), [
    'good, with posts:read alone',
    'good, with posts:write alone',
  ]);
  assert.deepEqual(await complaints(ask.both, { scope: ['posts:read'] }), ['good', 'stale']);
});

test('a route that takes a refresh token where an access token must be, or the other way round, is complained of', async () => {
  const either = async (token: string | null): Promise<Response> => {
    const first = await ask.required(token);
    return first.ok ? first : ask.refresh(token);
  };
  assert.deepEqual(await complaints(either, 'required'), ['refresh']);
  assert.deepEqual(await complaints(either, 'refresh'), ['good', 'stale']);
  const unread: Ask = async (token) =>
    ask.open(token).then(async (open) => {
      const isRefresh = (token ?? '').startsWith((await mint('refresh')).split('.')[0]!);
      return isRefresh ? open : new Response(null, { status: 401 });
    });
  assert.deepEqual(await complaints(unread, 'refresh'), ['refresh, with a MAC that is wrong']);
});

test('what Fastify’s inject answers will do', async () => {
  await kit.assertClosed(async (token) => ({ statusCode: (await ask.required(token)).status }), 'required');
});

test('the clock is turned by the test alone, also past the life of every key', async () => {
  const token = await mint('good');
  clock.turn(15 * 60_000 - 1000);
  assert.ok(auth.verify(token));
  clock.turn(1000);
  assert.equal(await codeOf(await ask.required(token)), 'token_expired');
  clock.turn(400 * 86_400_000);
  assert.equal(await codeOf(await ask.required(await mint('good'))), 'let in');
});

test('options are those of latchkey(), a profile’s type arrives, and nothing is left in the folder for temporary files', async () => {
  const clock = turnableClock(Date.UTC(2030, 0, 1));
  let folder: string;
  {
    await using other = await testLatchkey({
      ...{ clock, url: 'https://login.example', algorithm: 'ES256' as const },
      profile: Type.Object({ level: Type.String() }),
    });
    folder = other.auth.settings.dataFolder;
    assert.ok(existsSync(folder));
    const user = await other.user({ profile: { level: 'expert' } });
    const level: string = user.profile.level;
    assert.equal(level, 'expert');
    assert.equal(user.createdAt.getUTCFullYear(), 2030);
    const token = await other.mint('wrongKey', { user });
    assert.throws(() => other.auth.verify(token), { code: 'token_invalid' });
    await other.close();
  }
  assert.ok(!existsSync(folder));
  const names = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('latchkey-kit-'));
  const before = names();
  await assert.rejects(testLatchkey({ url: 'nowhere' }), StartError);
  assert.deepEqual(names(), before);
});
