// The account of whoever asks. No id in an address or body ever chooses whose it is: the token does.
import { refuse } from '../../errors.ts';
import { changeAccount, changesAddress, deleteAccount } from '../../flows/change-account.ts';
import { changePassword } from '../../flows/change-password.ts';
import { endOneSession, listSessions } from '../../flows/end-sessions.ts';
import { type House, userFrom } from '../../flows/house.ts';
import { DeviceList, SessionId } from '../../wire/sessions.ts';
import { OwnChange, PasswordChange, User } from '../../wire/user.ts';
import { deviceAnswer, userAnswer } from '../answers.ts';
import { describeRoute } from '../describe.ts';
import type { ShapedApp } from '../shapes.ts';
import { accountOf, insistOnFresh } from '../who.ts';

/** Mount the routes. */
export function ownAccountRoutes(app: ShapedApp, house: House): void {
  const tag = 'Your account';
  const lock = 'bearer';

  app.get(
    '/users/me',
    {
      schema: describeRoute({
        tag,
        id: 'readMe',
        summary: 'Read your account',
        lock,
        answers: { 200: { description: 'Your account.', schema: User } },
        refuses: [401, 503],
      }),
    },
    async (request) => {
      const { stored } = await accountOf(house, request);
      return userAnswer(userFrom(stored.account));
    },
  );

  app.patch(
    '/users/me',
    {
      schema: describeRoute({
        tag,
        id: 'changeMe',
        summary: 'Change your account',
        description: 'Another address wants a password given just now.',
        lock,
        body: OwnChange,
        answers: { 200: { description: 'Your account as it is now.', schema: User } },
        refuses: [400, 401, 409, 415, 422, 503],
      }),
    },
    async (request) => {
      const { caller } = await accountOf(house, request);
      // Picked by name: what only an administrator may change must not depend on what the schema drops.
      const { username, email, profile } = request.body;
      const change = { username, email, profile };
      // Asked again whenever somebody was faster: the address that was sent may have stopped being the account's own.
      const user = await changeAccount(house, caller.sub, change, (account) => {
        if (changesAddress(account, change)) insistOnFresh(house, caller);
      });
      return userAnswer(user);
    },
  );

  app.delete(
    '/users/me',
    {
      schema: describeRoute({
        tag,
        id: 'deleteMe',
        summary: 'Delete your account',
        description: 'Wants a password given just now. All your sessions end.',
        lock,
        answers: { 204: { description: 'Gone.' } },
        refuses: [401, 503],
      }),
    },
    async (request, reply) => {
      const { caller } = await accountOf(house, request);
      insistOnFresh(house, caller);
      await deleteAccount(house, caller.sub);
      return reply.code(204).send();
    },
  );

  app.post(
    '/users/me/password',
    {
      schema: describeRoute({
        tag,
        id: 'changePassword',
        summary: 'Change your password',
        description: 'All your other sessions end.',
        lock,
        body: PasswordChange,
        answers: { 204: { description: 'Changed.' } },
        refuses: [400, 401, 403, 415, 422, 503],
      }),
    },
    async (request, reply) => {
      const { caller } = await accountOf(house, request);
      const { current_password: currentPassword, new_password: newPassword } = request.body;
      await changePassword(house, caller.sub, caller.sid, { currentPassword, newPassword });
      return reply.code(204).send();
    },
  );

  app.get(
    '/users/me/sessions',
    {
      schema: describeRoute({
        tag,
        id: 'listDevices',
        summary: 'List your devices',
        lock,
        answers: { 200: { description: 'Where you are signed in.', schema: DeviceList } },
        refuses: [401, 503],
      }),
    },
    async (request) => {
      const { caller } = await accountOf(house, request);
      const sessions = await listSessions(house, caller.sub);
      const data = sessions.map((session) => deviceAnswer(session, caller.sid));
      return { data };
    },
  );

  app.delete(
    '/users/me/sessions/:id',
    {
      schema: describeRoute({
        tag,
        id: 'endDevice',
        summary: 'Sign one of your devices out',
        lock,
        params: SessionId,
        answers: { 204: { description: 'Ended.' } },
        refuses: [401, 404, 503],
      }),
    },
    async (request, reply) => {
      const { caller } = await accountOf(house, request);
      const { id } = request.params;
      const reason = id === caller.sid ? 'signed_out' : 'signed_out_elsewhere';
      // Another user's session is not there, as far as this one can tell.
      if (!(await endOneSession(house, id, caller.sub, reason))) throw refuse('not_found');
      return reply.code(204).send();
    },
  );
}
