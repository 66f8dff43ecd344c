// The operator makes an access token for somebody, without a password. It is no way around anything: it is a session of the
// account like others, seen among its devices, ended like them, and it is never fresh.
import type { Account } from '../accounts/account.ts';
import { refuse } from '../errors.ts';
import { randomText } from '../secrets.ts';
import { openSession, type Session } from '../sessions/session.ts';
import { makeRoom } from './end-sessions.ts';
import type { House } from './house.ts';
import { type IssuedAccess, issueAccess } from './issue.ts';

/** What a token is to be. */
export interface TokenWish {
  /** How long it lives, in milliseconds; null: as long as others. */
  readonly lifeMs: number | null;
  /** The scopes it is to carry, of those that the account has; null: all of them. */
  readonly scopes: readonly string[] | null;
}

/** A token, and the session that it belongs to. */
export interface MadeToken extends IssuedAccess {
  readonly session: Session;
}

/** The longest life of an access token here, in milliseconds. A longer one would outlive the entry that revokes it. */
export function longestLife({ settings, tokensOut }: House): number {
  return Math.min(settings.accessTtl, tokensOut.greatestLife);
}

/** Make one. Throws `invalid_input` for a life that is too long, `disabled` for an account that is. */
export async function makeToken(house: House, account: Account, wish: TokenWish): Promise<MadeToken> {
  const lifeMs = wish.lifeMs ?? longestLife(house);
  if (lifeMs > longestLife(house)) {
    const detail = `No access token lives longer than ${longestLife(house) / 1000} seconds here.`;
    throw refuse('invalid_input', { errors: [{ field: 'ttl', code: 'too_long', detail }] });
  }
  const now = house.store.now();
  const signer = house.keys.signing();
  const session = openSession({
    id: randomText(16),
    userId: account.id,
    now,
    // It ends with its token: nobody holds a refresh token of it.
    policy: { ...house.policy, idleMs: lifeMs, ttlMs: lifeMs },
    refreshKid: house.keys.refresh().kid,
    salt: randomText(16),
    // Nobody gave a password for it, ever.
    authTime: 0,
    amr: [],
    askedScopes: wish.scopes,
    clientId: null,
    label: 'latchkey token make',
    address: null,
  });
  await makeRoom(house, account.id);
  if (!(await house.store.sessions.open(session, account.epoch))) throw refuse('disabled');
  const issued = await issueAccess(house, { account, session, now, signer, fresh: false, lifeMs });
  return { ...issued, session };
}
