// Sign up, log in, refresh, leave: the routes that take or give tokens as JSON.
import type { FastifyRequest } from 'fastify';
import { refuse } from '../../errors.ts';
import type { House } from '../../flows/house.ts';
import { logIn, logInFresh } from '../../flows/log-in.ts';
import {
  type Leaver,
  leaverFromRefreshToken,
  leaverOf,
  logOut,
  logOutEverywhere,
} from '../../flows/log-out.ts';
import { refresh } from '../../flows/refresh.ts';
import { signUp } from '../../flows/sign-up.ts';
import { FreshTokens, LogIn, RefreshBody, TokenPair } from '../../wire/tokens.ts';
import { SignUp, User } from '../../wire/user.ts';
import { freshAnswer, tokensAnswer, userAnswer } from '../answers.ts';
import { describeRoute } from '../describe.ts';
import { invalid } from '../refusals.ts';
import { optionalBody, type ShapedApp } from '../shapes.ts';
import { authorizationOf, callerIfAny, deviceOf, refuseForeignGet } from '../who.ts';

/** Mount the routes. */
export function signInRoutes(app: ShapedApp, house: House): void {
  const tag = 'Sign in';

  app.post(
    '/signup',
    {
      schema: describeRoute({
        tag,
        id: 'signUp',
        summary: 'Make an account',
        body: SignUp,
        answers: { 201: { description: 'The new account.', schema: User } },
        refuses: [400, 409, 415, 422, 503],
      }),
    },
    async (request, reply) => {
      const user = await signUp(house, request.body, deviceOf(request));
      return reply.code(201).send(userAnswer(user));
    },
  );

  app.post(
    '/login',
    {
      schema: describeRoute({
        tag,
        id: 'logIn',
        summary: 'Log in with a password',
        description: 'The access token is fresh: routes that insist on a recent password take it.',
        body: LogIn,
        answers: { 200: { description: 'An access token and a refresh token.', schema: TokenPair } },
        refuses: [400, 401, 415, 422, 503],
      }),
    },
    async (request) => {
      const tokens = await logIn(house, credentialsFrom(request.body), deviceOf(request));
      return tokensAnswer(tokens);
    },
  );

  app.get(
    '/login',
    {
      // The automatic HEAD would open a session that nobody sees.
      exposeHeadRoute: false,
      config: { challenge: 'basic' },
      schema: describeRoute({
        tag,
        id: 'logInBasic',
        summary: 'Log in with HTTP Basic',
        lock: 'basic',
        answers: { 200: { description: 'An access token and a refresh token.', schema: TokenPair } },
        refuses: [400, 401, 403, 503],
      }),
    },
    async (request, reply) => {
      refuseForeignGet(request);
      const authorization = authorizationOf(request);
      if (authorization.scheme !== 'basic') throw refuse('basic_credentials_missing');
      const tokens = await logIn(house, authorization, deviceOf(request));
      reply.header('Vary', 'Authorization');
      return tokensAnswer(tokens);
    },
  );

  app.post(
    '/login/fresh',
    {
      schema: describeRoute({
        tag,
        id: 'logInFresh',
        summary: 'Give the password once more',
        description:
          'With an access token: a fresh one for the session that is running. Without: a new session. A token that is dead or another user’s is refused.',
        lock: 'bearer',
        body: LogIn,
        answers: { 200: { description: 'A fresh access token.', schema: FreshTokens } },
        refuses: [400, 401, 415, 422, 503],
      }),
    },
    async (request) => {
      const caller = callerIfAny(house, request);
      const tokens = await logInFresh(house, credentialsFrom(request.body), deviceOf(request), caller);
      return freshAnswer(tokens);
    },
  );

  app.post(
    '/refresh',
    {
      schema: describeRoute({
        tag,
        id: 'refresh',
        summary: 'Get the next pair of tokens',
        description:
          'The refresh token comes as bearer or in the body. The one that is sent is spent; sent again within the grace it gives the same successor, after that it ends the session.',
        lock: 'refresh',
        body: optionalBody(RefreshBody),
        answers: { 200: { description: 'The next access token and refresh token.', schema: TokenPair } },
        refuses: [400, 401, 415, 422, 503],
      }),
    },
    async (request) => {
      const found = tokenOf(request, request.body);
      if (found === null)
        throw invalid([{ field: 'refresh_token', code: 'required', detail: 'is required.' }]);
      const tokens = await refresh(house, found.token);
      return tokensAnswer(tokens);
    },
  );

  for (const [url, id, summary, leave] of [
    ['/logout', 'logOut', 'End this session', logOut],
    [
      '/logout/everywhere',
      'logOutEverywhere',
      'End this session and all others of the account',
      logOutEverywhere,
    ],
  ] as const) {
    app.post(
      url,
      {
        schema: describeRoute({
          tag,
          id,
          summary,
          description:
            'Takes an access token as bearer, or the refresh token (as bearer or in the body) when the access token has expired. The tokens are dead when the answer arrives.',
          lock: 'bearer or refresh',
          body: optionalBody(RefreshBody),
          answers: { 204: { description: 'Ended.' } },
          refuses: [400, 401, 415, 422, 503],
        }),
      },
      async (request, reply) => {
        await leave(house, await leaverFrom(house, request, request.body));
        return reply.code(204).send();
      },
    );
  }
}

function credentialsFrom({ username, email, password }: LogIn): { name: string; password: string } {
  const name = username ?? email;
  if (name === undefined || (username !== undefined && email !== undefined)) {
    throw invalid([
      { field: 'username', code: 'required', detail: 'Send a username or an email, one of them.' },
    ]);
  }
  return { name, password };
}

/** The token of a request from the one place where it stands; in the body it can only be a refresh token. */
function tokenOf(
  request: FastifyRequest,
  { refresh_token: inBody }: RefreshBody,
): { readonly token: string; readonly from: 'header' | 'body' } | null {
  const authorization = authorizationOf(request);
  if (authorization.scheme !== 'none' && inBody !== undefined) throw refuse('ambiguous_credentials');
  if (authorization.scheme === 'bearer') return { token: authorization.token, from: 'header' };
  return inBody === undefined ? null : { token: inBody, from: 'body' };
}

function leaverFrom(house: House, request: FastifyRequest, body: RefreshBody): Promise<Leaver> {
  const found = tokenOf(request, body);
  if (found === null) throw refuse('token_missing');
  return (found.from === 'header' ? leaverOf : leaverFromRefreshToken)(house, found.token);
}
