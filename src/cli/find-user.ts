// Which account an operator means, and how accounts are shown.
import type { User } from '../flows/house.ts';
import type { Latchkey } from '../library.ts';
import { CommandError } from './command.ts';
import { dateWords } from './time-words.ts';

/** The account by its id, username or address. Throws `CommandError` where there is none, or where the text could mean two. */
export async function findUser({ users }: Latchkey, text: string): Promise<User> {
  const byId = await users.find(text);
  const byName = await users.findByName(text);
  // Somebody may have taken another account's id for a name, to be acted on, or spared, in its place.
  if (byId !== null && byName !== null && byId.id !== byName.id)
    throw new CommandError('This is the id of one account and the name of another. Use a name that is not.');
  const user = byId ?? byName;
  if (user === null) throw new CommandError(`There is no account ${text}.`);
  return user;
}

/** What an account is called: its username, else its address. */
export function nameOf({ username, email, id }: User): string {
  return username ?? email ?? id;
}

/** An account in one row, under `userHead`. */
export function userRow(user: User): string[] {
  const { id, username, email, disabled, scopes, createdAt } = user;
  return [
    ...[id, username ?? '-', email ?? '-', disabled ? 'disabled' : 'active'],
    ...[scopes.join(' ') || '-', dateWords(createdAt.getTime())],
  ];
}

/** The head of a table of accounts. */
export const userHead = ['ID', 'USERNAME', 'ADDRESS', 'STATE', 'SCOPES', 'MADE'] as const;

/** A name as typed: with an `@` it is an address, since no username holds one. */
export function namesFrom(name: string, email: string | null): { username?: string; email?: string } {
  if (!name.includes('@')) return { username: name, ...(email !== null && { email }) };
  if (email !== null) throw new CommandError('NAME is an address, and so is --email. Give one of them.');
  return { email: name };
}
