// Who asks: the credential of a request, read once and strictly, and the account behind it as it is now.
import type { FastifyRequest } from 'fastify';
import { refuse } from '../errors.ts';
import type { Device, House } from '../flows/house.ts';
import { type Authorization, authorizationHeaders, readAuthorization } from '../guards/authorization.ts';
import { refuseStale } from '../guards/guard.ts';
import type { StoredAccount } from '../store/accounts.ts';
import type { AccessClaims } from '../tokens/claims.ts';

/** The Authorization header of a request. Throws `ambiguous_credentials` when there are two. */
export function authorizationOf(request: FastifyRequest): Authorization {
  return readAuthorization(authorizationHeaders(request.raw.rawHeaders));
}

/** The claims of the request's access token. Throws `token_missing`, or why it is refused. */
function callerOf(house: House, request: FastifyRequest): AccessClaims {
  const authorization = authorizationOf(request);
  if (authorization.scheme !== 'bearer') throw refuse('token_missing');
  return house.gate.check(authorization.token);
}

/** The same where a token may be left out. One that is sent must be good. */
export function callerIfAny(house: House, request: FastifyRequest): AccessClaims | null {
  return authorizationOf(request).scheme === 'none' ? null : callerOf(house, request);
}

/** The caller and its account as it is now, whatever the token says. Throws `deleted`, `disabled`. */
export async function accountOf(
  house: House,
  request: FastifyRequest,
): Promise<{ caller: AccessClaims; stored: StoredAccount }> {
  const caller = callerOf(house, request);
  const stored = await house.store.accounts.find(caller.sub);
  if (stored === null) throw refuse('deleted');
  if (stored.account.disabled) throw refuse('disabled');
  return { caller, stored };
}

/** Insist on a password given just now (RFC 9470). Throws `stale_authentication`. */
export function insistOnFresh({ settings, store }: House, caller: AccessClaims): void {
  refuseStale(caller, store.now(), settings.freshWithin);
}

/** Insist on a scope, in the token and of the account as it is now. Throws `insufficient_scope`. */
export async function insistOnScope(
  house: House,
  request: FastifyRequest,
  scope: string,
): Promise<AccessClaims> {
  const { caller, stored } = await accountOf(house, request);
  const carried = (caller.scope ?? '').split(' ');
  if (!carried.includes(scope) || !stored.account.scopes.includes(scope))
    throw refuse('insufficient_scope', { scope });
  return caller;
}

/** Where a request came from, for the list of devices. */
export function deviceOf(request: FastifyRequest): Device {
  return { userAgent: request.headers['user-agent'], address: request.ip };
}

/** Refuse a GET that opens or moves a session when another site, or a browser's prefetch, asked for it. */
export function refuseForeignGet(request: FastifyRequest): void {
  const site = request.headers['sec-fetch-site'];
  if (site === 'cross-site' || request.headers['sec-purpose'] !== undefined) throw refuse('cross_site');
}
