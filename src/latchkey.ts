// Options in, one object out: opens the rooms, puts the house together, and keeps it in order while it is open.
import { existsSync, readFileSync } from 'node:fs';
import { createProfileReader, type ProfileOf, type ProfileSchema } from './accounts/profile.ts';
import { type Clock, systemClock } from './clock.ts';
import { openDataFolder } from './data-folder.ts';
import { StartError } from './errors.ts';
import { openGate } from './flows/gate.ts';
import type { Hooks, House, OpenSettings } from './flows/house.ts';
import { type KeyHolder, openKeyHolder } from './flows/key-holder.ts';
import { keepRing, ringPolicy } from './flows/rotate-keys.ts';
import { sweep } from './flows/sweep.ts';
import { type TokensOut, tokensOut } from './flows/tokens-out.ts';
import { type Latchkey, libraryOf } from './library.ts';
import { createLane } from './passwords/lane.ts';
import { createFreshness } from './revocations/staleness.ts';
import { createView } from './revocations/view.ts';
import { randomText } from './secrets.ts';
import type { SessionPolicy } from './sessions/session.ts';
import {
  type Environment,
  type LatchkeyOptions as SettingOptions,
  type Settings,
  settingsFromOptions,
} from './settings.ts';
import { openSqliteEngine } from './store/engines/sqlite.ts';
import type { IssuerNames } from './store/facts.ts';
import { openStore, type Store } from './store/store.ts';
import { signingKey } from './tokens/keyring.ts';
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

/** A Latchkey with its rooms, for the doors of this package. */
export interface OpenHouse {
  readonly house: House;
  readonly latchkey: Latchkey;
  /** What was made anew at this start. */
  readonly made: { readonly secret: boolean; readonly database: boolean };
}

/** The options of `latchkey.config.ts`, with their types: `export default defineConfig({ … })`. */
export function defineConfig<Schema extends ProfileSchema = ProfileSchema>(
  options: Omit<LatchkeyOptions<Schema>, 'clock' | 'environment'>,
): Omit<LatchkeyOptions<Schema>, 'clock' | 'environment'> {
  return options;
}

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
  const databaseMade = !existsSync(read.databaseFile);
  const { secret, made: secretMade, notice } = openDataFolder(read);
  const warnings = [...read.warnings, ...(notice === null ? [] : [notice])];
  const settings: OpenSettings = Object.freeze({ ...read, secret, warnings });
  const store = openStore(await openSqliteEngine(settings.databaseFile), clock);
  try {
    const parts = { settings, store, clock, hooks, profile };
    const { house, stop } = await (errand === 'keep' ? openKeeper(parts) : openVisitor(parts));
    const library = libraryOf(house, stop);
    houses.set(library, house);
    return { house, latchkey: library, made: { secret: secretMade, database: databaseMade } };
  } catch (error) {
    await store.close();
    throw error;
  }
}

const houses = new WeakMap<object, House>();

/** The house behind an opened Latchkey, for the doors of this package. Throws a TypeError for anything else. */
export function houseOf(opened: object): House {
  const house = houses.get(opened);
  if (house === undefined)
    throw new TypeError('This is no Latchkey that `await latchkey()` of this copy of the package opened.');
  return house;
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
  readonly settings: OpenSettings;
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
async function openKeeper(parts: Parts): Promise<Running> {
  const { settings, store } = parts;
  const keeper = randomText(9);
  // A secret that is wrong stops the start before anything is written.
  const keys = await openKeys(parts);
  // Before anything is answered: rotations whose answer a crash swallowed must not look like theft.
  await store.sessions.prepare(sessionPolicy(settings), await store.facts.begin(keeper));
  try {
    const greatestAccessLife = await store.facts.accessLife(settings.accessTtl);
    const other = await store.facts.setIssuer({ issuer: settings.issuer, audience: settings.audience });
    if (other !== null) throw twoIssuers(settings, other);
    await keepRing(store, ringPolicy(settings, greatestAccessLife), settings.secret);
    keys.take((await store.keys.read()).records);
    const house = assemble(parts, keys, tokensOut(greatestAccessLife, await store.sessions.newestIssue()));
    return { house, stop: keepHouse(house, keeper) };
  } catch (error) {
    // It never served anybody, so there is nothing to doubt.
    await store.facts.end(keeper).catch(() => {});
    throw error;
  }
}

function twoIssuers({ databaseFile }: Settings, { issuer, audience }: IssuerNames): StartError {
  const audienceToo = audience === issuer ? '' : ` and LATCHKEY_AUDIENCE=${audience}`;
  return new StartError(
    `The database ${databaseFile} is in use by a server whose LATCHKEY_URL is ${issuer}. All that share a database are given the same: set LATCHKEY_URL=${issuer}${audienceToo}, or give this one a LATCHKEY_DATA of its own.`,
  );
}

/** A visitor: its own environment may say other things than the keeper's, so what the store knows goes before. */
async function openVisitor(parts: Parts): Promise<Running> {
  const { store } = parts;
  await store.sessions.prepare(sessionPolicy(parts.settings), true);
  const { facts } = store;
  const keys = await openKeys(parts);
  const greatestAccessLife =
    (await facts.greatestAccessLife()) ?? (await facts.accessLife(parts.settings.accessTtl));
  const signing = signingKey(keys.records(), parts.clock.now(), 'access');
  const algorithm = signing?.algorithm ?? parts.settings.algorithm;
  const settings: OpenSettings = Object.freeze({ ...parts.settings, ...(await facts.issuer()), algorithm });
  // The keeper plans the ring. Where none has been for long there may be no key left to sign with.
  if (signing === undefined || signingKey(keys.records(), parts.clock.now(), 'refresh') === undefined) {
    await keepRing(store, ringPolicy(settings, greatestAccessLife), settings.secret);
    keys.take((await store.keys.read()).records);
  }
  const out = tokensOut(greatestAccessLife, await store.sessions.newestIssue());
  const house = assemble({ ...parts, settings }, keys, out);
  return { house, stop: () => closeRooms(house) };
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

function assemble(parts: Parts, keys: KeyHolder, out: TokensOut): House {
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

const sweepEvery = 60_000;
const lookEvery = 250;

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
    await closeRooms(house);
  };
}

async function closeRooms({ lane, store }: House): Promise<void> {
  await lane.close();
  await store.close();
}
