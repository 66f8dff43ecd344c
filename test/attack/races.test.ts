// What may change between the moment at which a flow has looked and the one at which its answer leaves.
import assert from 'node:assert/strict';
import { after, before, describe, it, test } from 'node:test';
import type { Tokens } from '../../src/flows/house.ts';
import { endEverySession } from '../../src/flows/rotate-keys.ts';
import { openTestHouse, passwordOf, type TestHouse } from '../fixture/house.ts';

/** Hold the next call of a hook until it is told to go on. */
function turnstile() {
  let held: { readonly arrived: () => void; readonly open: Promise<void> } | undefined;
  return {
    async pass(): Promise<void> {
      const here = held;
      held = undefined;
      here?.arrived();
      await here?.open;
    },
    hold(): { readonly arrived: Promise<void>; readonly letGo: () => void } {
      const arrived = Promise.withResolvers<void>();
      const open = Promise.withResolvers<void>();
      held = { arrived: arrived.resolve, open: open.promise };
      return { arrived: arrived.promise, letGo: open.resolve };
    },
  };
}

describe('everybody is signed out while an answer is on its way', () => {
  const claims = turnstile();
  let at: TestHouse;
  const credentials = { name: 'mary', password: passwordOf('mary') };

  before(async () => {
    const hooks = {
      claims: async () => {
        await claims.pass();
        return {};
      },
    };
    at = await openTestHouse({ hooks });
    await at.signUp('mary');
  });
  after(() => at.close());

  /** The token that `ask` gets, when every session ends after its own is known to live and before it is signed. */
  async function overtaken(ask: () => Promise<Tokens>): Promise<string> {
    const held = claims.hold();
    const asked = ask();
    await held.arrived;
    await endEverySession(at.house);
    held.letGo();
    return (await asked).accessToken;
  }

  it('threat 78: a log-in that was overtaken hands out an access token that is dead', async () => {
    const token = await overtaken(() => at.latchkey.logIn(credentials));
    assert.throws(() => at.latchkey.verify(token), { code: 'signed_out_elsewhere' });
  });

  it('threat 78: a refresh that was overtaken hands out an access token that is dead', async () => {
    const { refreshToken } = await at.latchkey.logIn(credentials);
    const token = await overtaken(() => at.latchkey.refresh(refreshToken));
    assert.throws(() => at.latchkey.verify(token), { code: 'signed_out_elsewhere' });
  });

  it('threat 78: a spent token that got its successor again, too', async () => {
    const { refreshToken } = await at.latchkey.logIn(credentials);
    await at.latchkey.refresh(refreshToken);
    const token = await overtaken(() => at.latchkey.refresh(refreshToken));
    assert.throws(() => at.latchkey.verify(token), { code: 'signed_out_elsewhere' });
  });

  it('threat 78: and a fresh log-in', async () => {
    const { accessToken } = await at.latchkey.logIn(credentials);
    const held = claims.hold();
    const json = { username: 'mary', password: passwordOf('mary') };
    const asked = at.call('POST', '/login/fresh', { json, bearer: accessToken });
    await held.arrived;
    await endEverySession(at.house);
    held.letGo();
    const { access_token: token } = (await asked).json;
    assert.throws(() => at.latchkey.verify(token), { code: 'signed_out_elsewhere' });
  });
});

test('threat 42: an address that was just changed is not changed back by a token that is not fresh', async () => {
  const at = await openTestHouse();
  try {
    const id = await at.signUp('mary');
    const old = { email: 'old@example.com' };
    await at.latchkey.users.change(id, old);
    const { refresh } = await at.logIn('mary');
    const { accessToken: bearer } = await at.latchkey.refresh(refresh);
    // While the owner's change is being written, the thief asks for the address that still is the account's.
    const changed = at.latchkey.users.change(id, { email: 'new@example.com' });
    const answers = await Promise.all(
      Array.from({ length: 4 }, () =>
        at.app.inject({
          method: 'PATCH',
          url: '/users/me',
          body: old,
          headers: { authorization: `Bearer ${bearer}` },
        }),
      ),
    );
    await changed;
    assert.equal((await at.latchkey.users.find(id))?.email, 'new@example.com');
    for (const answer of answers) assert.equal(answer.json().code, 'stale_authentication');
  } finally {
    await at.close();
  }
});

describe('a fresh log-in', () => {
  const asking = turnstile();
  let at: TestHouse;
  const again = (bearer: string) =>
    at.call('POST', '/login/fresh', { json: { username: 'mary', password: passwordOf('mary') }, bearer });

  before(async () => {
    at = await openTestHouse({
      hooks: { beforeLogIn: () => asking.pass() },
      sessionTtl: '1d',
      sessionIdle: '1d',
    });
  });
  after(() => at.close());

  it('threat 76: whose password was changed meanwhile is refused as what it is, and not asked to come again', async () => {
    await at.signUp('mary');
    const { access } = await at.logIn('mary');
    const held = asking.hold();
    const asked = again(access);
    await held.arrived;
    // From this very session, which goes on.
    const newPassword = 'another 9 odd Socks';
    await at.latchkey.changePassword(access, { currentPassword: passwordOf('mary'), newPassword });
    held.letGo();
    assert.equal((await asked).json.code, 'invalid_credentials');
    await at.latchkey.changePassword(access, {
      currentPassword: newPassword,
      newPassword: passwordOf('mary'),
    });
  });

  it('threat 71: does not carry a session past its end', async () => {
    const { access } = await at.logIn('mary');
    const held = asking.hold();
    const asked = again(access);
    await held.arrived;
    at.clock.turn(86_400_000);
    held.letGo();
    const answer = await asked;
    assert.equal(answer.status, 401, answer.text);
  });
});
