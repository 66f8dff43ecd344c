// Somebody leaves: with an access token, or with a refresh token when that one has expired.
// A refresh token is held to the rule of refreshing here too, or an old copy of one could sign its owner out.
import { type RefusalCode, refuse } from '../errors.ts';
import { decideRefresh } from '../sessions/refresh.ts';
import { readRefreshToken } from '../sessions/refresh-token.ts';
import type { Session } from '../sessions/session.ts';
import { endingReused, endOneSession, endSessionsOfUser } from './end-sessions.ts';
import type { House } from './house.ts';
import { refusalOf } from './refresh.ts';

/** Who leaves: found out from a token of either kind. */
export interface Leaver {
  readonly sessionId: string;
  readonly userId: string;
}

/** Who may leave by a refresh token, or why it speaks for nobody. */
export type Leave =
  | { readonly ok: true; readonly leaver: Leaver }
  | { readonly ok: false; readonly code: RefusalCode };

/**
 * What a refresh token is good for when it is given back. `objection`: why whoever brings it may not do so, asked before the rule.
 * One that was spent ends its session as it would at a refresh (RFC 9700 section 4.14.2), and says so; one past its end does nothing.
 */
export async function judgeLeave(
  house: House,
  token: string,
  objection: (session: Session) => RefusalCode | null,
): Promise<Leave> {
  const presented = readRefreshToken(token, house.keys.refreshSecret);
  if (!presented.ok) return { ok: false, code: 'token_invalid' };
  const policy = { ...house.policy, refreshKid: house.keys.refresh().kid };
  const judged = await house.store.sessions.change<Leave>(presented.sessionId, (session, _, now) => {
    const no = (code: RefusalCode) => ({ outcome: { ok: false, code } as const });
    const { id: sessionId, userId } = session;
    const objected = userId === null ? null : objection(session);
    if (objected !== null) return no(objected);
    const decision = decideRefresh(session, presented, now, policy);
    if (decision.outcome === 'reused')
      return { ...no('reuse_detected'), ...endingReused(house, decision.session, now) };
    if (decision.outcome === 'ended' || decision.outcome === 'expired') return no(refusalOf(decision));
    // A token that is newer than the row is left to leave: it is ours, and nobody else's session can be meant.
    return userId === null ? no('deleted') : { outcome: { ok: true, leaver: { sessionId, userId } } };
  });
  return judged ?? { ok: false, code: 'expired' };
}

/** Whose refresh token this is. Throws why it speaks for nobody. A client's is given back at /revoke, where the client proves itself. */
export async function leaverFromRefreshToken(house: House, token: string): Promise<Leaver> {
  const leave = await judgeLeave(house, token, ({ clientId }) =>
    clientId === null ? null : 'token_invalid',
  );
  if (!leave.ok) throw refuse(leave.code);
  return leave.leaver;
}

/** Whose token this is, of either kind: a good MAC of ours makes it a refresh token. Throws why it speaks for nobody. */
export async function leaverOf(house: House, token: string): Promise<Leaver> {
  if (readRefreshToken(token, house.keys.refreshSecret).ok) return leaverFromRefreshToken(house, token);
  const { sid, sub } = house.gate.check(token);
  return { sessionId: sid, userId: sub };
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
