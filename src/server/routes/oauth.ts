// The endpoints of OAuth: forms in, RFC 6749 out.
import type { FastifyRequest } from 'fastify';
import { readScopes } from '../../accounts/account.ts';
import { type LatchkeyError, refuse } from '../../errors.ts';
import type { House } from '../../flows/house.ts';
import { introspect, proveService, revokeToken } from '../../flows/introspect.ts';
import { logIn } from '../../flows/log-in.ts';
import { refresh } from '../../flows/refresh.ts';
import type { Service } from '../../store/services.ts';
import { Introspection, TokenPair, TokenQuestion, TokenRequest } from '../../wire/tokens.ts';
import { tokensAnswer } from '../answers.ts';
import { describeRoute } from '../describe.ts';
import type { ShapedApp } from '../shapes.ts';
import { authorizationOf, deviceOf } from '../who.ts';

/** Mount the routes. */
export function oauthRoutes(app: ShapedApp, house: House): void {
  app.addHook('onRequest', async (_, reply) => {
    reply.header('Cache-Control', 'no-store').header('Pragma', 'no-cache');
  });

  app.post(
    '/token',
    {
      config: { oauth: true },
      schema: describeRoute({
        tag: 'Sign in',
        id: 'token',
        summary: 'Get tokens by a form (OAuth2)',
        description:
          'The grants `password` and `refresh_token` of RFC 6749. The password grant is here for what knows no other way (the *Authorize* button of this page among it); OAuth 2.1 leaves it out, and `LATCHKEY_PASSWORD_GRANT=off` switches it off.',
        body: TokenRequest,
        answers: { 200: { description: 'An access token and a refresh token.', schema: TokenPair } },
        refuses: [400, 401, 415, 503],
        oauth: true,
      }),
    },
    async (request, reply) => {
      const form = request.body;
      const client = await clientOf(house, request, form);
      return reply.send(tokensAnswer(await grant(house, request, form, client)));
    },
  );

  app.post(
    '/introspect',
    {
      config: { oauth: true },
      schema: describeRoute({
        tag: 'For other services',
        id: 'introspect',
        summary: 'Ask whether a token is good (RFC 7662)',
        lock: 'client',
        body: TokenQuestion,
        answers: { 200: { description: 'What is known of it.', schema: Introspection } },
        refuses: [400, 401, 415, 503],
        oauth: true,
      }),
    },
    async (request) => {
      const form = request.body;
      if ((await clientOf(house, request, form)) === null) throw refuse('invalid_client');
      return introspect(house, form.token);
    },
  );

  app.post(
    '/revoke',
    {
      config: { oauth: true },
      schema: describeRoute({
        tag: 'For other services',
        id: 'revoke',
        summary: 'Give a token back (RFC 7009)',
        description:
          'A refresh token ends its session; an access token dies alone. The answer is the same for a token that is not known.',
        body: TokenQuestion,
        answers: { 200: { description: 'It is dead.' } },
        refuses: [400, 401, 415, 503],
        oauth: true,
      }),
    },
    async (request, reply) => {
      const form = request.body;
      await revokeToken(house, form.token, await clientOf(house, request, form));
      return reply.code(200).send();
    },
  );
}

function lacking(field: string): LatchkeyError {
  return refuse('invalid_request', { errors: [{ field, code: 'required', detail: 'is required.' }] });
}

async function grant(house: House, request: FastifyRequest, form: TokenRequest, client: Service | null) {
  if (form.grant_type === 'refresh_token') {
    if (form.refresh_token === undefined) throw lacking('refresh_token');
    return refresh(house, form.refresh_token, client?.clientId ?? null);
  }
  if (form.grant_type !== 'password' || !house.settings.passwordGrant) throw refuse('unsupported_grant_type');
  const { username, password } = form;
  if (username === undefined) throw lacking('username');
  if (password === undefined) throw lacking('password');
  const scopes = form.scope === undefined ? null : readScopes(form.scope);
  if (scopes !== null && !scopes.ok) throw refuse('invalid_scope');
  return logIn(house, { name: username, password }, deviceOf(request), {
    scopes: scopes?.scopes ?? null,
    clientId: client?.clientId ?? null,
  });
}

/**
 * The client that proved itself (RFC 6749 section 2.3.1), or null for a public one. Basic with an empty secret is what
 * API pages send for a client without one. Throws `invalid_client`, or `ambiguous_credentials` for two ways at once.
 */
async function clientOf(
  house: House,
  request: FastifyRequest,
  form: { client_id?: string; client_secret?: string },
): Promise<Service | null> {
  const authorization = authorizationOf(request);
  const inForm = form.client_secret !== undefined && form.client_secret !== '';
  if (authorization.scheme === 'basic') {
    const [id, secret] = [formDecoded(authorization.name), formDecoded(authorization.password)];
    if (inForm) throw refuse('ambiguous_credentials');
    if (secret === '') return null;
    return proveService(house, id, secret);
  }
  if (authorization.scheme !== 'none') throw refuse('invalid_client');
  if (!inForm) return null;
  return proveService(house, form.client_id ?? '', form.client_secret ?? '');
}

/** RFC 6749 section 2.3.1: id and secret are form-encoded inside Basic. */
function formDecoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    throw refuse('invalid_client');
  }
}
