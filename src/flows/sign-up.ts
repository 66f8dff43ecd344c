// Somebody makes an account, or an administrator makes one for them.
import { type Account, readEmail, readScopes, readUsername } from '../accounts/account.ts';
import { type FieldError, refuse } from '../errors.ts';
import { uuidv7 } from '../secrets.ts';
import { mustBeTexts } from './credentials.ts';
import { type Device, type House, type User, userFrom } from './house.ts';

/** What a new account is made of. At least one of username and email. */
export interface SignUp {
  /** 1 to 64 letters and digits of one script, `.`, `_`, `-`; unique without regard to case. */
  readonly username?: string | null | undefined;
  /** One address; unique without regard to case. */
  readonly email?: string | null | undefined;
  /** 8 to 256 characters, and none of the common ones. */
  readonly password: string;
  /** Read by your schema; an empty object if left out. */
  readonly profile?: unknown;
}

/** What only an administrator or the operator may say of a new account. */
export interface Granted {
  /** What its tokens may carry; none if left out. */
  readonly scopes?: readonly string[] | undefined;
  /** Whether the address is known to be theirs; false if left out. */
  readonly emailVerified?: boolean | undefined;
  /** Whether it is kept from logging in; false if left out. */
  readonly disabled?: boolean | undefined;
  /** A hash made elsewhere, in the place of a password. */
  readonly passwordHash?: string | undefined;
}

/** Make an account. Throws `invalid_input`, `password_refused`, `username_taken`, `email_taken`, or what a hook refuses with. */
export async function signUp(
  house: House,
  input: SignUp,
  device: Device,
  granted: Granted = {},
): Promise<User> {
  const draft = await readSignUp(house, input, granted);
  // Asked before the password is hashed, so that a taken name costs nothing.
  const taken = await takenName(house, draft);
  if (taken !== null) throw refuse(`${taken}_taken`);
  const account = await askHook(house, draft, device);
  const passwordHash = granted.passwordHash ?? (await house.lane.hash(input.password));
  const added = await house.store.accounts.add({ account, passwordHash });
  // Fifty at once came past the question above: the index lets one through.
  if (added !== 'added') throw refuse(`${added}_taken`);
  return userFrom(account);
}

/** Read everything that was sent, and name every field that is wrong. */
export async function readSignUp(house: House, input: SignUp, granted: Granted = {}): Promise<Account> {
  const errors: FieldError[] = [];
  const username = input.username == null ? null : readUsername(input.username);
  if (username !== null && !username.ok) errors.push({ field: 'username', ...username.fault });
  const email = input.email == null ? null : readEmail(input.email);
  if (email !== null && !email.ok) errors.push({ field: 'email', ...email.fault });
  if (username === null && email === null) {
    errors.push({ field: 'username', code: 'required', detail: 'A username or an email address is needed.' });
  }
  const profile = await house.profiles.read(input.profile ?? {});
  if (!profile.ok) errors.push(...profile.errors);
  const scopes = readScopes(granted.scopes ?? []);
  if (!scopes.ok) errors.push({ field: 'scopes', ...scopes.fault });
  if (errors.length > 0) throw refuse('invalid_input', { errors });

  const now = house.store.now();
  const account: Account = {
    id: uuidv7(now),
    username: username?.ok ? username.username : null,
    email: email?.ok ? email.email : null,
    disabled: granted.disabled ?? false,
    emailVerified: granted.emailVerified ?? false,
    profile: profile.ok ? profile.profile : {},
    scopes: scopes.ok ? scopes.scopes : [],
    epoch: 1,
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
  if (granted.passwordHash === undefined) await refusePassword(house, input.password, account);
  return account;
}

/** Throws `password_refused` with the reasons for a password that may not be set. */
export async function refusePassword(
  house: House,
  password: string,
  account: Pick<Account, 'username' | 'email'>,
  field = 'password',
): Promise<void> {
  mustBeTexts({ [field]: password });
  const faults = await house.lane.check(password, account);
  if (faults.length > 0)
    throw refuse('password_refused', { errors: faults.map((fault) => ({ field, ...fault })) });
}

/** Which name of a new account somebody has already, or null. */
export async function takenName(
  { store }: House,
  { username, email }: Pick<Account, 'username' | 'email'>,
): Promise<'username' | 'email' | null> {
  const byName = username === null ? null : readUsername(username);
  if (byName?.ok && (await store.accounts.findByUsernameKey(byName.key)) !== null) return 'username';
  const byAddress = email === null ? null : readEmail(email);
  if (byAddress?.ok && (await store.accounts.findByEmailKey(byAddress.key)) !== null) return 'email';
  return null;
}

async function askHook(house: House, draft: Account, device: Device): Promise<Account> {
  const added = await house.hooks.onSignUp?.(userFrom(draft), device);
  if (added === undefined) return draft;
  // Beside what an operator grants, never in the place of it.
  const scopes = readScopes([...new Set([...draft.scopes, ...(added.scopes ?? [])])]);
  if (!scopes.ok) throw new Error('The hook onSignUp() gave scopes that are none.');
  const profile = await house.profiles.read({ ...draft.profile, ...added.profile });
  if (!profile.ok) throw new Error('The hook onSignUp() gave a profile that the schema refuses.');
  return { ...draft, profile: profile.profile, scopes: scopes.scopes };
}
