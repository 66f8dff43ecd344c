// From what flows give to what goes over the wire.
import type { User as HouseUser, Tokens } from '../flows/house.ts';
import type { FreshTokens } from '../flows/log-in.ts';
import type { Session } from '../sessions/session.ts';
import type { Device } from '../wire/sessions.ts';
import type { TokenPair } from '../wire/tokens.ts';
import type { User } from '../wire/user.ts';

/** An account. */
export function userAnswer(user: HouseUser): User {
  return {
    id: user.id,
    username: user.username,
    email: user.email,
    email_verified: user.emailVerified,
    disabled: user.disabled,
    profile: user.profile,
    scopes: [...user.scopes],
    created_at: user.createdAt.toISOString(),
  };
}

/** A pair of tokens (RFC 6749 section 5.1). */
export function tokensAnswer(tokens: Tokens): TokenPair {
  return {
    access_token: tokens.accessToken,
    refresh_token: tokens.refreshToken,
    token_type: 'Bearer',
    expires_in: tokens.expiresIn,
    refresh_expires_in: tokens.refreshExpiresIn,
    scope: tokens.scopes.join(' '),
  };
}

/** A fresh access token, alone or with a new session. */
export function freshAnswer(
  tokens: FreshTokens,
): Omit<TokenPair, 'refresh_token' | 'refresh_expires_in'> | TokenPair {
  if (tokens.kind === 'new_session') return tokensAnswer(tokens);
  return {
    access_token: tokens.accessToken,
    token_type: 'Bearer',
    expires_in: tokens.expiresIn,
    scope: tokens.scopes.join(' '),
  };
}

/** A device. */
export function deviceAnswer(session: Session, currentId: string): Device {
  return {
    id: session.id,
    label: session.label,
    address: session.address,
    created_at: new Date(session.createdAt).toISOString(),
    last_seen_at: new Date(session.lastSeenAt).toISOString(),
    expires_at: new Date(session.refreshExpiresAt).toISOString(),
    current: session.id === currentId,
  };
}
