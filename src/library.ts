// What can be asked of Latchkey without HTTP: the library's face, each method a flow. What comes out is for code outside the house:
// dates in the place of instants, and nothing that only the store needs.
import { refuse } from './errors.ts';
import { type AdminChange, changeAccount, deleteAccount } from './flows/change-account.ts';
import { changePassword, type PasswordChange, setPassword } from './flows/change-password.ts';
import { type Credentials, findByLoginName } from './flows/credentials.ts';
import { endOneSession, endSessionsOfUser, listSessions } from './flows/end-sessions.ts';
import { type Device, type House, type Tokens, type User, userFrom } from './flows/house.ts';
import { type LogInOptions, logIn } from './flows/log-in.ts';
import { leaverOf, logOut, logOutEverywhere } from './flows/log-out.ts';
import { refresh } from './flows/refresh.ts';
import { keyStates, revokeKey, rotateKeys } from './flows/rotate-keys.ts';
import { type Granted, type SignUp, signUp } from './flows/sign-up.ts';
import { describeHash } from './passwords/foreign.ts';
import { readRefreshToken } from './sessions/refresh-token.ts';
import type { Session } from './sessions/session.ts';
import type { Settings } from './settings.ts';
import type { AccessClaims } from './tokens/claims.ts';
import type { Jwks } from './tokens/jwks.ts';
import type { KeyState } from './tokens/keyring.ts';

/** One session, as the library tells of it. */
export interface SessionInfo {
  /** What `sid` is in its access tokens. */
  readonly id: string;
  readonly userId: string;
  /** What the browser or program calls itself, such as `Firefox on Linux`. */
  readonly label: string | null;
  /** Where the log-in came from. */
  readonly address: string | null;
  readonly createdAt: Date;
  /** The last log-in or refresh. */
  readonly lastSeenAt: Date;
  /** When it ends if it is not refreshed before. */
  readonly expiresAt: Date;
}

/** One key, as the library tells of it. */
export interface KeyInfo {
  /** Its name in the header of what it signs (RFC 7515 section 4.1.4). */
  readonly kid: string;
  /** Whether it signs access tokens, or makes refresh tokens. */
  readonly purpose: 'access' | 'refresh';
  /** The `alg` of RFC 7518. */
  readonly algorithm: string;
  /** Where it stands now; only `signing` signs. */
  readonly state: KeyState;
  readonly createdAt: Date;
  readonly signsFrom: Date;
  readonly signsUntil: Date;
}

/** A new account whose password was hashed elsewhere. */
export interface ImportedUser extends Omit<SignUp, 'password'> {
  /** bcrypt, scrypt, pbkdf2 or argon2, in the text form of its maker. */
  readonly passwordHash: string;
}

/** The accounts, for code that may do everything. */
export interface Users<Profile> {
  /** By id, or null. */
  find(id: string): Promise<User<Profile> | null>;
  /** By username or address, or null. */
  findByName(name: string): Promise<User<Profile> | null>;
  /** A page, the oldest first: `limit` accounts at most (50), behind the one whose id is `after`, with `search` in username or address. */
  list(page?: { limit?: number; after?: string; search?: string }): Promise<User<Profile>[]>;
  /** Add one, with a password or with a hash made elsewhere. Throws `username_taken`, `email_taken`, `invalid_input`, `password_refused`. */
  add(user: SignUp | ImportedUser, granted?: Omit<Granted, 'passwordHash'>): Promise<User<Profile>>;
  /** Change one. Disabling ends its sessions at once. Throws `not_found`, `invalid_input`, `username_taken`, `email_taken`. */
  change(id: string, change: AdminChange): Promise<User<Profile>>;
  /** Set a password without asking for the current one; all sessions end. Throws `not_found`, `password_refused`. */
  setPassword(id: string, password: string): Promise<void>;
  /** Remove one with all its sessions. Throws `not_found`. */
  remove(id: string): Promise<void>;
}

/** The sessions. */
export interface Sessions {
  /** The running ones of one account, the one last seen first. */
  list(userId: string): Promise<SessionInfo[]>;
  /** End one of an account's. False: there was no such session running. */
  end(userId: string, sessionId: string): Promise<boolean>;
  /** End all of an account's. Throws `not_found`. */
  endAll(userId: string): Promise<void>;
}

/** The keys. */
export interface Keys {
  /** All that the ring holds, the oldest first. */
  list(): KeyInfo[];
  /** The JWK Set that is published (RFC 7517 section 5). Empty for HS256, which has no public half. */
  jwks(): Jwks;
  /** Make the next key: published now, and signing once everybody has it. `at_once`: signing now. */
  rotate(when?: 'planned' | 'at_once'): Promise<void>;
  /** Revoke one as compromised: what it signed is dead now. Throws `not_found`. */
  revoke(kid: string): Promise<void>;
}

/**
 * Latchkey without HTTP. Every refusal is a `LatchkeyError` with a `code` of docs/errors.md; beside those that are named here, whatever
 * writes may throw `store_unavailable`.
 */
export interface Latchkey<Profile = Record<string, unknown>> {
  /** The settings that it runs with, but for the secrets: this object ends in logs. */
  readonly settings: Omit<Settings, 'secret' | 'secretPrevious'>;
  /** Make an account. Throws `invalid_input`, `password_refused`, `username_taken`, `email_taken`, `busy`, or what the hook `onSignUp` refuses with. */
  signUp(input: SignUp, device?: Device): Promise<User<Profile>>;
  /** Log in with a username or address and a password. Throws `invalid_credentials`, `busy`, or what the hook `beforeLogIn` refuses with. */
  logIn(credentials: Credentials, options?: LogInOptions & { device?: Device }): Promise<Tokens>;
  /**
   * The claims of a good access token (RFC 9068 section 2.2). Synchronous; asks nobody. Throws `token_invalid`, `token_expired`, why it was
   * revoked, or `view_stale`.
   */
  verify(accessToken: string): AccessClaims;
  /**
   * The next pair for a refresh token. One that is spent gives the same successor within the grace; after it, it ends its session (RFC 9700
   * section 4.14.2). Throws `token_invalid`, `expired`, `reuse_detected`, or why the session ended.
   */
  refresh(refreshToken: string): Promise<Tokens>;
  /** What a refresh token says, without I/O and without spending it. Throws `token_invalid`, `expired`. */
  readRefreshToken(refreshToken: string): { readonly sessionId: string; readonly userId: string };
  /** The time that tokens are judged by, in milliseconds since the epoch. */
  now(): number;
  /** End the session of an access or refresh token, or with `everywhere` all of its account. Throws what `verify` or `refresh` would. */
  logOut(token: string, options?: { everywhere?: boolean }): Promise<void>;
  /** Change a password that its owner knows; all other sessions end. Throws `wrong_password`, `password_refused`, `busy`, or what `verify` throws. */
  changePassword(accessToken: string, change: PasswordChange): Promise<void>;
  readonly users: Users<Profile>;
  readonly sessions: Sessions;
  readonly keys: Keys;
  /** Finish what was begun, and let go of the store. */
  close(): Promise<void>;
}

/** The library on a house. `stop` lets go of the house; it is called once, however often `close` is. */
export function libraryOf(house: House, stop: () => Promise<void>): Latchkey {
  let closing: Promise<void> | undefined;
  const { secret: _, secretPrevious: __, ...settings } = house.settings;
  return {
    settings: Object.freeze(settings),
    signUp: (input, device = {}) => signUp(house, input, device),
    logIn: (credentials, { device = {}, ...options } = {}) => logIn(house, credentials, device, options),
    verify: (accessToken) => house.gate.check(accessToken),
    refresh: (refreshToken) => refresh(house, refreshToken),
    readRefreshToken(refreshToken) {
      const read = readRefreshToken(refreshToken, house.keys.refreshSecret);
      if (!read.ok) throw refuse('token_invalid');
      if (house.store.now() >= read.expiresAt) throw refuse('expired');
      return { sessionId: read.sessionId, userId: read.userId };
    },
    now: () => house.store.now(),
    async logOut(token, { everywhere = false } = {}) {
      const leaver = await leaverOf(house, token);
      await (everywhere ? logOutEverywhere : logOut)(house, leaver);
    },
    async changePassword(accessToken, change) {
      const { sub, sid } = house.gate.check(accessToken);
      await changePassword(house, sub, sid, change);
    },
    users: usersOf(house),
    sessions: {
      list: async (userId) => (await listSessions(house, userId)).map(sessionInfo),
      end: (userId, sessionId) => endOneSession(house, sessionId, userId, 'signed_out_elsewhere'),
      endAll: (userId) => endSessionsOfUser(house, userId, 'signed_out_elsewhere'),
    },
    keys: {
      list: () => keyStates(house).map(keyInfo),
      jwks: () => house.keys.jwks(),
      rotate: (when = 'planned') => rotateKeys(house, when),
      revoke: (kid) => revokeKey(house, kid),
    },
    close: () => (closing ??= stop()),
  };
}

function usersOf(house: House): Users<Record<string, unknown>> {
  const { accounts } = house.store;
  return {
    async find(id) {
      const stored = await accounts.find(id);
      return stored === null ? null : userFrom(stored.account);
    },
    async findByName(name) {
      const stored = await findByLoginName(house, name);
      return stored === null ? null : userFrom(stored.account);
    },
    list: async ({ limit = 50, ...page } = {}) => (await accounts.list({ limit, ...page })).map(userFrom),
    add: async (user, granted = {}) => {
      if (!('passwordHash' in user)) return signUp(house, user, {}, granted);
      const { passwordHash, ...rest } = user;
      const kind = describeHash(passwordHash);
      if (!kind.supported) {
        const errors = [{ field: 'passwordHash', code: 'unsupported', detail: kind.why }];
        throw refuse('invalid_input', { errors });
      }
      return signUp(house, { ...rest, password: '' }, {}, { ...granted, passwordHash });
    },
    change: (id, change) => changeAccount(house, id, change),
    setPassword: (id, password) => setPassword(house, id, password),
    remove: (id) => deleteAccount(house, id),
  };
}

function sessionInfo(session: Session): SessionInfo {
  const { id, userId, label, address, createdAt, lastSeenAt, refreshExpiresAt } = session;
  return {
    ...{ id, userId: userId as string, label, address },
    createdAt: new Date(createdAt),
    lastSeenAt: new Date(lastSeenAt),
    expiresAt: new Date(refreshExpiresAt),
  };
}

function keyInfo({ record, state }: ReturnType<typeof keyStates>[number]): KeyInfo {
  const { kid, purpose, algorithm, createdAt, signFrom, signUntil } = record;
  return {
    ...{ kid, purpose, algorithm, state },
    createdAt: new Date(createdAt),
    signsFrom: new Date(signFrom),
    signsUntil: new Date(signUntil),
  };
}
