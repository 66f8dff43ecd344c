// Keys over the years, over a socket: every algorithm, a change of it, a long sleep, and a secret that changes.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { turnableClock } from '../../src/clock.ts';
import { StartError } from '../../src/errors.ts';
import { resealKeys } from '../../src/flows/rotate-keys.ts';
import { generateSecret } from '../../src/house-secret.ts';
import { openHouse } from '../../src/latchkey.ts';
import {
  headerOf,
  houseOptions,
  logIn,
  openServer,
  outcome,
  type Server,
  signedIn,
  temporaryFolder,
} from '../fixture/server.ts';

const minute = 60_000;
const day = 24 * 60 * minute;

const me = async (at: Server, token: string) => outcome(await at.call('GET /users/me', { token }));
const jwks = async (at: Server) => (await at.call('GET /.well-known/jwks.json')).body.keys;

const kinds = { EdDSA: 'OKP', ES256: 'EC', RS256: 'RSA', HS256: null } as const;

for (const algorithm of ['EdDSA', 'ES256', 'RS256', 'HS256'] as const) {
  test(`${algorithm}: log in, verify, refresh, log out; the published keys are ${kinds[algorithm] ?? 'none'}`, async () => {
    const server = await openServer({ algorithm });
    const { access, refresh } = await signedIn(server, 'walker');
    assert.equal(headerOf(access).alg, algorithm);
    assert.equal(await me(server, access), '200');
    const [head, payload, signature] = access.split('.') as [string, string, string];
    const broken = `${head}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
    assert.equal(await me(server, broken), '401 token_invalid');
    const next = await server.call('POST /refresh', { token: refresh });
    assert.equal(await me(server, next.body.access_token), '200');
    const published = await jwks(server);
    assert.deepEqual(
      published.map(({ kty, alg, use, kid }) => ({ kty, alg, use, kid })),
      kinds[algorithm] === null
        ? []
        : [{ kty: kinds[algorithm], alg: algorithm, use: 'sig', kid: headerOf(access).kid }],
    );
    // Whatever signs, the refresh token is a MAC under a key that is never published.
    assert.equal(headerOf(refresh).alg, 'HS256');
    assert.ok(published.every(({ kid }) => kid !== headerOf(refresh).kid));
    await server.call('POST /logout', { token: next.body.access_token });
    assert.equal(await me(server, next.body.access_token), '401 signed_out');
  });
}

test('another algorithm at the next start: the new key is published first, tokens and sessions from before go on', async () => {
  const folder = temporaryFolder();
  const clock = turnableClock();
  const before = await openServer({ folder, clock });
  const { access, refresh } = await signedIn(before, 'mover');
  await before.close();

  const after = await openServer({ folder, clock, algorithm: 'ES256' });
  assert.equal(await me(after, access), '200');
  const early = await logIn(after, 'mover');
  assert.equal(headerOf(early.access).alg, 'EdDSA', 'until everybody has seen the new key');
  assert.deepEqual((await jwks(after)).map(({ alg }) => alg).toSorted(), ['ES256', 'EdDSA']);
  clock.turn(7 * minute);
  const late = await after.call('POST /refresh', { token: refresh });
  assert.equal(headerOf(late.body.access_token).alg, 'ES256');
  for (const token of [access, early.access, late.body.access_token])
    assert.equal(await me(after, token), '200');
  await after.close();

  const symmetric = await openServer({ folder, clock, algorithm: 'HS256' });
  assert.equal(await me(symmetric, late.body.access_token), '200');
  clock.turn(7 * minute);
  const last = await symmetric.call('POST /refresh', { token: late.body.refresh_token });
  assert.equal(headerOf(last.body.access_token).alg, 'HS256');
  assert.equal(await me(symmetric, last.body.access_token), '200');
});

test('after a year’s sleep a start makes new keys, and accounts log in; old tokens say that they are over', async () => {
  const folder = temporaryFolder();
  const clock = turnableClock();
  const before = await openServer({ folder, clock });
  const { access, refresh } = await signedIn(before, 'sleeper');
  const [old] = await jwks(before);
  await before.close();

  clock.turn(366 * day);
  const after = await openServer({ folder, clock });
  const published = await jwks(after);
  assert.equal(published.length, 1);
  assert.notEqual(published[0]?.kid, old?.kid);
  assert.equal(await me(after, access), '401 token_invalid');
  assert.match(
    outcome(await after.call('POST /refresh', { token: refresh })),
    /^401 (expired|token_invalid)$/,
  );
  const { access: next } = await logIn(after, 'sleeper');
  assert.equal(await me(after, next), '200');
});

test('a house that slept for a year while it was open has keys again within moments, and says 503 until then', async () => {
  const server = await openServer();
  await signedIn(server, 'sleeper');
  server.clock.turn(366 * day);
  const body = { username: 'sleeper', password: 'correct horse battery' };
  const seen = new Set<string>();
  const deadline = performance.now() + 20_000;
  while (!seen.has('200') && performance.now() < deadline) {
    const answer = await server.call('POST /login', { body });
    seen.add(outcome(answer));
    if (answer.status === 503) assert.equal(answer.headers.get('retry-after'), '1');
  }
  assert.ok(seen.has('200'));
  for (const each of seen) assert.match(each, /^(200|503 store_unavailable)$/);
});

test('another secret stops the start and changes nothing; with the one before it beside it the house opens', async () => {
  const folder = temporaryFolder();
  const clock = turnableClock();
  const [first, second] = [generateSecret(), generateSecret()];
  const before = await openServer({ folder, clock, secret: first });
  const { access } = await signedIn(before, 'keeper');
  await before.close();

  const open = (secrets: { secret: string; secretPrevious?: string }) =>
    openHouse({ ...houseOptions(folder, clock), ...secrets });
  await assert.rejects(open({ secret: second }), (error: StartError) => {
    assert.ok(error instanceof StartError);
    assert.match(error.message, /cannot be opened with LATCHKEY_SECRET/);
    assert.match(error.message, /LATCHKEY_SECRET_PREVIOUS/);
    assert.ok(!error.message.includes(first) && !error.message.includes(second));
    return true;
  });
  const rest = await openServer({ folder, clock, secret: first });
  assert.equal(await me(rest, access), '200');
  await rest.close();

  const both = await openServer({ folder, clock, secret: second, secretPrevious: first });
  assert.equal(await me(both, access), '200');
  // Sealed anew, the keys open with the new secret alone, and with the old one no more.
  assert.ok((await resealKeys(both.house.store, second, first)) >= 2);
  assert.equal(await resealKeys(both.house.store, second, first), 0);
  await both.close();
  await assert.rejects(open({ secret: first }), StartError);
  const sealed = await openServer({ folder, clock, secret: second });
  assert.equal(await me(sealed, access), '200');
  assert.equal(await me(sealed, (await logIn(sealed, 'keeper')).access), '200');
});
