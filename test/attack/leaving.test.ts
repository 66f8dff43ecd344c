// Leaving with a refresh token that is no longer the current one: whoever holds an old copy must not be able to do by that
// what they could not do by refreshing.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openTestHouse, passwordOf, type SignedIn, secretOf, type TestHouse } from '../fixture/house.ts';

const day = 86_400_000;
let at: TestHouse;
before(async () => {
  at = await openTestHouse();
  await at.signUp('mary');
  await at.addService('shop');
});
after(() => at.close());

/** A session, the token it began with, and the one it holds after that one's grace. */
async function movedOn(): Promise<SignedIn & { readonly spent: string }> {
  const { refresh: spent, ...rest } = await at.logIn('mary');
  const { refreshToken, accessToken } = await at.latchkey.refresh(spent);
  at.clock.turn(60_000);
  return { ...rest, access: accessToken, refresh: refreshToken, spent };
}

const refreshWith = (token: string) => at.call('POST', '/refresh', { json: { refresh_token: token } });
const reasonOf = async (id: string) => (await at.house.store.sessions.find(id))?.endedReason;

test('threat 69: a spent refresh token at /logout counts as used twice: its session ends, and the owner is told why', async () => {
  const { refresh, access, spent } = await movedOn();
  const left = await at.call('POST', '/logout', { bearer: spent });
  assert.equal(left.json.code, 'reuse_detected');
  assert.throws(() => at.latchkey.verify(access), { code: 'reuse_detected' });
  assert.equal((await refreshWith(refresh)).json.code, 'reuse_detected');
});

test('threat 69: a spent refresh token at /logout/everywhere ends its own session and no other', async () => {
  const other = await at.logIn('mary');
  const { spent } = await movedOn();
  const left = await at.call('POST', '/logout/everywhere', { json: { refresh_token: spent } });
  assert.equal(left.json.code, 'reuse_detected');
  at.latchkey.verify(other.access);
  assert.equal((await refreshWith(other.refresh)).status, 200);
});

test('threat 69: a spent refresh token at /revoke gets its 200, and the session ends as one that was used twice', async () => {
  const { access, spent } = await movedOn();
  const { sid } = at.latchkey.verify(access);
  assert.equal((await at.call('POST', '/revoke', { form: { token: spent } })).status, 200);
  assert.equal(await reasonOf(sid), 'reuse_detected');
});

test('a refresh token whose answer was lost still logs out within its grace', async () => {
  const { refresh: spent } = await at.logIn('mary');
  const { accessToken } = await at.latchkey.refresh(spent);
  assert.equal((await at.call('POST', '/logout', { bearer: spent })).status, 204);
  assert.throws(() => at.latchkey.verify(accessToken), { code: 'signed_out' });
});

test('threat 71: a refresh token past its end ends nothing, wherever it is given back', async () => {
  const { refresh: old } = await at.logIn('mary');
  at.clock.turn(20 * day);
  const { refreshToken, sessionId } = await at.latchkey.refresh(old);
  at.clock.turn(15 * day);
  for (const path of ['/logout', '/logout/everywhere']) {
    const left = await at.call('POST', path, { bearer: old });
    assert.equal(left.json.code, 'expired', path);
  }
  assert.equal((await at.call('POST', '/revoke', { form: { token: old } })).status, 200);
  assert.equal(await reasonOf(sessionId), null);
  assert.equal((await refreshWith(refreshToken)).status, 200);
});

test('threat 62: the refresh token of a client ends nothing at /logout, where no client proves itself', async () => {
  const form = { grant_type: 'password', username: 'mary', password: passwordOf('mary') };
  const { json } = await at.call('POST', '/token', { form, basic: `shop:${secretOf('shop')}` });
  const other = await at.logIn('mary');
  for (const path of ['/logout', '/logout/everywhere']) {
    const left = await at.call('POST', path, { bearer: json.refresh_token });
    assert.equal(left.json.code, 'token_invalid', path);
  }
  at.latchkey.verify(json.access_token);
  at.latchkey.verify(other.access);
});

test('threat 71: no access token outlives its session, whose row and reasons are gone by then', async () => {
  const short = await openTestHouse({ sessionTtl: '1d', sessionIdle: '1d' });
  try {
    await short.signUp('mary');
    const { refresh } = await short.logIn('mary');
    short.clock.turn(86_400_000 - 60_000);
    const last = await short.latchkey.refresh(refresh);
    assert.equal(last.expiresIn, 60);
    short.latchkey.verify(last.accessToken);
    short.clock.turn(60_000);
    assert.throws(() => short.latchkey.verify(last.accessToken), { code: 'token_expired' });
  } finally {
    await short.close();
  }
});
