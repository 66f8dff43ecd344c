// `latchkey sessions …`: who is signed in, and an end to it. A server beside sees the end at once.
import type { User } from '../flows/house.ts';
import { endEverySession } from '../flows/rotate-keys.ts';
import type { OpenHouse } from '../latchkey.ts';
import type { SessionInfo } from '../library.ts';
import { confirm } from './ask.ts';
import { type Call, type Command, CommandError, UsageError } from './command.ts';
import { findUser, nameOf } from './find-user.ts';
import { inHouse } from './open.ts';
import { pairs, table } from './print.ts';
import { dateWords } from './time-words.ts';

const nameArgument = {
  name: 'NAME',
  help: 'The username, the address or the id; not with --all.',
  optional: true,
} as const;
const usersAtOnce = 500;

/** `latchkey sessions list`. */
export const sessionsList: Command = {
  words: ['sessions', 'list'],
  summary: 'List the running sessions of an account, or of all.',
  arguments: [nameArgument],
  options: { all: { kind: 'flag', help: 'Those of all accounts.' } },
  example: 'npx latchkey sessions list ada',
  opens: true,
  run: (call) =>
    inHouse(call, async (opened) => {
      const found: { user: User; session: SessionInfo }[] = [];
      for await (const user of usersMeant(call, opened))
        for (const session of await opened.latchkey.sessions.list(user.id)) found.push({ user, session });
      const rows = found.map(({ user, session }) => [
        ...[session.id, nameOf(user), session.label ?? '-', session.address ?? '-'],
        ...[dateWords(session.lastSeenAt.getTime()), dateWords(session.expiresAt.getTime())],
      ]);
      const head = ['SESSION', 'ACCOUNT', 'DEVICE', 'FROM', 'LAST SEEN', 'ENDS'];
      call.answer(
        { sessions: found.map(({ session }) => sessionAnswer(session)) },
        rows.length === 0 ? 'No sessions.\n' : table(head, rows),
      );
      return 0;
    }),
};

function sessionAnswer(session: SessionInfo): object {
  const { id, userId, label, address, createdAt, lastSeenAt, expiresAt } = session;
  return {
    ...{ id, user_id: userId, label, address },
    created_at: createdAt.toISOString(),
    last_seen_at: lastSeenAt.toISOString(),
    expires_at: expiresAt.toISOString(),
  };
}

async function* usersMeant(call: Call, { latchkey }: OpenHouse): AsyncGenerator<User> {
  if (!nameOrAll(call)) {
    yield await findUser(latchkey, call.argument('NAME'));
    return;
  }
  let after: string | undefined;
  for (;;) {
    const page = await latchkey.users.list({ limit: usersAtOnce, ...(after && { after }) });
    yield* page;
    if (page.length < usersAtOnce) return;
    after = page.at(-1)!.id;
  }
}

/** True: all. Throws `UsageError` when it is not one of the two. */
function nameOrAll(call: Call): boolean {
  const named = call.argumentIf('NAME') !== null;
  if (named === call.flag('all')) throw new UsageError('Give NAME or --all, and not both.');
  return !named;
}

/** `latchkey sessions end`. */
export const sessionsEnd: Command = {
  words: ['sessions', 'end'],
  summary: 'End the sessions of an account, one of them, or those of everybody.',
  details:
    'Access tokens are dead at once, also in a server that runs. With --all a new key signs from now on.',
  arguments: [nameArgument],
  options: {
    session: { kind: 'text', value: 'ID', help: 'Only this one of the account.' },
    all: { kind: 'flag', help: 'Every session of everybody.' },
    yes: { kind: 'flag', help: 'Do not ask.' },
  },
  example: 'npx latchkey sessions end ada',
  opens: true,
  run: (call) =>
    inHouse(call, async (opened) => {
      const { latchkey, house } = opened;
      const sessionId = call.text('session');
      if (nameOrAll(call)) {
        if (sessionId !== null) throw new UsageError('--session goes with NAME, and not with --all.');
        await confirm(call, 'End every session of everybody?');
        await endEverySession(house);
        call.answer({ ended: 'all' }, pairs([['Ended', 'every session of everybody']]));
        return 0;
      }
      const user = await findUser(latchkey, call.argument('NAME'));
      if (sessionId === null) await latchkey.sessions.endAll(user.id);
      else if (!(await latchkey.sessions.end(user.id, sessionId)))
        throw new CommandError('The account has no such session running.');
      const what = sessionId === null ? `all sessions of ${nameOf(user)}` : `one session of ${nameOf(user)}`;
      call.answer({ ended: sessionId ?? 'account', user_id: user.id }, pairs([['Ended', what]]));
      return 0;
    }),
};
