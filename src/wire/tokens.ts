// The shapes of log-in, refresh and log-out on the wire.
import { type Static, Type } from 'typebox';
import { exampleTokens } from './examples.ts';

/** `POST /login` and `POST /login/fresh`. One of username and email. */
export const LogIn = Type.Object(
  {
    username: Type.Optional(Type.String({ description: 'A username, or an address.' })),
    email: Type.Optional(Type.String()),
    password: Type.String(),
  },
  { title: 'LogIn', examples: [{ username: 'jonathan', password: 'correct horse battery' }] },
);
/** `POST /login`. */
export type LogIn = Static<typeof LogIn>;

const access = {
  access_token: Type.String({ description: 'Send it as `Authorization: Bearer …`.' }),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer({ description: 'Seconds that the access token lives.' }),
  scope: Type.String({ description: 'What the token may do, separated by blanks.' }),
};

/** What a log-in and a refresh answer with (RFC 6749 section 5.1). */
export const TokenPair = Type.Object(
  {
    ...access,
    refresh_token: Type.String({ description: 'Good for one refresh, which gives the next one.' }),
    refresh_expires_in: Type.Integer({
      description: 'Seconds that the refresh token lives when it is not used.',
    }),
  },
  { title: 'Tokens', examples: [exampleTokens] },
);
/** What a log-in and a refresh answer with. */
export type TokenPair = Static<typeof TokenPair>;

/** What a fresh log-in answers with: no refresh token when the session was running already. */
export const FreshTokens = Type.Object(
  {
    ...access,
    refresh_token: Type.Optional(Type.String()),
    refresh_expires_in: Type.Optional(Type.Integer()),
  },
  { title: 'FreshTokens', examples: [exampleTokens] },
);

/** `POST /refresh` and `POST /logout`, where the refresh token is not sent as bearer. */
export const RefreshBody = Type.Object(
  { refresh_token: Type.Optional(Type.String()) },
  { title: 'RefreshToken', examples: [{ refresh_token: exampleTokens.refresh_token }] },
);
/** `POST /refresh` and `POST /logout`. */
export type RefreshBody = Static<typeof RefreshBody>;

/** `POST /token` (RFC 6749 sections 4.3.2 and 6). Parameters that are not known are ignored. */
export const TokenRequest = Type.Object(
  {
    grant_type: Type.String({ description: '`password` or `refresh_token`.', examples: ['password'] }),
    username: Type.Optional(Type.String()),
    password: Type.Optional(Type.String()),
    refresh_token: Type.Optional(Type.String()),
    scope: Type.Optional(Type.String()),
    client_id: Type.Optional(Type.String()),
    client_secret: Type.Optional(Type.String()),
  },
  {
    title: 'TokenRequest',
    examples: [{ grant_type: 'password', username: 'jonathan', password: 'correct horse battery' }],
  },
);
/** `POST /token`. */
export type TokenRequest = Static<typeof TokenRequest>;

/** `POST /introspect` and `POST /revoke` (RFC 7662 section 2.1, RFC 7009 section 2.1). */
export const TokenQuestion = Type.Object(
  {
    token: Type.String(),
    token_type_hint: Type.Optional(Type.String()),
    client_id: Type.Optional(Type.String()),
    client_secret: Type.Optional(Type.String()),
  },
  { title: 'TokenQuestion', examples: [{ token: exampleTokens.access_token }] },
);
/** `POST /introspect` and `POST /revoke`. */
export type TokenQuestion = Static<typeof TokenQuestion>;

/** `POST /introspect`: exactly `{"active": false}` for anything that is not good. */
export const Introspection = Type.Object(
  { active: Type.Boolean() },
  {
    title: 'Introspection',
    additionalProperties: true,
    examples: [
      { active: true, token_type: 'Bearer', sub: '0199f6a1-5a3c-7b2e-9d1f-3a5c7e9b1d2f', scope: '' },
    ],
  },
);
