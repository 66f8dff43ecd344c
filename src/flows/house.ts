// What every flow is given: the rooms, opened and put together. Made in latchkey.ts, once for each engine.
import type { Account } from '../accounts/account.ts';
import type { ProfileReader } from '../accounts/profile.ts';
import type { Lane } from '../passwords/lane.ts';
import type { View } from '../revocations/view.ts';
import type { SessionPolicy } from '../sessions/session.ts';
import type { Settings } from '../settings.ts';
import type { Store } from '../store/store.ts';
import type { Gate } from './gate.ts';
import type { KeyHolder } from './key-holder.ts';
import type { TokensOut } from './tokens-out.ts';

/** An account as hooks and the library's callers see it. */
export interface User<Profile = Record<string, unknown>> {
  /** UUID version 7 (RFC 9562 section 5.7). */
  readonly id: string;
  /** As it was written, in NFKC. An account has a username, an address, or both. */
  readonly username: string | null;
  /** As it was written. */
  readonly email: string | null;
  /** Whether it is kept from logging in. */
  readonly disabled: boolean;
  /** Whether the address is known to be theirs. */
  readonly emailVerified: boolean;
  /** The fields of your own, as your schema let them through. */
  readonly profile: Profile;
  /** What its tokens may carry. */
  readonly scopes: readonly string[];
  readonly createdAt: Date;
}

/** Where a request came from, for the list of devices. */
export interface Device {
  /** The `User-Agent` header. */
  readonly userAgent?: string | undefined;
  /** The peer's address. */
  readonly address?: string | undefined;
}

/** What the owner of the house may say when something happens. Each may refuse with `throw refuse(…)`. */
export interface Hooks<Profile = Record<string, unknown>> {
  /** Before an account is written. What it gives back is added. */
  onSignUp?(
    user: User<Profile>,
    device: Device,
  ): SignUpAddition<Profile> | undefined | Promise<SignUpAddition<Profile> | undefined>;
  /** After the password was right and before a session is opened. */
  beforeLogIn?(user: User<Profile>, device: Device): void | Promise<void>;
  /** Claims of your own for each access token. The names of the house cannot be taken. */
  claims?(user: User<Profile>): Record<string, unknown> | Promise<Record<string, unknown>>;
}

/** What `onSignUp` may add. */
export interface SignUpAddition<Profile = Record<string, unknown>> {
  /** Members that replace those of the profile. */
  readonly profile?: Partial<Profile>;
  /** Scopes to begin with. */
  readonly scopes?: readonly string[];
}

/** The settings of an open house: its secret is at hand. */
export type OpenSettings = Settings & { readonly secret: string };

/** The rooms, opened. */
export interface House {
  readonly settings: OpenSettings;
  readonly store: Store;
  readonly lane: Lane;
  readonly keys: KeyHolder;
  readonly gate: Gate;
  readonly view: View;
  readonly profiles: ProfileReader;
  readonly hooks: Hooks;
  readonly policy: SessionPolicy;
  /** What may be alive of what was issued, so that entries outlive it. */
  readonly tokensOut: TokensOut;
  /** Refreshes on their way, by session and generation: twins share one. */
  readonly refreshing: Map<string, Promise<Tokens>>;
}

/** What a log-in or refresh hands out (RFC 6749 section 5.1). */
export interface Tokens {
  /** A signed JWT (RFC 9068). */
  readonly accessToken: string;
  /** Good for one refresh, and for this house alone. */
  readonly refreshToken: string;
  /** Seconds that the access token lives. */
  readonly expiresIn: number;
  /** Seconds that the refresh token lives when it is not used. */
  readonly refreshExpiresIn: number;
  /** The scopes of the access token. */
  readonly scopes: readonly string[];
  /** What `sid` is in the access token. */
  readonly sessionId: string;
  /** Whose they are. */
  readonly user: User;
}

/** An account without what only the store needs. */
export function userFrom(account: Account): User {
  const { id, username, email, disabled, emailVerified, profile, scopes, createdAt } = account;
  return { id, username, email, disabled, emailVerified, profile, scopes, createdAt: new Date(createdAt) };
}
