// `latchkey admin create`: how the first administrator comes to be.
import { newPassword } from './ask.ts';
import { type Command, CommandError } from './command.ts';
import { findUser, nameOf, namesFrom } from './find-user.ts';
import { inHouse } from './open.ts';
import { addOptions, madeAnswer, profileFrom } from './users.ts';

const scope = 'admin';

/** `latchkey admin create`. */
export const adminCreate: Command = {
  words: ['admin', 'create'],
  summary: 'Make an account with the scope admin.',
  details:
    'The password is asked for at a terminal, and read from standard input otherwise. An account that is there already is given the scope only with --existing; its password stays.',
  arguments: [{ name: 'NAME', help: 'The username, or the address.' }],
  options: {
    ...addOptions,
    existing: { kind: 'flag', help: 'Give the scope to an account that is there already.' },
  },
  example: 'npx latchkey admin create ada --generate',
  opens: true,
  run: (call) =>
    inHouse(
      call,
      async ({ latchkey }) => {
        const name = call.argument('NAME');
        if (call.flag('existing')) {
          const user = await findUser(latchkey, name);
          const scopes = [...new Set([...user.scopes, scope])];
          madeAnswer(call, await latchkey.users.change(user.id, { scopes }), null, 'is an administrator now');
          return 0;
        }
        const names = namesFrom(name, call.text('email'));
        // Before the password is asked for.
        if ((await latchkey.users.findByName(name)) !== null)
          throw new CommandError(
            `There is an account ${name} already. To make it an administrator, add --existing.`,
          );
        const profile = profileFrom(call);
        const given = await newPassword(call, name);
        const user = await latchkey.users.add(
          { ...names, password: given.password, profile },
          {
            scopes: [...new Set([scope, ...(call.texts('scope') ?? [])])],
            emailVerified: call.flag('verified'),
          },
        );
        madeAnswer(call, user, given, `was made: ${nameOf(user)} is an administrator`);
        return 0;
      },
      { mayMake: true },
    ),
};
