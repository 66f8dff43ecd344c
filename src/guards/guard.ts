// The guard: find out who asks, then insist. It knows no framework; the doors beside it carry requests to it and refusals back.
// Nothing here waits: a token is checked in step, and on a token that was seen before without a signature.
import { type LatchkeyError, refuse } from '../errors.ts';
import type { AccessClaims } from '../tokens/claims.ts';
import { readAuthorization } from './authorization.ts';

/** What stands behind a guard: a Latchkey, or anything that verifies like one. */
export interface Authority<User = unknown> {
  /** The claims of a good access token; throws the refusal of any other. */
  verify(accessToken: string): AccessClaims;
  /** What a refresh token says, once its MAC was found good; throws the refusal of any other. */
  readRefreshToken(refreshToken: string): { readonly sessionId: string; readonly userId: string };
  /** The time that tokens are judged by, in milliseconds since the epoch. */
  now(): number;
  /** How old a password may be for `fresh`, in milliseconds. */
  readonly settings: { readonly freshWithin: number };
  readonly users: { find(id: string): Promise<User | null> };
}

/** Who asks, on a route that is closed. */
export interface Caller<User = unknown> {
  /** The account's id: the `sub` of the token. */
  readonly id: string;
  readonly username: string | null;
  readonly sessionId: string;
  readonly scopes: readonly string[];
  /** Whether this token was made by a password given in that very request, and when that was. */
  readonly fresh: boolean;
  readonly authenticatedAt: Date | null;
  readonly expiresAt: Date;
  /** All that the token says, with claims of your own. */
  readonly claims: AccessClaims;
  readonly token: string;
  /** The account as it is now. Throws `deleted`. */
  user(): Promise<User>;
}

/** Who asks with a refresh token. */
export interface RefreshCaller {
  readonly id: string;
  readonly sessionId: string;
  /** To be given to `refresh`. */
  readonly token: string;
}

/** Where a token may stand. Only the header is looked at unless others are named: addresses reach logs and `Referer`. */
export type TokenPlace = 'header' | 'query' | 'body';

/** What a door tells of a request. */
export interface Presented {
  /** Every Authorization header. */
  readonly authorization: readonly string[];
  /** The part of the address after the question mark. */
  readonly query: string;
  /** The parsed body, where the framework has one. */
  readonly body: unknown;
}

/** How a guard is made. */
export interface GuardOptions {
  /** Where a token may stand, in this order; in two places at once it is refused. Default: the header. */
  readonly from?: readonly TokenPlace[];
  /** The name of the parameter and of the member of a body. Default: `token`. */
  readonly parameter?: string;
  /** How a refusal is answered. Default: problem+json with a challenge. What is left out stays as it is. */
  readonly refusal?: (error: LatchkeyError) => RefusalShape;
}

/** What of a refusal's answer is to be otherwise. */
export interface RefusalShape {
  readonly status?: number;
  /** Sent as JSON; a text as it is. */
  readonly body?: unknown;
  /** Null takes a header away. */
  readonly headers?: Readonly<Record<string, string | null>>;
}

/** What a route insists on. `judge` gives who asks, or throws the refusal. */
export interface Verb<Who> {
  readonly name: 'required' | 'optional' | 'fresh' | 'refresh' | 'scope';
  /** The scopes of which the token must carry these. */
  readonly scopes: readonly string[];
  readonly options: GuardOptions;
  judge(presented: Presented): Who;
}

/** The verbs of one authority. */
export interface Verbs<User> {
  /** A good access token. */
  readonly required: Verb<Caller<User>>;
  /** A good access token or none; a bad one is refused. */
  readonly optional: Verb<Caller<User> | null>;
  /** A password given within so many milliseconds (RFC 9470). Default: the setting `freshWithin`. */
  fresh(withinMs?: number): Verb<Caller<User>>;
  /** A refresh token. */
  readonly refresh: Verb<RefreshCaller>;
  /** All of these scopes, or with `any` one of them. */
  scope(scopes: readonly string[], how?: 'all' | 'any'): Verb<Caller<User>>;
}

/** The verbs that insist on tokens of this authority. */
export function verbsOf<User>(authority: Authority<User>, options: GuardOptions = {}): Verbs<User> {
  const token = tokenFinder(options);
  const verb = <Who>(
    name: Verb<Who>['name'],
    judge: Verb<Who>['judge'],
    scopes: readonly string[] = [],
  ): Verb<Who> => ({ name, scopes, options, judge });

  const required = (presented: Presented): Caller<User> => {
    const found = token(presented);
    if (found === null) throw refuse('token_missing');
    return callerOf(authority, found);
  };
  return {
    required: verb('required', required),
    optional: verb('optional', (presented) => {
      const found = token(presented);
      return found === null ? null : callerOf(authority, found);
    }),
    fresh: (withinMs = authority.settings.freshWithin) =>
      verb('fresh', (presented) => {
        const who = required(presented);
        refuseStale(who.claims, authority.now(), withinMs);
        return who;
      }),
    refresh: verb('refresh', (presented) => {
      const found = token(presented);
      if (found === null) throw refuse('token_missing');
      const { userId, sessionId } = authority.readRefreshToken(found);
      return { id: userId, sessionId, token: found };
    }),
    scope: (scopes, how = 'all') =>
      verb('scope', (presented) => mustCarry(required(presented), scopes, how), scopes),
  };
}

function callerOf<User>(authority: Authority<User>, token: string): Caller<User> {
  const claims = authority.verify(token);
  const { sub, sid, exp, scope = '', auth_time: authTime } = claims;
  return {
    id: sub,
    username: claims.preferred_username ?? null,
    sessionId: sid,
    scopes: scope === '' ? [] : scope.split(' '),
    fresh: claims.fresh === true,
    authenticatedAt: authTime === undefined ? null : new Date(authTime * 1000),
    expiresAt: new Date(exp * 1000),
    claims,
    token,
    async user() {
      const user = await authority.users.find(sub);
      if (user === null) throw refuse('deleted');
      return user;
    },
  };
}

/** Insist on a password given so recently (RFC 9470 section 3): the server's own routes do it by this too. Throws `stale_authentication`. */
export function refuseStale(claims: AccessClaims, now: number, withinMs: number): void {
  const age = now - (claims.auth_time ?? Number.NEGATIVE_INFINITY) * 1000;
  // Asked this way round, so that an age that is not a number is too old.
  if (claims.fresh === true && age <= withinMs) return;
  throw refuse('stale_authentication', { maxAge: Math.floor(withinMs / 1000) });
}

function mustCarry<User>(who: Caller<User>, scopes: readonly string[], how: 'all' | 'any'): Caller<User> {
  const carries = (scope: string): boolean => who.scopes.includes(scope);
  if (how === 'any' ? scopes.some(carries) : scopes.every(carries)) return who;
  throw refuse('insufficient_scope', { scope: scopes.join(' ') });
}

/** The token of a request, from the one place where it stands; null: none of the places has one. */
function tokenFinder({
  from = ['header'],
  parameter = 'token',
}: GuardOptions): (presented: Presented) => string | null {
  return (presented) => {
    let found: string | null = null;
    for (const place of from) {
      const here = readPlace[place](presented, parameter);
      if (here === null) continue;
      // Which of two would count is a question that an attacker answers otherwise than we do.
      if (found !== null) throw refuse('ambiguous_credentials');
      found = here;
    }
    return found;
  };
}

const readPlace: Readonly<Record<TokenPlace, (presented: Presented, parameter: string) => string | null>> = {
  header({ authorization }) {
    const read = readAuthorization(authorization);
    if (read.scheme === 'bearer') return read.token;
    // A bearer that cannot be read is a bad token and not none: `optional` would let it in as a stranger.
    if (read.scheme === 'other' && /^\s*bearer\b/i.test(authorization[0]!)) throw refuse('token_invalid');
    return null;
  },
  query({ query }, parameter) {
    const [value, second] = new URLSearchParams(query).getAll(parameter);
    // A repeated one is a list to one parser and the last one to another.
    if (second !== undefined) throw refuse('token_invalid');
    return value === undefined || value === '' ? null : value;
  },
  body({ body }, parameter) {
    if (typeof body !== 'object' || body === null || !Object.hasOwn(body, parameter)) return null;
    const value = (body as Record<string, unknown>)[parameter];
    if (typeof value !== 'string') throw refuse('token_invalid');
    return value;
  },
};
