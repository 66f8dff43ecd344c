// Options in, one object out: opens the rooms and puts the house together. Everything that can be asked of Latchkey without HTTP stands here.
import { existsSync, readFileSync } from 'node:fs';
import { createProfileReader, type ProfileOf, type ProfileSchema } from './accounts/profile.ts';
import { type Clock, systemClock } from './clock.ts';
import { type HouseSecret, openDataFolder } from './data-folder.ts';
import { refuse, StartError } from './errors.ts';
import { type AdminChange, changeAccount, deleteAccount } from './flows/change-account.ts';
import { changePassword, type PasswordChange, setPassword } from './flows/change-password.ts';
import { type Credentials, findByLoginName } from './flows/credentials.ts';
import { endOneSession, endSessionsOfUser } from './flows/end-sessions.ts';
import { openGate } from './flows/gate.ts';
import { type Device, type Hooks, type House, type Tokens, type User, userFrom } from './flows/house.ts';
import { type KeyHolder, openKeyHolder } from './flows/key-holder.ts';
import { type LogInOptions, logIn } from './flows/log-in.ts';
import { leaverOf, logOut, logOutEverywhere } from './flows/log-out.ts';
import { refresh } from './flows/refresh.ts';
import { keepRing, keyStates, revokeKey, ringPolicy, rotateKeys } from './flows/rotate-keys.ts';
import { type Granted, type SignUp, signUp } from './flows/sign-up.ts';
import { sweep } from './flows/sweep.ts';
import { type TokensOut, tokensOut } from './flows/tokens-out.ts';
import { describeHash } from './passwords/foreign.ts';
import { createLane } from './passwords/lane.ts';
import { createFreshness } from './revocations/staleness.ts';
import { createView } from './revocations/view.ts';
import { randomText } from './secrets.ts';
import type { Session, SessionPolicy } from './sessions/session.ts';
import {
  type Environment,
  type LatchkeyOptions as SettingOptions,
  type Settings,
  settingsFromOptions,
} from './settings.ts';
import { openSqliteEngine } from './store/engines/sqlite.ts';
import { openStore, type Store } from './store/store.ts';
import type { AccessClaims } from './tokens/claims.ts';
import type { Jwks } from './tokens/jwks.ts';
import { type KeyState, signingKey } from './tokens/keyring.ts';
import { createVerifier } from './tokens/verified-cache.ts';

/** What a house is made of: the settings as options, and what only code can say. */
export interface LatchkeyOptions<Schema extends ProfileSchema = ProfileSchema> extends SettingOptions {
  /** The schema of your own profile fields: any Standard Schema, or a TypeBox schema. */
  readonly profile?: Schema;
  /** What happens at sign-up, before a log-in, and into each access token. */
  readonly hooks?: Hooks<ProfileOf<Schema>>;
  /** The time, for tests. */
  readonly clock?: Clock;
  /** Where settings that are not given here come from. Default: `process.env`. */
  readonly environment?: Environment;
}

/** One session, as the library tells of it. */
export interface SessionInfo {
  readonly id: string;
  readonly userId: string;
  readonly label: string | null;
  readonly address: string | null;
  readonly createdAt: Date;
  readonly lastSeenAt: Date;
  readonly expiresAt: Date;
}

/** One key, as the library tells of it. */
export interface KeyInfo {
  readonly kid: string;
  readonly purpose: 'access' | 'refresh';
  readonly algorithm: string;
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
  /** A page, the oldest first; `after` is the id of the last one seen. */
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
  list(): KeyInfo[];
  /** The JWK Set that is published. */
  jwks(): Jwks;
  /** Make the next key: published now, and signing once everybody has it. `at_once`: signing now. */
  rotate(when?: 'planned' | 'at_once'): Promise<void>;
  /** Revoke one as compromised: what it signed is dead now. Throws `not_found`. */
  revoke(kid: string): Promise<void>;
}

/** The engine without HTTP. */
export interface Latchkey<Profile = Record<string, unknown>> {
  /** The settings that it runs with, but for the secrets: this object ends in logs. */
  readonly settings: Omit<Settings, 'secret' | 'secretPrevious'>;
  /** Make an account. Throws `invalid_input`, `password_refused`, `username_taken`, `email_taken`. */
  signUp(input: SignUp, device?: Device): Promise<User<Profile>>;
  /** Log in with a username or address and a password. Throws `invalid_credentials`, `busy`. */
  logIn(credentials: Credentials, options?: LogInOptions & { device?: Device }): Promise<Tokens>;
  /** The claims of a good access token; synchronous, without I/O. Throws `token_invalid`, `token_expired`, or why it was revoked. */
  verify(accessToken: string): AccessClaims;
  /** The next pair. Throws `token_invalid`, `expired`, `reuse_detected`, or why the session ended. */
  refresh(refreshToken: string): Promise<Tokens>;
  /** End the session of an access or refresh token. */
  logOut(token: string, options?: { everywhere?: boolean }): Promise<void>;
  /** Change a password that its owner knows; all other sessions end. Throws `wrong_password`, `password_refused`. */
  changePassword(accessToken: string, change: PasswordChange): Promise<void>;
  readonly users: Users<Profile>;
  readonly sessions: Sessions;
  readonly keys: Keys;
  /** Finish what was begun, and let go of the store. */
  close(): Promise<void>;
}

/** A Latchkey with its rooms, for the doors of this package. */
export interface OpenHouse {
  readonly house: House;
  readonly latchkey: Latchkey;
  /** What was made anew at this start. */
  readonly made: { readonly secret: boolean; readonly database: boolean };
}

const sweepEvery = 60_000;
const lookEvery = 250;

/** Open a Latchkey. Throws `StartError` with everything that is wrong. */
export async function latchkey<Schema extends ProfileSchema = ProfileSchema>(
  options: LatchkeyOptions<Schema> = {},
): Promise<Latchkey<ProfileOf<Schema>>> {
  const opened = await openHouse(options as LatchkeyOptions);
  return opened.latchkey as Latchkey<ProfileOf<Schema>>;
}

/**
 * Why a house is opened. `keep`: to stay, as a server or a program that embeds it does. `visit`: for one errand, perhaps beside a keeper:
 * it takes from the store what the keepers said, and settles nothing that is theirs to settle.
 */
export type Errand = 'keep' | 'visit';

/** Open the rooms, and the library's face on them. */
export async function openHouse(options: LatchkeyOptions = {}, errand: Errand = 'keep'): Promise<OpenHouse> {
  const { profile, hooks = {}, clock = systemClock } = options;
  const read = settingsOf(options);
  checkHooks(hooks);
  const made = { secret: false, database: !existsSync(read.databaseFile) };
  const secret: HouseSecret = openDataFolder(read);
  const settings: Settings = Object.freeze({ ...read, secret: secret.secret });
  const store = openStore(await openSqliteEngine(settings.databaseFile), clock);
  try {
    const parts = { settings, store, clock, hooks, profile };
    const { house, stop } = await (errand === 'keep' ? moveIn(parts) : dropIn(parts));
    return { house, latchkey: faceOf(house, stop), made: { ...made, secret: secret.made } };
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** The settings that a house with these options would have. Throws `StartError` with everything that is wrong. */
export function settingsOf(options: LatchkeyOptions): Settings {
  const { profile: _, hooks: __, clock: ___, environment = process.env, ...given } = options;
  return settingsFromOptions(given, environment, (path) => readFileSync(path, 'utf8'));
}

/** A hook with a wrong name would never be called, and what it was to refuse would be let in. */
function checkHooks(hooks: Hooks): void {
  const known: Record<keyof Hooks, true> = { onSignUp: true, beforeLogIn: true, claims: true };
  const problems = Object.entries(hooks).flatMap(([name, hook]) => {
    if (!Object.hasOwn(known, name)) return [`hooks.${name} is none of ${Object.keys(known).join(', ')}.`];
    return hook === undefined || typeof hook === 'function' ? [] : [`hooks.${name} is not a function.`];
  });
  if (problems.length > 0) throw new StartError(problems);
}

interface Parts {
  readonly settings: Settings;
  readonly store: Store;
  readonly clock: Clock;
  readonly hooks: Hooks;
  readonly profile: ProfileSchema | undefined;
}

interface Running {
  readonly house: House;
  readonly stop: () => Promise<void>;
}

/** A keeper: it says how long tokens live and who issues them, plans the ring, sweeps, and leaves a mark that tells a crash from a stop. */
async function moveIn(parts: Parts): Promise<Running> {
  const { settings, store } = parts;
  const keeper = randomText(9);
  // A secret that is wrong stops the start before anything is written.
  const keys = await openKeys(parts);
  // Before anything is answered: rotations whose answer a crash swallowed must not look like theft.
  await store.sessions.prepare(sessionPolicy(settings), await store.facts.begin(keeper));
  try {
    const greatestAccessLife = await store.facts.accessLife(settings.accessTtl);
    await store.facts.speakAs({ issuer: settings.issuer, audience: settings.audience });
    await keepRing(store, ringPolicy(settings, greatestAccessLife), settings.secret as string);
    keys.take((await store.keys.read()).records);
    const house = furnish(parts, keys, tokensOut(greatestAccessLife, await store.sessions.newestIssue()));
    return { house, stop: keepHouse(house, keeper) };
  } catch (error) {
    // It never served anybody, so there is nothing to doubt.
    await store.facts.end(keeper).catch(() => {});
    throw error;
  }
}

/** A visitor: its own environment may say other things than the keeper's, so what the store knows goes before. */
async function dropIn(parts: Parts): Promise<Running> {
  const { store } = parts;
  await store.sessions.prepare(sessionPolicy(parts.settings), true);
  const { facts } = store;
  const keys = await openKeys(parts);
  const greatestAccessLife =
    (await facts.greatestAccessLife()) ?? (await facts.accessLife(parts.settings.accessTtl));
  const signing = signingKey(keys.records(), parts.clock.now(), 'access');
  const algorithm = signing?.algorithm ?? parts.settings.algorithm;
  const settings: Settings = Object.freeze({ ...parts.settings, ...(await facts.voice()), algorithm });
  // The keeper plans the ring. Where none has been for long there may be no key left to sign with.
  if (signing === undefined || signingKey(keys.records(), parts.clock.now(), 'refresh') === undefined) {
    await keepRing(store, ringPolicy(settings, greatestAccessLife), settings.secret as string);
    keys.take((await store.keys.read()).records);
  }
  const out = tokensOut(greatestAccessLife, await store.sessions.newestIssue());
  const house = furnish({ ...parts, settings }, keys, out);
  return { house, stop: () => letGo(house) };
}

function sessionPolicy(settings: Settings): SessionPolicy {
  return { idleMs: settings.sessionIdle, ttlMs: settings.sessionTtl, graceMs: settings.refreshGrace };
}

/** Opened before the ring is planned: a secret that is wrong must not look like a ring without keys. */
async function openKeys({ settings, store, clock }: Parts): Promise<KeyHolder> {
  const secrets = [settings.secret, settings.secretPrevious].filter((secret) => secret !== null);
  const keys = openKeyHolder(secrets, clock);
  keys.take((await store.keys.read()).records);
  return keys;
}

function furnish(parts: Parts, keys: KeyHolder, out: TokensOut): House {
  const { settings, store, clock, hooks, profile } = parts;

  const view = createView();
  store.listen({ revoked: (entry) => view.apply(entry), keys: (records) => keys.take(records) });
  const verifier = createVerifier({
    issuer: settings.issuer,
    audience: settings.audience,
    maxLifetimeSeconds: Math.ceil(out.greatestLife / 1000),
    keys: (kid) => keys.verifying(kid),
    // Should the entry be gone before the key is, the key's own row still refuses.
    revoked: (claims, kid) => view.verdict(claims, kid) ?? (keys.isRevoked(kid) ? 'key_revoked' : null),
  });
  const monotonic = () => performance.now();
  const freshness = createFreshness({ staleAfterMs: settings.staleAfter });
  const { stale } = settings;
  const gate = openGate({
    verifier,
    view,
    freshness,
    clock,
    monotonic,
    stale,
    catchUp: () => store.catchUp(),
  });
  const profiles = createProfileReader(profile);
  return {
    ...{ settings, store, keys, gate, view, profiles, hooks },
    tokensOut: out,
    policy: sessionPolicy(settings),
    lane: createLane(),
    refreshing: new Map(),
  };
}

/** What goes on by itself while the house is open; never keeps the process alive. */
function keepHouse(house: House, keeper: string): () => Promise<void> {
  let running: Promise<void> | null = null;
  const tend = (): void => {
    running ??= sweep(house)
      .catch(() => {})
      .finally(() => {
        running = null;
      });
  };
  const sweeping = setInterval(() => {
    house.view.sweep(house.store.now());
    tend();
  }, sweepEvery);
  const looking = setInterval(() => {
    // Keys and revocations of other processes are taken in also while nobody asks.
    house.store.catchUp();
    // A machine that slept through a handover of keys cannot wait a minute for the next one.
    if (!house.keys.canSign()) tend();
  }, lookEvery);
  sweeping.unref();
  looking.unref();
  return async () => {
    clearInterval(sweeping);
    clearInterval(looking);
    await running;
    await house.lane.close();
    // Only now: a rotation that is still on its way has then been answered.
    await house.store.facts.end(keeper).catch(() => {});
    await letGo(house);
  };
}

async function letGo({ lane, store }: House): Promise<void> {
  await lane.close();
  await store.close();
}

/** The options of `latchkey.config.ts`, with their types: `export default defineConfig({ … })`. */
export function defineConfig<Schema extends ProfileSchema = ProfileSchema>(
  options: Omit<LatchkeyOptions<Schema>, 'clock' | 'environment'>,
): Omit<LatchkeyOptions<Schema>, 'clock' | 'environment'> {
  return options;
}

function faceOf(house: House, stop: () => Promise<void>): Latchkey {
  let closing: Promise<void> | undefined;
  const { secret: _, secretPrevious: __, ...settings } = house.settings;
  return {
    settings: Object.freeze(settings),
    signUp: (input, device = {}) => signUp(house, input, device),
    logIn: (credentials, { device = {}, ...options } = {}) => logIn(house, credentials, device, options),
    verify: (accessToken) => house.gate.check(accessToken),
    refresh: (refreshToken) => refresh(house, refreshToken),
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
      list: async (userId) => (await house.store.sessions.listOf(userId)).map(sessionInfo),
      end: (userId, sessionId) => endOneSession(house, sessionId, userId, 'signed_out_elsewhere'),
      endAll: (userId) => endSessionsOfUser(house, userId, 'signed_out_elsewhere'),
    },
    keys: {
      list: () => keyStates(house).map(keyInfo),
      jwks: () => house.keys.jwks(),
      rotate: async (when = 'planned') => void (await rotateKeys(house, when)),
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
