// Settings from options in code, from the environment and from defaults, in that order. All problems are found at once, and
// every sentence names the setting and what to write. None repeats a value: it may be a secret in the wrong place.
import { join } from 'node:path';
import { StartError } from './errors.ts';
import { type Found, type FoundAll, newSecret, problemsBetween } from './setting-conflicts.ts';
import { misspeltProduction, unknownNames, unknownOptions } from './setting-names.ts';
import { type Setting, type SettingName, type SettingValues, settingTable } from './setting-table.ts';
import type { Reading } from './setting-values.ts';

/** The settings as options in code. What is left out or undefined comes from the environment; docs/settings.md says what each means. */
export interface LatchkeyOptions {
  /** The SQLite file. */
  readonly database?: string | undefined;
  /** What the private keys are sealed with; `npx latchkey secret` makes one. */
  readonly secret?: string | undefined;
  /** The one before it, while keys are sealed anew. */
  readonly secretPrevious?: string | undefined;
  /** The public address: the issuer in every token. */
  readonly url?: string | undefined;
  /** Whom access tokens are for. */
  readonly audience?: string | undefined;
  /** The address to listen on. */
  readonly host?: string | undefined;
  /** The port to listen on. */
  readonly port?: number | undefined;
  /** The folder for database and secret. */
  readonly data?: string | undefined;
  /** What access tokens are signed with (RFC 7518, RFC 8037). */
  readonly algorithm?: SettingValues['algorithm'] | undefined;
  /** The life of an access token, such as `15m`. */
  readonly accessTtl?: string | undefined;
  /** How long a session lives without a refresh, such as `30d`. */
  readonly sessionIdle?: string | undefined;
  /** How long a session lives in all, such as `180d`. */
  readonly sessionTtl?: string | undefined;
  /** How long a spent refresh token still gets its successor, such as `10s`. */
  readonly refreshGrace?: string | undefined;
  /** How long after the password was given a token counts as fresh, such as `5m`. */
  readonly freshWithin?: string | undefined;
  /** Limits on log-ins and sign-ups; this version has none yet. */
  readonly limits?: boolean | undefined;
  /** What is logged. */
  readonly log?: SettingValues['log'] | undefined;
  /** Whether `POST /token` takes the password grant. */
  readonly passwordGrant?: boolean | undefined;
  /** The web pages that may call from a browser, by origin. */
  readonly origins?: readonly string[] | undefined;
  /** How long the last good look at what was revoked is trusted, such as `10s`. */
  readonly staleAfter?: string | undefined;
  /** Whether tokens are refused after that, or judged by what was known last. */
  readonly stale?: SettingValues['stale'] | undefined;
}

/** The settings of a house that starts. Frozen; lengths of time are in milliseconds. */
export interface Settings
  extends Readonly<Omit<SettingValues, 'database' | 'data' | 'secret' | 'secretPrevious'>> {
  /** Whether `NODE_ENV` is `production`. */
  readonly production: boolean;
  readonly dataFolder: string;
  readonly databaseFile: string;
  /** What stands in `iss`: the same text as `url`. */
  readonly issuer: string;
  /** Null outside production where none was given: then the house keeps one of its own in the data folder. */
  readonly secret: string | null;
  readonly secretPrevious: string | null;
  /** What is not wrong but should be said when the house starts. */
  readonly warnings: readonly string[];
}

/** The environment, as `process.env` has it. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Read a text file whole, or throw. */
export type ReadFile = (path: string) => string;

/** Settings from options, then the environment, then defaults. Throws `StartError` with all problems. */
export function settingsFromOptions(
  options: LatchkeyOptions,
  env: Environment,
  readFile: ReadFile,
): Settings {
  const found = findAll({ options, env, readFile });
  const settings = settle(found, env);
  const problems = [
    ...unknownOptions(options),
    ...unknownNames(env),
    ...misspeltProduction(env),
    ...settingNames.flatMap((name) => found[name].problem ?? []),
    ...problemsBetween(found, settings),
  ];
  if (problems.length > 0) throw new StartError(problems);
  return Object.freeze(settings);
}

const settingNames = Object.keys(settingTable) as SettingName[];

interface Sources {
  readonly options: LatchkeyOptions;
  readonly env: Environment;
  readonly readFile: ReadFile;
}

function findAll(sources: Sources): FoundAll {
  return Object.fromEntries(settingNames.map((name) => [name, find(name, sources)])) as unknown as FoundAll;
}

function find(name: SettingName, sources: Sources): Found<unknown> {
  const setting: Setting<unknown> = settingTable[name];
  const option = sources.options[name];
  const label = option === undefined ? setting.env : `The option \`${name}\``;
  const text = option === undefined ? textFromEnvironment(setting, sources) : textOfOption(setting, option);
  if (text === null) return { label };
  // An empty list says something: none, whatever the environment says.
  if (Array.isArray(option) && option.length === 0 && 'value' in text) return { label, value: noOrigins };
  const reading = 'fault' in text ? text : readText(setting, text.value);
  if ('value' in reading) return { label, value: reading.value };
  const mend =
    setting.example === undefined
      ? (reading.advice ?? newSecret)
      : `${reading.advice ?? 'Write'}, for example ${exampleOf(name, setting, option !== undefined)}`;
  return { label, problem: `${label} ${reading.fault}. ${mend}` };
}

function readText(setting: Setting<unknown>, text: string): Reading<unknown> {
  return text === '' ? { fault: 'is empty' } : setting.read(text);
}

function textFromEnvironment(setting: Setting<unknown>, { env, readFile }: Sources): Reading<string> | null {
  const text = env[setting.env];
  const path = setting.secret ? env[`${setting.env}_FILE`] : undefined;
  if (path === undefined) return text === undefined ? null : { value: text };
  if (text !== undefined)
    return { fault: `is set, and so is ${setting.env}_FILE`, advice: 'Remove one of the two.' };
  try {
    // A file that an editor or `echo` made ends with a line break, which is not part of the secret.
    return { value: readFile(path).replace(/\r?\n$/, '') };
  } catch {
    return {
      fault: 'is in a file that cannot be read',
      advice: `Write the path of one that can into ${setting.env}_FILE.`,
    };
  }
}

function textOfOption(setting: Setting<unknown>, option: unknown): Reading<string> {
  if (setting.given === 'list') return textOfList(option);
  if (typeof option !== (setting.given === 'text' ? 'string' : setting.given)) {
    return { fault: `is not a ${setting.given === 'text' ? 'string' : setting.given}` };
  }
  return { value: typeof option === 'boolean' ? (option ? 'on' : 'off') : String(option) };
}

function textOfList(option: unknown): Reading<string> {
  const isList = Array.isArray(option) && option.every((each) => typeof each === 'string');
  return isList ? { value: option.join(',') } : { fault: 'is not a list of strings' };
}

function exampleOf(name: SettingName, { env, given, example }: Setting<unknown>, inCode: boolean): string {
  if (!inCode) return `${env}=${example}`;
  if (given === 'boolean') return `\`${name}: ${example === 'on'}\``;
  if (given === 'list') return `\`${name}: ['${example}']\``;
  return given === 'number' ? `\`${name}: ${example}\`` : `\`${name}: '${example}'\``;
}

/** The settings as they would be; where something is wrong its default stands in. */
function settle(found: FoundAll, env: Environment): Settings {
  const valueFor = <Name extends SettingName>(name: Name): SettingValues[Name] =>
    found[name].value ?? defaultOf(name);
  const hostText = valueFor('host');
  const authority = hostText.includes(':') ? `[${hostText}]` : hostText;
  const url = found.url.value ?? `http://${authority}:${valueFor('port')}`;
  const dataFolder = valueFor('data');
  const production = env.NODE_ENV === 'production';
  return {
    production,
    dataFolder,
    databaseFile: found.database.value ?? join(dataFolder, 'latchkey.db'),
    url,
    issuer: url,
    audience: found.audience.value ?? url,
    host: hostText,
    port: valueFor('port'),
    secret: found.secret.value ?? null,
    secretPrevious: found.secretPrevious.value ?? null,
    algorithm: valueFor('algorithm'),
    accessTtl: valueFor('accessTtl'),
    sessionIdle: valueFor('sessionIdle'),
    sessionTtl: valueFor('sessionTtl'),
    refreshGrace: valueFor('refreshGrace'),
    freshWithin: valueFor('freshWithin'),
    limits: valueFor('limits'),
    log: valueFor('log'),
    passwordGrant: valueFor('passwordGrant'),
    origins: found.origins.value ?? noOrigins,
    staleAfter: valueFor('staleAfter'),
    stale: valueFor('stale'),
    warnings: Object.freeze(production && !valueFor('limits') ? [limitsAreOff(found.limits.label)] : []),
  };
}

const noOrigins: readonly string[] = Object.freeze([]);

function limitsAreOff(label: string): string {
  return `${label} switches the limits on log-ins off in production: anybody may guess passwords as fast as they like.`;
}

function defaultOf<Name extends SettingName>(name: Name): SettingValues[Name] {
  const { initial, read } = settingTable[name] as Setting<SettingValues[Name]>;
  const reading = read(initial ?? '');
  if ('fault' in reading) throw new TypeError(`the default of ${name} ${reading.fault}`);
  return reading.value;
}
