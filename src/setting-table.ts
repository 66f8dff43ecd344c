// Every setting once: its name in code, its name in the environment, its default, what it means and how it is read.
// docs/settings.md lists the same ones; a test holds the two together.
import {
  audience,
  databaseFile,
  duration,
  folderPath,
  host,
  oneOf,
  onOff,
  originList,
  port,
  publicUrl,
  type Reader,
  secretText,
} from './setting-values.ts';

/** The values of the settings, as they are read. Lengths of time are in milliseconds. */
export interface SettingValues {
  database: string;
  secret: string;
  secretPrevious: string;
  url: string;
  audience: string;
  host: string;
  port: number;
  data: string;
  algorithm: 'EdDSA' | 'ES256' | 'RS256' | 'HS256';
  accessTtl: number;
  sessionIdle: number;
  sessionTtl: number;
  refreshGrace: number;
  freshWithin: number;
  limits: boolean;
  log: 'off' | 'error' | 'info' | 'debug';
  passwordGrant: boolean;
  origins: readonly string[];
  staleAfter: number;
  stale: 'refuse' | 'serve';
}

/** The name of a setting in code. */
export type SettingName = keyof SettingValues;

/** One row of the table. */
export interface Setting<Value> {
  /** Its name in the environment. A secret may also come from the file that `<name>_FILE` names. */
  readonly env: string;
  /** The default as it would be written; null where it depends on other settings, which `otherwise` then says. */
  readonly initial: string | null;
  readonly otherwise?: string;
  /** What it does and why one would change it, in one line. */
  readonly meaning: string;
  /** Something right to write. A secret has none: it would be copied. */
  readonly example?: string;
  /** How it may be given in code. */
  readonly given: 'text' | 'number' | 'boolean' | 'list';
  readonly secret?: true;
  readonly read: Reader<Value>;
}

/** Every setting. */
export const settingTable: { readonly [Name in SettingName]: Setting<SettingValues[Name]> } = {
  database: {
    env: 'LATCHKEY_DATABASE',
    initial: null,
    otherwise: '`latchkey.db` in the data folder',
    meaning: 'The SQLite file that holds accounts, sessions and keys. It is made when it is not there.',
    example: './latchkey-data/latchkey.db',
    given: 'text',
    read: databaseFile,
  },
  secret: {
    env: 'LATCHKEY_SECRET',
    initial: null,
    otherwise: 'made at the first run and kept in the data folder; required in production',
    meaning:
      'Seals the private keys in the store. Made by `npx latchkey secret`; every instance on a store has the same one.',
    given: 'text',
    secret: true,
    read: secretText,
  },
  secretPrevious: {
    env: 'LATCHKEY_SECRET_PREVIOUS',
    initial: null,
    otherwise: 'none',
    meaning: 'The secret before this one, while keys that it sealed are sealed anew. Remove it afterwards.',
    given: 'text',
    secret: true,
    read: secretText,
  },
  url: {
    env: 'LATCHKEY_URL',
    initial: null,
    otherwise: '`http://HOST:PORT`; required in production, and https there',
    meaning:
      'The public address. It is the issuer in every token, so all instances on a store are given the same one.',
    example: 'https://login.example.com',
    given: 'text',
    read: publicUrl,
  },
  audience: {
    env: 'LATCHKEY_AUDIENCE',
    initial: null,
    otherwise: 'the issuer',
    meaning: 'Whom access tokens are for: a guard refuses tokens that name another audience than its own.',
    example: 'https://api.example.com',
    given: 'text',
    read: audience,
  },
  host: {
    env: 'HOST',
    initial: '127.0.0.1',
    meaning: 'The address to listen on. One that others can reach wants a secret and a URL of its own.',
    example: '127.0.0.1',
    given: 'text',
    read: host,
  },
  port: {
    env: 'PORT',
    initial: '4000',
    meaning: 'The port to listen on. With 0 the system chooses one, and the URL has to be given.',
    example: '4000',
    given: 'number',
    read: port,
  },
  data: {
    env: 'LATCHKEY_DATA',
    initial: './latchkey-data',
    meaning:
      'The folder for the database and the secret of development. Nobody else may read it; it is best a folder of its own.',
    example: './latchkey-data',
    given: 'text',
    read: folderPath,
  },
  algorithm: {
    env: 'LATCHKEY_ALGORITHM',
    initial: 'EdDSA',
    meaning:
      'What access tokens are signed with: `EdDSA`, `ES256`, `RS256`, or `HS256` for a service that only talks to itself.',
    example: 'EdDSA',
    given: 'text',
    read: oneOf('EdDSA', 'ES256', 'RS256', 'HS256'),
  },
  accessTtl: {
    env: 'LATCHKEY_ACCESS_TTL',
    initial: '15m',
    meaning:
      'The life of an access token, 1s to 24h. A list of what was revoked is kept as long, so short is cheap.',
    example: '15m',
    given: 'text',
    read: duration({ least: '1s', most: '24h', wholeSeconds: true }),
  },
  sessionIdle: {
    env: 'LATCHKEY_SESSION_IDLE',
    initial: '30d',
    meaning: 'How long a session lives without a refresh, 1s to 400d; at least the life of an access token.',
    example: '30d',
    given: 'text',
    read: duration({ least: '1s', most: '400d', wholeSeconds: true }),
  },
  sessionTtl: {
    env: 'LATCHKEY_SESSION_TTL',
    initial: '180d',
    meaning:
      'How long a session lives in all, however often it is refreshed, 1s to 400d; at least the idle time.',
    example: '180d',
    given: 'text',
    read: duration({ least: '1s', most: '400d', wholeSeconds: true }),
  },
  refreshGrace: {
    env: 'LATCHKEY_REFRESH_GRACE',
    initial: '10s',
    meaning:
      'How long a spent refresh token still gets its successor, so that tabs and lost answers log nobody out; 0 to 5m.',
    example: '10s',
    given: 'text',
    read: duration({ least: '0', most: '5m' }),
  },
  freshWithin: {
    env: 'LATCHKEY_FRESH_WITHIN',
    initial: '5m',
    meaning: 'How long after the password was given a token opens routes that want a fresh one, 1s to 24h.',
    example: '5m',
    given: 'text',
    read: duration({ least: '1s', most: '24h', wholeSeconds: true }),
  },
  limits: {
    env: 'LATCHKEY_LIMITS',
    initial: 'on',
    meaning:
      'Limits on log-ins and sign-ups, `on` or `off`. This version has none yet. Off is for tests; in production the start warns of it.',
    example: 'on',
    given: 'boolean',
    read: onOff,
  },
  log: {
    env: 'LATCHKEY_LOG',
    initial: 'info',
    meaning:
      'What is logged: `off`, `error`, `info` or `debug`. No level logs a token, a password or an unknown name.',
    example: 'info',
    given: 'text',
    read: oneOf('off', 'error', 'info', 'debug'),
  },
  passwordGrant: {
    env: 'LATCHKEY_PASSWORD_GRANT',
    initial: 'on',
    meaning:
      'The password grant at `POST /token`, `on` or `off`. For older clients only: OAuth 2.1 has left it out.',
    example: 'off',
    given: 'boolean',
    read: onOff,
  },
  origins: {
    env: 'LATCHKEY_ORIGINS',
    initial: null,
    otherwise: 'none but the URL’s own; outside production those of this machine too',
    meaning:
      'The web pages that may call from a browser, by origin and with commas between. What pages of any other origin send is refused.',
    example: 'https://app.example.com',
    given: 'list',
    read: originList,
  },
  staleAfter: {
    env: 'LATCHKEY_STALE_AFTER',
    initial: '10s',
    meaning: 'How long a guard trusts its last good look at what was revoked, 1s to 1h.',
    example: '10s',
    given: 'text',
    read: duration({ least: '1s', most: '1h' }),
  },
  stale: {
    env: 'LATCHKEY_STALE',
    initial: 'refuse',
    meaning: 'What a guard does after that: `refuse` every token, or `serve` by what it knew last.',
    example: 'refuse',
    given: 'text',
    read: oneOf('refuse', 'serve'),
  },
};
