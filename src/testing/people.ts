// Accounts and log-ins that cost no hashing, for the tests of those who guard routes. Only the door `latchkey/testing` leads here:
// a log-in without a password is no business of a house that serves.
import { refuse } from '../errors.ts';
import { makeRoom } from '../flows/end-sessions.ts';
import type { House, Tokens, User } from '../flows/house.ts';
import { issueTokens } from '../flows/issue.ts';
import { keepKeys } from '../flows/rotate-keys.ts';
import type { Latchkey } from '../library.ts';
import { randomText } from '../secrets.ts';
import { openSession } from '../sessions/session.ts';

/** The password of every account that `user()` makes. */
export const testPassword = 'seven odd socks in a drawer';

// Made once, of the text above, as strong as those of the house: a log-in verifies it and need not make it anew.
const hashOfTestPassword =
  '$argon2id$v=19$m=19456,t=2,p=1$gVRb6PmvavsK+xByXyVVHA$CYgftLLvs0WeSpqXB2/Eh5Y+9Bw50uwYPs5ApwkBWgw';

/** What an account for a test is to be. What is left out is made up or empty. */
export interface TestUser {
  readonly username?: string | undefined;
  readonly scopes?: readonly string[] | undefined;
  /** Read by your schema. */
  readonly profile?: unknown;
  readonly disabled?: boolean | undefined;
}

/** Adds accounts named `user-1`, `user-2` and so on, where they are given no name. */
export function userMaker(latchkey: Latchkey): (wish?: TestUser) => Promise<User> {
  let made = 0;
  return async ({ username, profile, scopes, disabled } = {}) => {
    made += 1;
    const name = username ?? `user-${made}`;
    const user = { username: name, profile, passwordHash: hashOfTestPassword };
    return latchkey.users.add(user, { scopes, disabled });
  };
}

/** The tokens of a fresh log-in, without password and without the hook `beforeLogIn`. Throws `not_found`, `disabled`. */
export async function logInAs(house: House, userId: string): Promise<Tokens> {
  // A clock that was turned by months has left the last key behind.
  if (!house.keys.canSign()) await keepKeys(house);
  const stored = await house.store.accounts.find(userId);
  if (stored === null) throw refuse('not_found');
  const { account } = stored;
  const now = house.store.now();
  const signer = house.keys.signing();
  const session = openSession({
    ...{ id: randomText(16), userId, now, policy: house.policy },
    ...{ refreshKid: house.keys.refresh().kid, salt: randomText(16) },
    ...{ authTime: now, amr: ['pwd'], askedScopes: null, clientId: null },
    ...{ label: 'latchkey/testing', address: null },
  });
  await makeRoom(house, userId);
  if (!(await house.store.sessions.open(session, account.epoch))) throw refuse('disabled');
  return issueTokens(house, { account, session, now, fresh: true, signer });
}
