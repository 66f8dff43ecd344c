// `latchkey services …`: other programs that may ask whether a token is good (RFC 7662).
import { randomText, sha256 } from '../secrets.ts';
import { type Command, CommandError } from './command.ts';
import { inStore } from './open.ts';
import { pairs, table } from './print.ts';
import { dateWords } from './time-words.ts';

/** `latchkey services add`. */
export const servicesAdd: Command = {
  words: ['services', 'add'],
  summary: 'Register a service that may introspect and revoke tokens; its secret is shown this once.',
  arguments: [{ name: 'NAME', help: 'What you call it, for the list.' }],
  example: 'npx latchkey services add billing',
  opens: true,
  run: (call) =>
    inStore(call, async (store) => {
      const name = call.argument('NAME').trim();
      if (name === '' || name.length > 64 || !name.isWellFormed())
        throw new CommandError('NAME has 1 to 64 characters.');
      // Never a hyphen in front, which would read like an option.
      const [clientId, secret] = [`s${randomText(12)}`, randomText(32)];
      await store.services.add({ clientId, name, secretHash: sha256(secret), createdAt: store.now() });
      call.answer(
        { client_id: clientId, client_secret: secret, name },
        pairs([
          ['Service', name],
          ['Client id', clientId],
          ['Client secret', secret],
        ]),
      );
      call.notice('The secret is not kept here: this is the one time that it is shown.');
      return 0;
    }),
};

/** `latchkey services list`. */
export const servicesList: Command = {
  words: ['services', 'list'],
  summary: 'List the registered services.',
  example: 'npx latchkey services list',
  opens: true,
  run: (call) =>
    inStore(call, async (store) => {
      const services = await store.services.list();
      const rows = services.map(({ clientId, name, createdAt }) => [clientId, name, dateWords(createdAt)]);
      call.answer(
        {
          services: services.map(({ clientId, name, createdAt }) => ({
            ...{ client_id: clientId, name },
            created_at: new Date(createdAt).toISOString(),
          })),
        },
        rows.length === 0 ? 'No services.\n' : table(['CLIENT ID', 'NAME', 'MADE'], rows),
      );
      return 0;
    }),
};

/** `latchkey services remove`. */
export const servicesRemove: Command = {
  words: ['services', 'remove'],
  summary: 'Remove a service: its secret opens nothing any more.',
  arguments: [{ name: 'CLIENT_ID', help: 'The client id from the list.' }],
  example: 'npx latchkey services remove 6pQf1dWm0sVnX3hL',
  opens: true,
  run: (call) =>
    inStore(call, async (store) => {
      const clientId = call.argument('CLIENT_ID');
      if (!(await store.services.remove(clientId)))
        throw new CommandError('There is no service with this client id.');
      call.answer({ removed: clientId }, pairs([['Removed', clientId]]));
      return 0;
    }),
};
