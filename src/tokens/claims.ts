// What an access token says, and whether that is what this service expects (RFC 7519 section 4.1, RFC 9068 section 4).
// Comparisons are written so that a missing or NaN bound refuses.

/** The claims of an access token. All times are whole seconds since the epoch (NumericDate). */
export interface AccessClaims {
  /** The issuer, equal character for character to the one configured. */
  readonly iss: string;
  /** The account's id. */
  readonly sub: string;
  /** Whom the token is for. */
  readonly aud: string | readonly string[];
  /** When it was made. */
  readonly iat: number;
  /** From when on it is refused. */
  readonly exp: number;
  /** The token's own id. */
  readonly jti: string;
  /** The session's id. */
  readonly sid: string;
  /** The account's epoch when the token was made; raised when all its tokens die at once. */
  readonly epoch: number;
  /** Before when it is refused. Never on a token of this house. */
  readonly nbf?: number;
  /** The username, where the account has one; never an address. */
  readonly preferred_username?: string;
  /** When a password (or stronger) was last given. */
  readonly auth_time?: number;
  /** How, as in RFC 8176. */
  readonly amr?: readonly string[];
  /** Scopes, separated by single blanks (RFC 9068 section 2.2.3). */
  readonly scope?: string;
  /** Only on tokens made by a password or stronger in that very request. */
  readonly fresh?: true;
  /** The client that proved itself when the session began (RFC 9068 section 2.2). */
  readonly client_id?: string;
  readonly [custom: string]: unknown;
}

/** What a service expects of the claims. */
export interface ClaimsExpectation {
  readonly issuer: string;
  readonly audience: string;
  /** The longest life, `exp` minus `iat`, that the issuer gives a token. */
  readonly maxLifetimeSeconds: number;
}

/** Why claims were refused. */
export type ClaimsFault =
  | 'bad_claims' // missing, of a wrong type, or contradicting each other
  | 'wrong_issuer'
  | 'wrong_audience'
  | 'too_long_lived'
  | 'not_yet_valid'
  | 'expired';

/** How far `iat` and `nbf` may lie ahead of our clock. `exp` has no leeway. */
const leewaySeconds = 60;

/** Why these claims are refused at this time, or null when they are good. `expired` is said only of claims that are good otherwise. */
export function checkClaims(
  claims: Readonly<Record<string, unknown>>,
  expectation: ClaimsExpectation,
  nowSeconds: number,
): ClaimsFault | null {
  if (typeof claims.iss !== 'string' || claims.iss !== expectation.issuer) return 'wrong_issuer';
  if (!isFor(claims.aud, expectation.audience)) return 'wrong_audience';
  if (!hasShape(claims)) return 'bad_claims';
  if (claims.exp <= claims.iat) return 'bad_claims';
  if (!(claims.exp - claims.iat <= expectation.maxLifetimeSeconds)) return 'too_long_lived';
  return checkTimes(claims, nowSeconds);
}

/** The part of the check that time changes: run it again whenever good claims are met again. */
export function checkTimes(
  claims: Pick<AccessClaims, 'iat' | 'nbf' | 'exp'>,
  nowSeconds: number,
): 'not_yet_valid' | 'expired' | null {
  const latestStart = nowSeconds + leewaySeconds;
  if (!(claims.iat <= latestStart) || !((claims.nbf ?? claims.iat) <= latestStart)) return 'not_yet_valid';
  return nowSeconds < claims.exp ? null : 'expired';
}

function isFor(aud: unknown, audience: string): boolean {
  if (typeof aud === 'string') return aud === audience;
  return Array.isArray(aud) && aud.every(isText) && aud.includes(audience);
}

type Check = (value: unknown) => boolean;

const required: Readonly<Record<string, Check>> = {
  sub: isText,
  jti: isText,
  sid: isText,
  iat: isNumericDate,
  exp: isNumericDate,
  epoch: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
};

const optional: Readonly<Record<string, Check>> = {
  nbf: isNumericDate,
  auth_time: isNumericDate,
  preferred_username: isText,
  client_id: isText,
  scope: (value) => typeof value === 'string',
  amr: (value) => Array.isArray(value) && value.every(isText),
  fresh: (value) => value === true,
};

function hasShape(claims: Readonly<Record<string, unknown>>): claims is AccessClaims {
  return (
    Object.entries(required).every(([name, holds]) => holds(claims[name])) &&
    Object.entries(optional).every(([name, holds]) => claims[name] === undefined || holds(claims[name]))
  );
}

// A lone surrogate would turn into another text on its way into a store or a log.
function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.isWellFormed();
}

function isNumericDate(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
