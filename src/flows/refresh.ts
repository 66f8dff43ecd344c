// A refresh token comes back: read it, ask the rule, make its outcome true, hand out the pair.
import type { Account } from '../accounts/account.ts';
import type { Instant } from '../clock.ts';
import { type RefusalCode, refuse } from '../errors.ts';
import { decideRefresh, type Presented, type RefreshDecision } from '../sessions/refresh.ts';
import { readRefreshToken } from '../sessions/refresh-token.ts';
import type { Session } from '../sessions/session.ts';
import type { SessionDecision } from '../store/sessions.ts';
import { endingReused } from './end-sessions.ts';
import type { House, Tokens } from './house.ts';
import { issueTokens } from './issue.ts';

/**
 * Refresh. `clientId`: the client that proved itself in this request; a session that belongs to one moves on for that one alone
 * (RFC 6749 section 6). Throws `token_invalid`, `expired`, `reuse_detected`, or why the session ended.
 */
export function refresh(house: House, token: string, clientId: string | null = null): Promise<Tokens> {
  // Another house may have revoked a key, or begun to make tokens with a new one, since this one looked last.
  house.store.catchUp();
  const presented = readRefreshToken(token, house.keys.refreshSecret);
  if (!presented.ok) return Promise.reject(refuse('token_invalid'));
  // Fifty tabs come with one token: they share one write, and one answer.
  const twin = `${presented.sessionId}.${presented.generation}.${clientId ?? ''}`;
  const running = house.refreshing.get(twin) ?? moveOn(house, presented, clientId);
  if (!house.refreshing.has(twin)) {
    house.refreshing.set(twin, running);
    const done = () => house.refreshing.delete(twin);
    running.then(done, done);
  }
  return running;
}

type Moved =
  | { readonly go: true; readonly account: Account; readonly session: Session; readonly now: Instant }
  | { readonly go: false; readonly code: RefusalCode };

async function moveOn(
  house: House,
  presented: Presented & { readonly sessionId: string },
  clientId: string | null,
): Promise<Tokens> {
  const signer = house.keys.signing();
  const policy = { ...house.policy, refreshKid: house.keys.refresh().kid };
  const moved = await house.store.sessions.change<Moved>(presented.sessionId, (session, account, now) => {
    const no = (code: RefusalCode): SessionDecision<Moved> => ({ outcome: { go: false, code } });
    // Before the rule: a stranger who brings a token that is not theirs must not be able to end the session by it.
    if (session.clientId !== clientId && session.userId !== null) return no('token_invalid');
    const decision = decideRefresh(session, presented, now, policy);
    if (decision.outcome === 'reused') {
      return { ...no('reuse_detected'), ...endingReused(house, decision.session, now) };
    }
    if (decision.outcome !== 'rotated' && decision.outcome !== 'repeated') return no(refusalOf(decision));
    // Whoever deletes or disables also ends the sessions; should a row have been missed, it still gets nothing.
    if (account === null) return no('deleted');
    if (account.disabled) return no('disabled');
    const outcome: Moved = { go: true, account, session: decision.session, now };
    if (decision.outcome === 'repeated') return { outcome };
    return { outcome, next: decision.session, whileEpoch: account.epoch, rotates: true };
  });
  if (moved === null) throw refuse(house.store.now() >= presented.expiresAt ? 'expired' : 'store_went_back');
  if (!moved.go) throw refuse(moved.code);
  const { account, session, now } = moved;
  return issueTokens(house, { account, session, now, fresh: false, signer });
}

/** The code of a decision that lets nobody on. */
export function refusalOf(decision: Exclude<RefreshDecision, { session: Session }>): RefusalCode {
  return decision.outcome === 'ended' ? decision.reason : decision.outcome;
}
