// The shapes of accounts on the wire.
import { type Static, Type } from 'typebox';
import { exampleUser } from './examples.ts';

const username = Type.String({
  description: '1 to 64 letters and digits of one script, `.`, `_`, `-`. Compared without regard to case.',
  examples: [exampleUser.username],
});
const email = Type.String({ description: 'One address.', examples: [exampleUser.email] });
const profile = Type.Record(Type.String(), Type.Unknown(), {
  description: 'Fields of your own.',
  examples: [exampleUser.profile],
});

/** An account as the API shows it. Never holds a password or its hash. */
export const User = Type.Object(
  {
    id: Type.String({ description: 'UUID version 7.' }),
    username: Type.Union([Type.String(), Type.Null()]),
    email: Type.Union([Type.String(), Type.Null()]),
    email_verified: Type.Boolean(),
    disabled: Type.Boolean(),
    profile: Type.Record(Type.String(), Type.Unknown()),
    scopes: Type.Array(Type.String()),
    created_at: Type.String({ description: 'RFC 3339, UTC.' }),
  },
  { title: 'User', examples: [exampleUser] },
);
/** An account as the API shows it. */
export type User = Static<typeof User>;

/** `POST /signup`. */
export const SignUp = Type.Object(
  {
    username: Type.Optional(Type.Union([username, Type.Null()])),
    email: Type.Optional(Type.Union([email, Type.Null()])),
    password: Type.String({ description: '8 to 256 characters, any of them; common ones are refused.' }),
    profile: Type.Optional(profile),
  },
  {
    title: 'SignUp',
    examples: [{ username: 'jonathan', email: 'jonathan@example.com', password: 'correct horse battery' }],
  },
);
/** `POST /signup`. */
export type SignUp = Static<typeof SignUp>;

/** `PATCH /users/me`. */
export const OwnChange = Type.Object(
  {
    username: Type.Optional(Type.Union([username, Type.Null()])),
    email: Type.Optional(Type.Union([email, Type.Null()])),
    profile: Type.Optional(profile),
  },
  {
    title: 'OwnChange',
    description: 'What is left out stays; null takes away.',
    examples: [{ profile: { level: 'expert' } }],
  },
);
/** `PATCH /users/me`. */
export type OwnChange = Static<typeof OwnChange>;

/** `POST /users/me/password`. */
export const PasswordChange = Type.Object(
  { current_password: Type.String(), new_password: Type.String() },
  {
    title: 'PasswordChange',
    examples: [{ current_password: 'correct horse battery', new_password: 'wrong donkey charger' }],
  },
);
/** `POST /users/me/password`. */
export type PasswordChange = Static<typeof PasswordChange>;

/** `POST /users`, for administrators. */
export const NewUser = Type.Object(
  {
    username: Type.Optional(Type.Union([username, Type.Null()])),
    email: Type.Optional(Type.Union([email, Type.Null()])),
    email_verified: Type.Optional(Type.Boolean()),
    password: Type.String(),
    profile: Type.Optional(profile),
    scopes: Type.Optional(Type.Array(Type.String())),
    disabled: Type.Optional(Type.Boolean()),
  },
  {
    title: 'NewUser',
    examples: [
      {
        username: 'mary',
        email: 'mary@example.com',
        password: 'correct horse battery',
        scopes: ['posts:write'],
      },
    ],
  },
);
/** `POST /users`, for administrators. */
export type NewUser = Static<typeof NewUser>;

/** `PATCH /users/{id}`, for administrators. There is no password in it: nobody sets one for an account that exists. */
export const UserChange = Type.Object(
  {
    username: Type.Optional(Type.Union([username, Type.Null()])),
    email: Type.Optional(Type.Union([email, Type.Null()])),
    email_verified: Type.Optional(Type.Boolean()),
    disabled: Type.Optional(Type.Boolean()),
    profile: Type.Optional(profile),
    scopes: Type.Optional(Type.Array(Type.String())),
  },
  {
    title: 'UserChange',
    description: 'What is left out stays; null takes away.',
    examples: [{ disabled: true }],
  },
);
/** `PATCH /users/{id}`. */
export type UserChange = Static<typeof UserChange>;

/** `GET /users`: which page. */
export const UserQuery = Type.Object({
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 200, default: 50, description: 'At most so many.' }),
  ),
  cursor: Type.Optional(Type.String({ maxLength: 64, description: '`next_cursor` of the page before.' })),
  search: Type.Optional(Type.String({ maxLength: 254, description: 'A part of a username or address.' })),
});
/** `GET /users`: which page. */
export type UserQuery = Static<typeof UserQuery>;

/** `GET /users`: a page, the oldest first. */
export const UserPage = Type.Object(
  {
    data: Type.Array(User),
    next_cursor: Type.Union([Type.String(), Type.Null()], { description: 'Null on the last page.' }),
  },
  { title: 'UserPage', examples: [{ data: [exampleUser], next_cursor: null }] },
);

/** `/users/{id}`. */
export const UserId = Type.Object({
  id: Type.String({ maxLength: 64, description: 'The id of an account.' }),
});
