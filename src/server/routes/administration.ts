// Accounts as an administrator sees them. Every route insists on the scope `admin`, in the token and of the account.
import { refuse } from '../../errors.ts';
import { changeAccount, deleteAccount } from '../../flows/change-account.ts';
import { endSessionsOfUser } from '../../flows/end-sessions.ts';
import { type House, userFrom } from '../../flows/house.ts';
import { endEverySession } from '../../flows/rotate-keys.ts';
import { signUp } from '../../flows/sign-up.ts';
import { NewUser, User, UserChange, UserId, UserPage, UserQuery } from '../../wire/user.ts';
import { userAnswer } from '../answers.ts';
import { describeRoute } from '../describe.ts';
import type { ShapedApp } from '../shapes.ts';
import { deviceOf, insistOnScope } from '../who.ts';

const defaultLimit = 50;

/** Mount the routes. */
export function administrationRoutes(app: ShapedApp, house: House): void {
  const tag = 'Administration';
  const lock = 'admin';

  app.addHook('onRequest', async (request) => void (await insistOnScope(house, request, 'admin')));

  app.get(
    '/users',
    {
      schema: describeRoute({
        tag,
        id: 'listUsers',
        summary: 'List and search accounts',
        lock,
        query: UserQuery,
        answers: { 200: { description: 'A page of accounts, the oldest first.', schema: UserPage } },
        refuses: [401, 403, 422, 503],
      }),
    },
    async (request) => {
      const { limit = defaultLimit, cursor, search } = request.query;
      // One more than asked for tells whether there is another page.
      const accounts = await house.store.accounts.list({ limit: limit + 1, after: cursor, search });
      const data = accounts.slice(0, limit).map((account) => userAnswer(userFrom(account)));
      return { data, next_cursor: accounts.length > limit ? (data.at(-1)?.id ?? null) : null };
    },
  );

  app.post(
    '/users',
    {
      schema: describeRoute({
        tag,
        id: 'addUser',
        summary: 'Make an account',
        lock,
        body: NewUser,
        answers: { 201: { description: 'The new account.', schema: User } },
        refuses: [400, 401, 403, 409, 415, 422, 503],
      }),
    },
    async (request, reply) => {
      const { scopes, disabled, email_verified: emailVerified, ...rest } = request.body;
      const user = await signUp(house, rest, deviceOf(request), { scopes, disabled, emailVerified });
      return reply.code(201).send(userAnswer(user));
    },
  );

  app.get(
    '/users/:id',
    {
      schema: describeRoute({
        tag,
        id: 'readUser',
        summary: 'Read an account',
        lock,
        params: UserId,
        answers: { 200: { description: 'The account.', schema: User } },
        refuses: [401, 403, 404, 503],
      }),
    },
    async (request) => {
      const stored = await house.store.accounts.find(request.params.id);
      if (stored === null) throw refuse('not_found');
      return userAnswer(userFrom(stored.account));
    },
  );

  app.patch(
    '/users/:id',
    {
      schema: describeRoute({
        tag,
        id: 'changeUser',
        summary: 'Change an account',
        description:
          'Disabling ends its sessions at once; a scope that is taken away is gone from its tokens at once. A password cannot be set here.',
        lock,
        params: UserId,
        body: UserChange,
        answers: { 200: { description: 'The account as it is now.', schema: User } },
        refuses: [400, 401, 403, 404, 409, 415, 422, 503],
      }),
    },
    async (request) => {
      const { email_verified: emailVerified, ...rest } = request.body;
      return userAnswer(await changeAccount(house, request.params.id, { ...rest, emailVerified }));
    },
  );

  app.delete(
    '/users/:id',
    {
      schema: describeRoute({
        tag,
        id: 'deleteUser',
        summary: 'Delete an account',
        lock,
        params: UserId,
        answers: { 204: { description: 'Gone, with all its sessions.' } },
        refuses: [401, 403, 404, 503],
      }),
    },
    async (request, reply) => {
      await deleteAccount(house, request.params.id);
      return reply.code(204).send();
    },
  );

  app.delete(
    '/users/:id/sessions',
    {
      schema: describeRoute({
        tag,
        id: 'endSessionsOfUser',
        summary: 'Sign an account out everywhere',
        lock,
        params: UserId,
        answers: { 204: { description: 'Ended.' } },
        refuses: [401, 403, 404, 503],
      }),
    },
    async (request, reply) => {
      await endSessionsOfUser(house, request.params.id, 'signed_out_elsewhere');
      return reply.code(204).send();
    },
  );

  app.delete(
    '/sessions',
    {
      schema: describeRoute({
        tag,
        id: 'endEverySession',
        summary: 'Sign everybody out',
        description: 'Every session ends, yours too, and a new key signs from now on.',
        lock,
        answers: { 204: { description: 'Ended.' } },
        refuses: [401, 403, 503],
      }),
    },
    async (_, reply) => {
      await endEverySession(house);
      return reply.code(204).send();
    },
  );
}
