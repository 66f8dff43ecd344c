// What a session hands out: an access token for now, and the refresh token that its row stands for.
import { type Account, scopeText } from '../accounts/account.ts';
import { type Instant, toSeconds } from '../clock.ts';
import { refuse } from '../errors.ts';
import { uuidv7 } from '../secrets.ts';
import { makeRefreshToken } from '../sessions/refresh-token.ts';
import type { Session } from '../sessions/session.ts';
import type { AccessClaims } from '../tokens/claims.ts';
import { issueToken } from '../tokens/issue.ts';
import type { SigningKey } from '../tokens/key.ts';
import { type House, type Tokens, userFrom } from './house.ts';

/** Names that custom claims cannot take. */
const reservedClaims: ReadonlySet<string> = new Set([
  ...['iss', 'sub', 'aud', 'iat', 'exp', 'nbf', 'jti', 'sid', 'epoch', 'preferred_username', 'auth_time'],
  ...['amr', 'scope', 'fresh', 'client_id', 'cnf', 'act', 'acr', 'azp', 'typ'],
]);

/** What an access token is made for. */
export interface AccessRequest {
  readonly account: Account;
  readonly session: Session;
  /** The instant of the decision. The commit comes later, so no token outlives the entry that could kill it. */
  readonly now: Instant;
  /** Whether a password (or stronger) was given in this very request. */
  readonly fresh: boolean;
  /**
   * The key that signed when the request began. Taken before the session is written: ending every session replaces the key, and
   * a token that was on its way meanwhile must bear the old one.
   */
  readonly signer: SigningKey;
  /** Its life where it is to be shorter than `LATCHKEY_ACCESS_TTL`, in milliseconds. */
  readonly lifeMs?: number;
}

/** An access token and the scopes it carries. */
export interface IssuedAccess {
  readonly token: string;
  readonly expiresIn: number;
  readonly scopes: readonly string[];
}

/** The scopes of a token: those of the account, or those of them that were asked for. */
export function grantedScopes(
  account: Pick<Account, 'scopes'>,
  asked: readonly string[] | null,
): readonly string[] {
  return asked === null ? account.scopes : account.scopes.filter((scope) => asked.includes(scope));
}

/** Make an access token (RFC 9068 section 2.2). */
export async function issueAccess(house: House, request: AccessRequest): Promise<IssuedAccess> {
  const { account, session, now, fresh, signer } = request;
  const { settings, hooks } = house;
  const scopes = grantedScopes(account, session.askedScopes);
  const iat = toSeconds(now);
  house.tokensOut.issued(now);
  // Never longer than the session: its row goes at its end, and with the row whatever could end the token early.
  const left = toSeconds(session.refreshExpiresAt) - iat;
  const expiresIn = Math.min(Math.floor((request.lifeMs ?? settings.accessTtl) / 1000), left);
  const own = hooks.claims === undefined ? {} : await hooks.claims(userFrom(account));
  for (const name of Object.keys(own)) {
    if (reservedClaims.has(name)) throw new Error(`The hook claims() may not set "${name}".`);
  }
  const claims: AccessClaims = {
    ...own,
    iss: settings.issuer,
    sub: account.id,
    aud: settings.audience,
    iat,
    exp: iat + expiresIn,
    jti: uuidv7(now),
    sid: session.id,
    epoch: account.epoch,
    ...(account.username !== null && { preferred_username: account.username }),
    auth_time: toSeconds(session.authTime),
    amr: [...session.amr],
    scope: scopeText(scopes),
    ...(fresh && { fresh: true as const }),
    ...(session.clientId !== null && { client_id: session.clientId }),
  };
  return { token: issueToken(signer, 'at+jwt', claims), expiresIn, scopes };
}

/** Make the pair of a session as its row stands. */
export async function issueTokens(house: House, request: AccessRequest): Promise<Tokens> {
  const { session, now, account } = request;
  const secret = house.keys.refreshSecret(session.refreshKid);
  // Revoked since the decision.
  if (secret === undefined) throw refuse('key_revoked');
  const access = await issueAccess(house, request);
  return {
    accessToken: access.token,
    refreshToken: makeRefreshToken(session, { kid: session.refreshKid, secret }),
    expiresIn: access.expiresIn,
    refreshExpiresIn: Math.max(0, toSeconds(session.refreshExpiresAt) - toSeconds(now)),
    scopes: access.scopes,
    sessionId: session.id,
    user: userFrom(account),
  };
}
