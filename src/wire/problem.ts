// The shapes of refusals on the wire.
import { type Static, Type } from 'typebox';

/** A refusal (RFC 9457). `code` is stable; docs/errors.md lists them all. */
export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    code: Type.String(),
    request_id: Type.String(),
    errors: Type.Optional(
      Type.Array(Type.Object({ field: Type.String(), code: Type.String(), detail: Type.String() })),
    ),
  },
  {
    title: 'Problem',
    examples: [
      {
        type: 'about:blank',
        title: 'Invalid credentials',
        status: 401,
        detail: 'Invalid username or password.',
        code: 'invalid_credentials',
        request_id: 'req-1',
      },
    ],
  },
);
/** A refusal (RFC 9457). */
export type Problem = Static<typeof Problem>;

/** A refusal at the OAuth endpoints (RFC 6749 section 5.2). */
export const OAuthProblem = Type.Object(
  {
    error: Type.String(),
    error_description: Type.String(),
    code: Type.String({ description: 'The same code as elsewhere.' }),
  },
  {
    title: 'OAuthProblem',
    examples: [
      {
        error: 'invalid_grant',
        error_description: 'Invalid username or password.',
        code: 'invalid_credentials',
      },
    ],
  },
);
/** A refusal at the OAuth endpoints. */
export type OAuthProblem = Static<typeof OAuthProblem>;
