// Somebody logs in: find the account, check the password, ask the owner's hook, open a session, hand out the tokens.
import type { Instant } from '../clock.ts';
import { type RefusalCode, refuse } from '../errors.ts';
import { randomText } from '../secrets.ts';
import { deviceLabel } from '../sessions/device-label.ts';
import { openSession, type Session, wholeSecond, whyEnded } from '../sessions/session.ts';
import type { AccessClaims } from '../tokens/claims.ts';
import { type Credentials, proveWho } from './credentials.ts';
import { makeRoom } from './end-sessions.ts';
import { type Device, type House, type Tokens, userFrom } from './house.ts';
import { issueAccess, issueTokens } from './issue.ts';

/** What a log-in may ask for beside being let in. */
export interface LogInOptions {
  /** The scopes wanted; unknown ones are left out. Default: all of the account's. */
  readonly scopes?: readonly string[] | null | undefined;
  /** A client that proved who it is. */
  readonly clientId?: string | null | undefined;
}

/** Log in with a password. Throws `invalid_credentials`, `busy`, or what a hook refuses with. */
export async function logIn(
  house: House,
  credentials: Credentials,
  device: Device,
  { scopes = null, clientId = null }: LogInOptions = {},
): Promise<Tokens> {
  const { account } = await proveWho(house, credentials);
  await house.hooks.beforeLogIn?.(userFrom(account), device);
  // A key that another house has just revoked would make a session that is lost at its first refresh.
  house.store.catchUp();
  const signer = house.keys.signing();
  const now = house.store.now();
  const session = openSession({
    // Ours, always: an id that a client brings along is never adopted.
    id: randomText(16),
    userId: account.id,
    now,
    policy: house.policy,
    refreshKid: house.keys.refresh().kid,
    salt: randomText(16),
    authTime: now,
    amr: ['pwd'],
    askedScopes: scopes,
    clientId,
    label: deviceLabel(device.userAgent),
    address: device.address ?? null,
  });
  await makeRoom(house, account.id);
  // The password may have been changed, or the account disabled, while the hash was waited for.
  if (!(await house.store.sessions.open(session, account.epoch))) throw refuse('invalid_credentials');
  return issueTokens(house, { account, session, now, fresh: true, signer });
}

/** What a fresh log-in hands out: a fresh access token for the running session, or a new session. */
export type FreshTokens =
  | (Tokens & { readonly kind: 'new_session' })
  | {
      readonly kind: 'same_session';
      readonly accessToken: string;
      readonly expiresIn: number;
      readonly scopes: readonly string[];
    };

/** Give the password once more. `caller` is who the request's own access token says that it is, if it brought one. */
export async function logInFresh(
  house: House,
  credentials: Credentials,
  device: Device,
  caller: AccessClaims | null,
): Promise<FreshTokens> {
  if (caller === null) return { kind: 'new_session', ...(await logIn(house, credentials, device)) };
  const { account } = await proveWho(house, credentials);
  if (account.id !== caller.sub) throw refuse('token_invalid');
  await house.hooks.beforeLogIn?.(userFrom(account), device);
  const signer = house.keys.signing();
  const proven = await house.store.sessions.change<Proven>(caller.sid, (session, present, now) => {
    if (session.userId !== account.id) return { outcome: 'token_invalid' };
    // Over by time as well: or a password every few minutes would keep a session beyond its absolute end.
    const reason = whyEnded(session, now);
    if (reason !== null) return { outcome: reason };
    // The password may have been changed while the hash was waited for.
    if (present?.epoch !== account.epoch) return { outcome: 'invalid_credentials' };
    const next: Session = { ...session, authTime: wholeSecond(now), lastSeenAt: now };
    return { outcome: { session: next, now }, next, whileEpoch: account.epoch };
  });
  if (proven === null || typeof proven === 'string') throw refuse(proven ?? 'token_invalid');
  const { token, expiresIn, scopes } = await issueAccess(house, { account, ...proven, fresh: true, signer });
  return { kind: 'same_session', accessToken: token, expiresIn, scopes };
}

type Proven = { readonly session: Session; readonly now: Instant } | RefusalCode;
