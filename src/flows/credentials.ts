// Who says that they are somebody, and do they know the password. Every route that takes a password comes through here,
// so that unknown, wrong and disabled look alike and cost the same.
import { readLoginName } from '../accounts/account.ts';
import { isLatchkeyError, refuse } from '../errors.ts';
import type { StoredAccount } from '../store/accounts.ts';
import type { House } from './house.ts';

/** A name (username or address) and a password, as somebody typed them. */
export interface Credentials {
  readonly name: string;
  readonly password: string;
}

/** The account whose password this is. Throws `invalid_credentials` for everybody else, `invalid_input` for what is no text. */
export async function proveWho(house: House, credentials: Credentials): Promise<StoredAccount> {
  const { name, password } = credentials;
  mustBeTexts({ name, password });
  const stored = await findByLoginName(house, name);
  // An unknown account is hashed for too, so that time does not tell it from a wrong password.
  const { matches, rehash } = await house.lane.verify(password, stored?.passwordHash ?? null);
  if (stored === null || !matches || stored.account.disabled) throw refuse('invalid_credentials');
  if (rehash) await upgradeHash(house, stored, password);
  return stored;
}

/** Whether this is the password of an account that is already known. Throws `wrong_password`. */
export async function provePassword(house: House, stored: StoredAccount, password: string): Promise<void> {
  mustBeTexts({ current_password: password });
  const { matches } = await house.lane.verify(password, stored.passwordHash);
  if (!matches) throw refuse('wrong_password');
}

/** The account that somebody means by a username or an address, or null. */
export async function findByLoginName({ store }: House, name: string): Promise<StoredAccount | null> {
  const { by, key } = readLoginName(name);
  return by === 'email' ? store.accounts.findByEmailKey(key) : store.accounts.findByUsernameKey(key);
}

/** Throws `invalid_input`. The server reads shapes; a program may hand on a body as it came, in which anything can be missing. */
export function mustBeTexts(fields: Readonly<Record<string, unknown>>): void {
  const errors = Object.entries(fields)
    .filter(([, value]) => typeof value !== 'string')
    .map(([field]) => ({ field, code: 'required', detail: 'is required, and is a text.' }));
  if (errors.length > 0) throw refuse('invalid_input', { errors });
}

async function upgradeHash(
  house: House,
  { account, passwordHash }: StoredAccount,
  password: string,
): Promise<void> {
  let better: string;
  try {
    better = await house.lane.hash(password);
  } catch (error) {
    // Who they are is proven; the better hash is made when there is time for it.
    if (isLatchkeyError(error)) return;
    throw error;
  }
  await house.store.accounts.rehash(account.id, passwordHash, better);
}
