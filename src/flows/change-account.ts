// An account changes: its owner changes names and profile, an administrator also what it may do, or it goes.
import { type Account, readEmail, readScopes, readUsername } from '../accounts/account.ts';
import { type FieldError, refuse } from '../errors.ts';
import { userEpochRaised } from '../revocations/entry.ts';
import type { AccountDecision, StoredAccount } from '../store/accounts.ts';
import { endingAll } from './end-sessions.ts';
import { type House, type User, userFrom } from './house.ts';

/** What the owner of an account may change. Undefined: stays; null: is taken away. */
export interface OwnChange {
  readonly username?: string | null | undefined;
  readonly email?: string | null | undefined;
  /** Members replace those of the profile; null takes one away (RFC 7396). */
  readonly profile?: Record<string, unknown> | undefined;
}

/** What an administrator may change beside that. Never the password of an account that exists. */
export interface AdminChange extends OwnChange {
  readonly disabled?: boolean | undefined;
  readonly emailVerified?: boolean | undefined;
  readonly scopes?: readonly string[] | undefined;
}

/**
 * Change an account. `insist` is asked of the account exactly as it is when the change is made, and refuses by throwing.
 * Throws `invalid_input`, `username_taken`, `email_taken`, `not_found`, or what `insist` throws.
 */
export async function changeAccount(
  house: House,
  userId: string,
  change: AdminChange,
  insist: (account: Account) => void = () => {},
): Promise<User> {
  for (;;) {
    const before = await house.store.accounts.find(userId);
    if (before === null) throw refuse('not_found');
    insist(before.account);
    const wanted = await readChange(house, before.account, change);
    const changed = await house.store.accounts.change(userId, (stored, now) =>
      // Someone was faster: what was validated is no longer what would be written.
      stored.account.version === before.account.version
        ? becoming(house, stored, wanted, now)
        : { outcome: 'overtaken' as const },
    );
    if (changed === null) throw refuse('not_found');
    if (changed === 'username' || changed === 'email') throw refuse(`${changed}_taken`);
    if (changed !== 'overtaken') return userFrom(wanted);
  }
}

/** Whether a change would give the account another address: that wants a password given just now. */
export function changesAddress(account: Pick<Account, 'email'>, { email }: OwnChange): boolean {
  return email !== undefined && email !== account.email;
}

/** Delete an account: all its sessions end, and only tombstones that know why are left. Throws `not_found`. */
export async function deleteAccount(house: House, userId: string): Promise<void> {
  const gone = await house.store.accounts.change(userId, (stored, now) => {
    const { next: _, ...ending } = endingAll(house, stored, 'deleted', now);
    return { ...ending, remove: true };
  });
  if (gone === null) throw refuse('not_found');
}

/** The account as it would be, every field read; throws `invalid_input` with all that is wrong. */
async function readChange(house: House, account: Account, change: AdminChange): Promise<Account> {
  const errors: FieldError[] = [];
  let next: Account = { ...account };
  if (change.username !== undefined) {
    const read = change.username === null ? null : readUsername(change.username);
    if (read !== null && !read.ok) errors.push({ field: 'username', ...read.fault });
    else next = { ...next, username: read === null ? null : read.username };
  }
  if (change.email !== undefined) {
    const read = change.email === null ? null : readEmail(change.email);
    if (read !== null && !read.ok) errors.push({ field: 'email', ...read.fault });
    else next = withEmail(next, read === null ? null : read.email, read?.ok ? read.key : null);
  }
  if (next.username === null && next.email === null) {
    errors.push({ field: 'username', code: 'required', detail: 'A username or an email address must stay.' });
  }
  if (change.profile !== undefined) {
    const read = await house.profiles.read(merge(account.profile, change.profile));
    if (read.ok) next = { ...next, profile: read.profile };
    else errors.push(...read.errors);
  }
  if (change.scopes !== undefined) {
    const read = readScopes(change.scopes);
    if (read.ok) next = { ...next, scopes: read.scopes };
    else errors.push({ field: 'scopes', ...read.fault });
  }
  if (errors.length > 0) throw refuse('invalid_input', { errors });
  return {
    ...next,
    disabled: change.disabled ?? next.disabled,
    emailVerified: change.emailVerified ?? next.emailVerified,
  };
}

/** Another address is an unproven one; another spelling of the same is not another. */
function withEmail(account: Account, email: string | null, key: string | null): Account {
  const before = account.email === null ? null : readEmail(account.email);
  const same = before?.ok === true && before.key === key;
  return { ...account, email, emailVerified: same && account.emailVerified };
}

function merge(profile: Record<string, unknown>, change: Record<string, unknown>): Record<string, unknown> {
  const merged = { ...profile, ...change };
  return Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== null));
}

/** What the change revokes: everything when the account is disabled, the access tokens when a scope is lost. */
function becoming(
  house: House,
  { account, passwordHash }: StoredAccount,
  wanted: Account,
  now: number,
): AccountDecision<'changed'> {
  if (wanted.disabled && !account.disabled) {
    const ending = endingAll(house, { account: wanted, passwordHash }, 'disabled', now);
    return { ...ending, outcome: 'changed' };
  }
  const lost = account.scopes.some((scope) => !wanted.scopes.includes(scope));
  if (!lost) return { outcome: 'changed', next: { account: wanted, passwordHash } };
  const epoch = account.epoch + 1;
  return {
    outcome: 'changed',
    next: { account: { ...wanted, epoch }, passwordHash },
    entries: [userEpochRaised(account.id, epoch, 'scope_changed', house.tokensOut.until(now))],
  };
}
