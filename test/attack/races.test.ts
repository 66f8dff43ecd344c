// What may change between the moment at which a flow has looked and the one at which its answer leaves.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
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
  let test: TestHouse;
  const credentials = { name: 'mary', password: passwordOf('mary') };

  before(async () => {
    const hooks = {
      claims: async () => {
        await claims.pass();
        return {};
      },
    };
    test = await openTestHouse({ hooks });
    await test.signUp('mary');
  });
  after(() => test.close());

  /** The token that `ask` gets, when every session ends after its own is known to live and before it is signed. */
  async function overtaken(ask: () => Promise<Tokens>): Promise<string> {
    const held = claims.hold();
    const asked = ask();
    await held.arrived;
    await endEverySession(test.house);
    held.letGo();
    return (await asked).accessToken;
  }

  it('threat 78: a log-in that was overtaken hands out an access token that is dead', async () => {
    const token = await overtaken(() => test.latchkey.logIn(credentials));
    assert.throws(() => test.latchkey.verify(token), { code: 'signed_out_elsewhere' });
  });

  it('threat 78: a refresh that was overtaken hands out an access token that is dead', async () => {
    const { refreshToken } = await test.latchkey.logIn(credentials);
    const token = await overtaken(() => test.latchkey.refresh(refreshToken));
    assert.throws(() => test.latchkey.verify(token), { code: 'signed_out_elsewhere' });
  });

  it('threat 78: a spent token that got its successor again, too', async () => {
    const { refreshToken } = await test.latchkey.logIn(credentials);
    await test.latchkey.refresh(refreshToken);
    const token = await overtaken(() => test.latchkey.refresh(refreshToken));
    assert.throws(() => test.latchkey.verify(token), { code: 'signed_out_elsewhere' });
  });

  it('threat 78: and a fresh log-in', async () => {
    const { accessToken } = await test.latchkey.logIn(credentials);
    const held = claims.hold();
    const json = { username: 'mary', password: passwordOf('mary') };
    const asked = test.call('POST', '/login/fresh', { json, bearer: accessToken });
    await held.arrived;
    await endEverySession(test.house);
    held.letGo();
    const { access_token: token } = (await asked).json;
    assert.throws(() => test.latchkey.verify(token), { code: 'signed_out_elsewhere' });
  });
});
