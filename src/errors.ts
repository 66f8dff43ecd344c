// Every refusal of the house in one table: its code, HTTP status, and a sentence that is safe to show to anybody.
// docs/errors.md lists the same codes; a test holds the two together.

/** How a 401 or 403 tells the client what would help (RFC 6750 section 3, RFC 9470 section 3, RFC 7617). */
export type Challenge =
  | 'bearer' // no credentials were sent: the scheme, and no error code (RFC 6750 section 3.1)
  | 'invalid_token'
  | 'insufficient_scope'
  | 'insufficient_user_authentication'
  | 'basic';

/** The error codes of RFC 6749 section 5.2 and RFC 7009 section 2.2.1. */
export type OAuthError =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'invalid_scope'
  | 'temporarily_unavailable';

/** One row of the table. */
export interface Refusal {
  /** The HTTP status. */
  readonly status: number;
  /** What happened, in a few words: the `title` of RFC 9457. */
  readonly title: string;
  /** A sentence for the person who reads the answer; never holds what the client sent. */
  readonly detail: string;
  /** What `WWW-Authenticate` says, where it is sent. */
  readonly challenge?: Challenge;
  /** The code at the OAuth endpoints, where it is not `invalid_request`. */
  readonly oauth?: OAuthError;
}

const table = {
  // What arrived could not be read.
  malformed_request: {
    status: 400,
    title: 'Malformed request',
    detail: 'The request could not be read as HTTP with a JSON or form body.',
  },
  malformed_json: { status: 400, title: 'Malformed JSON', detail: 'The body is not valid JSON in UTF-8.' },
  ambiguous_credentials: {
    status: 400,
    title: 'Ambiguous credentials',
    detail:
      'Send exactly one credential: one Authorization header with one scheme, and no second one elsewhere.',
    oauth: 'invalid_request',
  },
  invalid_input: {
    status: 422,
    title: 'Invalid input',
    detail: 'Some fields are missing, of the wrong type or out of bounds; `errors` names them.',
  },
  body_too_large: { status: 413, title: 'Body too large', detail: 'A body may have at most 64 KB.' },
  headers_too_large: {
    status: 431,
    title: 'Headers too large',
    detail: 'The headers may have at most 16 KB, and be fewer than 1,000.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported media type',
    detail:
      'Send `Content-Type: application/json`; at /token, /introspect and /revoke a form, application/x-www-form-urlencoded.',
  },
  request_timeout: { status: 408, title: 'Request timeout', detail: 'The request did not arrive in time.' },
  not_found: { status: 404, title: 'Not found', detail: 'There is nothing at this address.' },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    detail: 'This address does not take that method; `Allow` names those it takes.',
  },
  cross_site: {
    status: 403,
    title: 'Cross-site request',
    detail: 'This route is not open to requests that another site started.',
  },

  // Who asks.
  token_missing: {
    status: 401,
    title: 'Token missing',
    detail: 'This route needs an access token: `Authorization: Bearer TOKEN`.',
    challenge: 'bearer',
  },
  token_invalid: {
    status: 401,
    title: 'Token invalid',
    detail: 'The token is not a valid token of the kind that this route takes.',
    challenge: 'invalid_token',
    oauth: 'invalid_grant',
  },
  token_expired: {
    status: 401,
    title: 'Token expired',
    detail: 'The token has expired. Refresh it, or log in again.',
    challenge: 'invalid_token',
    oauth: 'invalid_grant',
  },
  token_revoked: {
    status: 401,
    title: 'Token revoked',
    detail: 'The token was revoked.',
    challenge: 'invalid_token',
    oauth: 'invalid_grant',
  },
  stale_authentication: {
    status: 401,
    title: 'Log in again',
    detail: 'This route needs a password given just now: log in at /login/fresh and send that token.',
    challenge: 'insufficient_user_authentication',
  },
  insufficient_scope: {
    status: 403,
    title: 'Insufficient scope',
    detail: 'The token does not carry the scope that this route needs.',
    challenge: 'insufficient_scope',
  },
  invalid_credentials: {
    status: 401,
    title: 'Invalid credentials',
    detail: 'Invalid username or password.',
    challenge: 'bearer',
    oauth: 'invalid_grant',
  },
  basic_credentials_missing: {
    status: 401,
    title: 'Log in with HTTP Basic',
    detail: 'Send username and password as HTTP Basic, or POST them as JSON.',
    challenge: 'basic',
  },
  invalid_client: {
    status: 401,
    title: 'Invalid client',
    detail: 'Client id and secret are missing or wrong.',
    challenge: 'basic',
    oauth: 'invalid_client',
  },

  // Why a session ended. The same words stand in the store, in the tokens' refusals and in the client.
  expired: {
    status: 401,
    title: 'Session expired',
    detail: 'The session has expired. Log in again.',
    challenge: 'invalid_token',
    oauth: 'invalid_grant',
  },
  signed_out: {
    status: 401,
    title: 'Signed out',
    detail: 'This session was signed out.',
    challenge: 'invalid_token',
    oauth: 'invalid_grant',
  },
  signed_out_elsewhere: {
    status: 401,
    title: 'Signed out elsewhere',
    detail: 'This session was ended from another device or by an administrator.',
    challenge: 'invalid_token',
    oauth: 'invalid_grant',
  },
  password_changed: {
    status: 401,
    title: 'Password changed',
    detail: 'The password was changed, which ended this session.',
    challenge: 'invalid_token',
    oauth: 'invalid_grant',
  },
  reuse_detected: {
    status: 401,
    title: 'Refresh token used twice',
    detail: 'A spent refresh token came back, so this session was ended. Log in again.',
    challenge: 'invalid_token',
    oauth: 'invalid_grant',
  },
  disabled: {
    status: 401,
    title: 'Account disabled',
    detail: 'The account was disabled, which ended this session.',
    challenge: 'invalid_token',
    oauth: 'invalid_grant',
  },
  deleted: {
    status: 401,
    title: 'Account deleted',
    detail: 'The account was deleted, which ended this session.',
    challenge: 'invalid_token',
    oauth: 'invalid_grant',
  },
  scope_changed: {
    status: 401,
    title: 'Scopes changed',
    detail: 'The scopes of the account changed. Refresh the token.',
    challenge: 'invalid_token',
    oauth: 'invalid_grant',
  },
  key_revoked: {
    status: 401,
    title: 'Key revoked',
    detail: 'The key that signed the token was revoked. Refresh the token, or log in again.',
    challenge: 'invalid_token',
    oauth: 'invalid_grant',
  },
  store_went_back: {
    status: 401,
    title: 'Unknown generation',
    detail: 'The token is newer than what the store remembers. Log in again.',
    challenge: 'invalid_token',
    oauth: 'invalid_grant',
  },

  // Accounts.
  username_taken: { status: 409, title: 'Username taken', detail: 'An account with this username exists.' },
  email_taken: { status: 409, title: 'Email taken', detail: 'An account with this email address exists.' },
  password_refused: {
    status: 422,
    title: 'Password refused',
    detail: 'The password does not meet the rules; `errors` says which.',
  },
  wrong_password: {
    status: 403,
    title: 'Wrong password',
    detail: 'The current password is not right.',
  },
  sign_up_refused: { status: 403, title: 'Sign-up refused', detail: 'The sign-up was refused.' },
  log_in_refused: {
    status: 403,
    title: 'Log-in refused',
    detail: 'The log-in was refused.',
    oauth: 'invalid_grant',
  },

  // OAuth.
  invalid_request: {
    status: 400,
    title: 'Invalid request',
    detail: 'The request lacks a parameter, repeats one, or holds one that cannot be read.',
    oauth: 'invalid_request',
  },
  invalid_scope: {
    status: 400,
    title: 'Invalid scope',
    detail: 'The scope is not a list of names separated by blanks.',
    oauth: 'invalid_scope',
  },
  unsupported_grant_type: {
    status: 400,
    title: 'Unsupported grant type',
    detail: 'This server does not take that grant type.',
    oauth: 'unsupported_grant_type',
  },
  unauthorized_client: {
    status: 400,
    title: 'Unauthorized client',
    detail: 'This client may not do that.',
    oauth: 'unauthorized_client',
  },

  // What passes by itself.
  busy: {
    status: 503,
    title: 'Busy',
    detail: 'Too many log-ins are waiting. Try again in a moment.',
    oauth: 'temporarily_unavailable',
  },
  store_unavailable: {
    status: 503,
    title: 'Store unavailable',
    detail: 'The store cannot be reached or cannot write just now. Try again in a moment.',
    oauth: 'temporarily_unavailable',
  },
  view_stale: {
    status: 503,
    title: 'Revocations unknown',
    detail: 'What was revoked is not known recently enough to let anybody in. Try again in a moment.',
    oauth: 'temporarily_unavailable',
  },
  internal: {
    status: 500,
    title: 'Internal error',
    detail: 'Something went wrong here. The log says more under the request id.',
  },
} as const;

/** The code of a refusal. Codes are never renamed. */
export type RefusalCode = keyof typeof table;

/** Every refusal by its code. */
export const refusals: Readonly<Record<RefusalCode, Refusal>> = table;

/** Why a session ended: the codes that stand in its row. */
export const endReasons = [
  'expired',
  'signed_out',
  'signed_out_elsewhere',
  'password_changed',
  'reuse_detected',
  'disabled',
  'deleted',
] as const;

/** Why a session ended. */
export type EndReason = (typeof endReasons)[number];

/** One field that was refused. */
export interface FieldError {
  /** Where: a member name, or a path with dots. */
  readonly field: string;
  /** A short stable word for programs, such as `required`, `too_short`, `too_common`. */
  readonly code: string;
  /** A sentence for people; never holds the value. */
  readonly detail: string;
}

/** What a refusal can say beyond its row in the table. */
export interface RefusalExtra {
  /** Replaces the sentence of the table. Must be safe to show. */
  readonly detail?: string;
  /** The fields that were refused. */
  readonly errors?: readonly FieldError[];
  /** Seconds to wait: becomes `Retry-After`. */
  readonly retryAfter?: number;
  /** The greatest age of the authentication in seconds: becomes `max_age` (RFC 9470 section 3). */
  readonly maxAge?: number;
  /** The scope that would have been enough: becomes `scope` (RFC 6750 section 3). */
  readonly scope?: string;
  /** What went wrong underneath: for the log, never for the answer. */
  readonly cause?: unknown;
}

/** The one error that the house throws at its doors. Switch on `code`. */
export class LatchkeyError extends Error {
  override readonly name = 'LatchkeyError';
  /** From the table of refusals. */
  readonly code: RefusalCode;
  /** The HTTP status that fits. */
  readonly status: number;
  /** What it says beyond the table. */
  readonly extra: Omit<RefusalExtra, 'cause'>;

  constructor(code: RefusalCode, extra: RefusalExtra = {}) {
    const { cause, ...rest } = extra;
    super(extra.detail ?? refusals[code].detail, cause === undefined ? undefined : { cause });
    this.code = code;
    this.status = refusals[code].status;
    this.extra = rest;
  }
}

/** Make the error for a refusal: `throw refuse('username_taken')`. */
export function refuse(code: RefusalCode, extra?: RefusalExtra): LatchkeyError {
  return new LatchkeyError(code, extra);
}

/** Whether a value is a refusal of this house, also across copies of the package. */
export function isLatchkeyError(value: unknown): value is LatchkeyError {
  return (
    value instanceof Error &&
    value.name === 'LatchkeyError' &&
    'code' in value &&
    (value.code as string) in table
  );
}

/** A start that cannot go on: wrong settings, a damaged file, a key that does not unseal. `main` prints its sentences and exits with 1. */
export class StartError extends Error {
  override readonly name = 'StartError';
  /** One sentence for each thing that is wrong, each with what to do instead. */
  readonly problems: readonly string[];

  constructor(problems: string | readonly string[], options?: ErrorOptions) {
    const list = typeof problems === 'string' ? [problems] : problems;
    super(list.join('\n'), options);
    this.problems = list;
  }
}
