// A registered service asks whether a token is good (RFC 7662), or gives one back (RFC 7009).
import { scopeText } from '../accounts/account.ts';
import { toSeconds } from '../clock.ts';
import { isLatchkeyError, refuse } from '../errors.ts';
import { tokenRevoked } from '../revocations/entry.ts';
import { equalSecrets, sha256 } from '../secrets.ts';
import { readRefreshToken } from '../sessions/refresh-token.ts';
import { whyEnded } from '../sessions/session.ts';
import type { Service } from '../store/services.ts';
import type { AccessClaims } from '../tokens/claims.ts';
import { gatherEntries } from './end-sessions.ts';
import type { House } from './house.ts';
import { grantedScopes } from './issue.ts';
import { judgeLeave, logOut } from './log-out.ts';

/** The answer of RFC 7662 section 2.2. Of anything that is not good it is exactly `{active: false}`. */
export type Introspection =
  | { readonly active: false }
  | ({ readonly active: true } & Record<string, unknown>);

const nobody = sha256('no service has this secret');

/** The service whose id and secret these are. Throws `invalid_client`. */
export async function proveService(house: House, clientId: string, secret: string): Promise<Service> {
  const service = await house.store.services.find(clientId);
  // Compared also where there is no such service, so that time tells nothing.
  const matches = equalSecrets(service?.secretHash ?? nobody, sha256(secret));
  if (service === null || !matches) throw refuse('invalid_client');
  return service;
}

/** What is known of a token. Never throws for a token. */
export async function introspect(house: House, token: string): Promise<Introspection> {
  const claims = goodAccess(house, token);
  if (claims === null) return introspectRefresh(house, token);
  // Asked of the store and not of the token: a service that introspects wants to know what is true now.
  const stored = await house.store.accounts.find(claims.sub);
  if (stored === null || stored.account.disabled) return { active: false };
  const { preferred_username: username, ...rest } = claims;
  return { active: true, token_type: 'Bearer', ...rest, ...(username !== undefined && { username }) };
}

async function introspectRefresh(house: House, token: string): Promise<Introspection> {
  const read = readRefreshToken(token, house.keys.refreshSecret);
  if (!read.ok) return { active: false };
  const session = await house.store.sessions.find(read.sessionId);
  const now = house.store.now();
  if (session === null || session.userId === null || whyEnded(session, now) !== null)
    return { active: false };
  if (read.generation !== session.generation || read.expiresAt <= now) return { active: false };
  const stored = await house.store.accounts.find(session.userId);
  if (stored === null || stored.account.disabled) return { active: false };
  return {
    active: true,
    token_type: 'refresh_token',
    iss: house.settings.issuer,
    sub: session.userId,
    sid: session.id,
    iat: toSeconds(session.issuedAt),
    exp: toSeconds(session.refreshExpiresAt),
    scope: scopeText(grantedScopes(stored.account, session.askedScopes)),
    ...(stored.account.username !== null && { username: stored.account.username }),
    ...(session.clientId !== null && { client_id: session.clientId }),
  };
}

/** Kill a token. Whatever is not a good token is dead already, which is all that was asked. Throws `invalid_client`, `unauthorized_client`. */
export async function revokeToken(house: House, token: string, client: Service | null): Promise<void> {
  const claims = goodAccess(house, token);
  if (claims !== null) {
    const objection = fromOtherClient(claims.client_id ?? null, client);
    if (objection !== null) throw refuse(objection);
    const until = house.tokensOut.until(house.store.now());
    await house.store.revocations.add([tokenRevoked(claims.jti, claims.sub, until)]);
    return gatherEntries(house, claims.sub);
  }
  const leave = await judgeLeave(house, token, ({ clientId }) => fromOtherClient(clientId, client));
  if (leave.ok) return logOut(house, leave.leaver);
  if (leave.code === 'invalid_client' || leave.code === 'unauthorized_client') throw refuse(leave.code);
}

/** A token of a confidential client is given back by that client alone (RFC 7009 section 2.1). */
function fromOtherClient(
  owner: string | null,
  client: Service | null,
): 'invalid_client' | 'unauthorized_client' | null {
  if (owner === null || client?.clientId === owner) return null;
  return client === null ? 'invalid_client' : 'unauthorized_client';
}

function goodAccess(house: House, token: string): AccessClaims | null {
  try {
    return house.gate.check(token);
  } catch (error) {
    if (isLatchkeyError(error) && error.status === 401) return null;
    throw error;
  }
}
