// Somebody leaves: with an access token, or with a refresh token when that one has expired.
import { refuse } from '../errors.ts';
import { readRefreshToken } from '../sessions/refresh-token.ts';
import { whyEnded } from '../sessions/session.ts';
import { endOneSession, endSessionsOfUser } from './end-sessions.ts';
import type { House } from './house.ts';

/** Who leaves: found out from a token of either kind. */
export interface Leaver {
  readonly sessionId: string;
  readonly userId: string;
}

/** Whose refresh token this is, if its session still runs. Throws why not. */
export async function leaverFromRefreshToken(house: House, token: string): Promise<Leaver> {
  const read = readRefreshToken(token, house.keys.refreshSecret);
  if (!read.ok) throw refuse('token_invalid');
  const session = await house.store.sessions.find(read.sessionId);
  if (session === null) throw refuse('expired');
  const reason = whyEnded(session, house.store.now());
  if (reason !== null || session.userId === null) throw refuse(reason ?? 'deleted');
  return { sessionId: session.id, userId: session.userId };
}

/** End the session that asks. */
export async function logOut(house: House, { sessionId, userId }: Leaver): Promise<void> {
  await endOneSession(house, sessionId, userId, 'signed_out');
}

/** End this session and all others of the account. */
export async function logOutEverywhere(house: House, { sessionId, userId }: Leaver): Promise<void> {
  // Its own first, so that this one is told that it signed out and only the others that somebody else did.
  await endOneSession(house, sessionId, userId, 'signed_out');
  await endSessionsOfUser(house, userId, 'signed_out_elsewhere');
}
