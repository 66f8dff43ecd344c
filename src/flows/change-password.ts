// Somebody changes the password: the current one is asked for, and every other session ends.
import { refuse } from '../errors.ts';
import { provePassword } from './credentials.ts';
import { endingAll } from './end-sessions.ts';
import type { House } from './house.ts';
import { refusePassword } from './sign-up.ts';

/** A change of password by the owner of the account. */
export interface PasswordChange {
  readonly currentPassword: string;
  readonly newPassword: string;
}

/** Change it; the session `sid` goes on. Throws `wrong_password`, `password_refused`, `deleted`. */
export async function changePassword(
  house: House,
  userId: string,
  sid: string,
  change: PasswordChange,
): Promise<void> {
  const stored = await house.store.accounts.find(userId);
  if (stored === null) throw refuse('deleted');
  await provePassword(house, stored, change.currentPassword);
  await setPassword(house, userId, change.newPassword, { except: sid, checked: stored.passwordHash });
}

/** Set it without asking for the current one: for the operator's command. `checked`: the hash that the caller proved to know. */
export async function setPassword(
  house: House,
  userId: string,
  password: string,
  { except = null, checked = null }: { except?: string | null; checked?: string | null } = {},
): Promise<void> {
  const stored = await house.store.accounts.find(userId);
  if (stored === null) throw refuse('not_found');
  await refusePassword(house, password, stored.account, checked === null ? 'password' : 'new_password');
  const passwordHash = await house.lane.hash(password);
  const changed = await house.store.accounts.change(userId, (now, at) => {
    // Two changes that both knew the old password: the second one no longer does.
    if (checked !== null && now.passwordHash !== checked) return { outcome: 'overtaken' as const };
    const decision = endingAll(house, now, 'password_changed', at, except);
    return {
      ...decision,
      outcome: 'changed' as const,
      next: { account: decision.next!.account, passwordHash },
    };
  });
  if (changed === 'overtaken') throw refuse('wrong_password');
  if (changed === null) throw refuse(checked === null ? 'not_found' : 'deleted');
}
