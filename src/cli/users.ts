// `latchkey users …`: accounts, as the operator may treat them.
import type { User } from '../flows/house.ts';
import type { OpenHouse } from '../latchkey.ts';
import { userAnswer } from '../server/answers.ts';
import { confirm, type GivenPassword, newPassword } from './ask.ts';
import { type Call, type Command, type Option, UsageError } from './command.ts';
import { findUser, nameOf, namesFrom, userHead, userRow } from './find-user.ts';
import { inHouse } from './open.ts';
import { pairs, table } from './print.ts';
import { dateWords } from './time-words.ts';

const nameArgument = { name: 'NAME', help: 'The username, the address or the id.' } as const;
const generate: Option = { kind: 'flag', help: 'Make a password and print it.' };
const yes: Option = { kind: 'flag', help: 'Do not ask.' };
const listedAtOnce = 100;

/** The options of what makes an account. */
export const addOptions: Readonly<Record<string, Option>> = {
  email: { kind: 'text', value: 'ADDRESS', help: 'An address beside the username.' },
  verified: { kind: 'flag', help: 'The address is known to be theirs.' },
  scope: { kind: 'texts', value: 'SCOPE', help: 'A scope that the account has; may be given again.' },
  profile: { kind: 'text', value: 'JSON', help: 'The fields of your own profile.' },
  generate,
};

/** The profile in `--profile`. Throws `UsageError` where it is no JSON. */
export function profileFrom(call: Call): unknown {
  const text = call.text('profile');
  try {
    return text === null ? {} : JSON.parse(text);
  } catch {
    throw new UsageError('--profile is not JSON.');
  }
}

/** Answer with an account that was made or changed; a password that was made here is shown this once. */
export function madeAnswer(call: Call, user: User, given: GivenPassword | null, what: string): void {
  const password = given?.generated === true ? given.password : null;
  const text = [
    ['Account', `${nameOf(user)} ${what}`],
    ['Id', user.id],
    ['Scopes', user.scopes.join(' ') || '-'],
    ...(password === null ? [] : [['Password', password]]),
  ] as [string, string][];
  call.answer({ user: userAnswer(user), ...(password !== null && { password }) }, pairs(text));
}

/** `latchkey users add`. */
export const usersAdd: Command = {
  words: ['users', 'add'],
  summary: 'Make an account.',
  details: 'The password is asked for at a terminal, and read from standard input otherwise.',
  arguments: [{ name: 'NAME', help: 'The username, or the address.' }],
  options: { ...addOptions, disabled: { kind: 'flag', help: 'It cannot log in yet.' } },
  example: 'npx latchkey users add grace --email grace@example.com --scope reports:read --generate',
  opens: true,
  run: (call) =>
    inHouse(
      call,
      async ({ latchkey }) => {
        const name = call.argument('NAME');
        const names = namesFrom(name, call.text('email'));
        const profile = profileFrom(call);
        const given = await newPassword(call, name);
        const user = await latchkey.users.add(
          { ...names, password: given.password, profile },
          {
            scopes: call.texts('scope') ?? [],
            emailVerified: call.flag('verified'),
            disabled: call.flag('disabled'),
          },
        );
        madeAnswer(call, user, given, 'was made');
        return 0;
      },
      { mayMake: true },
    ),
};

/** `latchkey users list`. */
export const usersList: Command = {
  words: ['users', 'list'],
  summary: 'List accounts, the oldest first.',
  options: {
    search: { kind: 'text', value: 'TEXT', help: 'Only names and addresses that hold this.' },
    limit: {
      kind: 'text',
      value: 'COUNT',
      help: `At most so many, 1 to 10000; ${listedAtOnce} if not said.`,
    },
    after: { kind: 'text', value: 'ID', help: 'Those behind this one: the last id of the page before.' },
  },
  example: 'npx latchkey users list --search ada',
  opens: true,
  run: (call) =>
    inHouse(call, async ({ latchkey }) => {
      const limit = limitFrom(call);
      const [after, search] = [call.text('after'), call.text('search')];
      const page = { limit: limit + 1, ...(after && { after }), ...(search && { search }) };
      const found = await latchkey.users.list(page);
      const shown = found.slice(0, limit);
      const next = found.length > limit ? (shown.at(-1)?.id ?? null) : null;
      call.answer(
        { users: shown.map(userAnswer), next },
        shown.length === 0 ? 'No accounts.\n' : table(userHead, shown.map(userRow)),
      );
      if (next !== null) call.notice(`There are more: --after=${next}`);
      return 0;
    }),
};

function limitFrom(call: Call): number {
  const text = call.text('limit') ?? String(listedAtOnce);
  if (!/^[1-9]\d{0,4}$/.test(text) || Number(text) > 10_000)
    throw new UsageError('--limit is a whole number from 1 to 10000.');
  return Number(text);
}

/** `latchkey users show`. */
export const usersShow: Command = {
  words: ['users', 'show'],
  summary: 'Show one account.',
  arguments: [nameArgument],
  example: 'npx latchkey users show ada',
  opens: true,
  run: (call) =>
    withUser(call, async (user, { latchkey }) => {
      const sessions = await latchkey.sessions.list(user.id);
      const text = pairs([
        ['Id', user.id],
        ['Username', user.username ?? '-'],
        ['Address', user.email === null ? '-' : `${user.email}${user.emailVerified ? ' (verified)' : ''}`],
        ['State', user.disabled ? 'disabled' : 'active'],
        ['Scopes', user.scopes.join(' ') || '-'],
        ['Made', dateWords(user.createdAt.getTime())],
        ['Sessions', String(sessions.length)],
        ['Profile', JSON.stringify(user.profile)],
      ]);
      call.answer({ user: userAnswer(user), sessions: sessions.length }, text);
    }),
};

/** `latchkey users disable`. */
export const usersDisable: Command = {
  words: ['users', 'disable'],
  summary: 'Keep an account from logging in; its sessions end at once.',
  arguments: [nameArgument],
  example: 'npx latchkey users disable mallory',
  opens: true,
  run: (call) => switchUser(call, true, 'is disabled; its sessions have ended'),
};

/** `latchkey users enable`. */
export const usersEnable: Command = {
  words: ['users', 'enable'],
  summary: 'Let a disabled account log in again.',
  arguments: [nameArgument],
  example: 'npx latchkey users enable mallory',
  opens: true,
  run: (call) => switchUser(call, false, 'may log in again'),
};

function switchUser(call: Call, disabled: boolean, what: string): Promise<number> {
  return withUser(call, async (user, { latchkey }) => {
    madeAnswer(call, await latchkey.users.change(user.id, { disabled }), null, what);
  });
}

/** `latchkey users set-password`. */
export const usersSetPassword: Command = {
  words: ['users', 'set-password'],
  summary: 'Give an account another password; its sessions end.',
  details: 'The password is asked for at a terminal, and read from standard input otherwise.',
  arguments: [nameArgument],
  options: { generate },
  example: 'npx latchkey users set-password ada < password.txt',
  opens: true,
  run: (call) =>
    withUser(call, async (user, { latchkey }) => {
      const given = await newPassword(call, nameOf(user));
      await latchkey.users.setPassword(user.id, given.password);
      madeAnswer(call, user, given, 'has another password; its sessions have ended');
    }),
};

/** `latchkey users remove`. */
export const usersRemove: Command = {
  words: ['users', 'remove'],
  summary: 'Remove an account with all its sessions.',
  arguments: [nameArgument],
  options: { yes },
  example: 'npx latchkey users remove mallory --yes',
  opens: true,
  run: (call) =>
    withUser(call, async (user, { latchkey }) => {
      await confirm(call, `Remove the account ${nameOf(user)} (${user.id}) for good?`);
      await latchkey.users.remove(user.id);
      call.answer({ removed: user.id }, pairs([['Removed', `${nameOf(user)} (${user.id})`]]));
    }),
};

async function withUser(call: Call, work: (user: User, opened: OpenHouse) => Promise<void>): Promise<number> {
  await inHouse(call, async (opened) => work(await findUser(opened.latchkey, call.argument('NAME')), opened));
  return 0;
}
