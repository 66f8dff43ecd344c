// Settings: defaults, who wins, and the starts that are refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { StartError } from './errors.ts';
import { generateSecret } from './house-secret.ts';
import { settingTable } from './setting-table.ts';
import { type Environment, type LatchkeyOptions, type Settings, settingsFromOptions } from './settings.ts';

const secret = generateSecret();
const other = generateSecret();
const url = 'https://login.example.com';
const production: Environment = { NODE_ENV: 'production', LATCHKEY_SECRET: secret, LATCHKEY_URL: url };

function noFile(): never {
  throw new Error('ENOENT');
}

function problemsOf(
  env: Environment,
  options: LatchkeyOptions = {},
  readFile = noFile as (path: string) => string,
): readonly string[] {
  try {
    settingsFromOptions(options, env, readFile);
    return [];
  } catch (error) {
    assert.ok(error instanceof StartError, String(error));
    return error.problems;
  }
}

test('without any setting the house starts on this machine alone', () => {
  const settings = settingsFromOptions({}, {}, noFile);
  assert.deepEqual(settings, {
    production: false,
    dataFolder: './latchkey-data',
    databaseFile: 'latchkey-data/latchkey.db',
    url: 'http://127.0.0.1:4000',
    issuer: 'http://127.0.0.1:4000',
    audience: 'http://127.0.0.1:4000',
    host: '127.0.0.1',
    port: 4000,
    secret: null,
    secretPrevious: null,
    algorithm: 'EdDSA',
    accessTtl: 900_000,
    sessionIdle: 2_592_000_000,
    sessionTtl: 15_552_000_000,
    refreshGrace: 10_000,
    freshWithin: 300_000,
    limits: true,
    log: 'info',
    passwordGrant: true,
    origins: [],
    staleAfter: 10_000,
    stale: 'refuse',
    warnings: [],
  } satisfies Settings);
  assert.ok(
    Object.isFrozen(settings) && Object.isFrozen(settings.warnings) && Object.isFrozen(settings.origins),
  );
});

test('every setting can be given in the environment', () => {
  const settings = settingsFromOptions(
    {},
    {
      ...production,
      LATCHKEY_SECRET_PREVIOUS: other,
      LATCHKEY_DATABASE: '/srv/accounts.db',
      LATCHKEY_AUDIENCE: 'api',
      HOST: '::',
      PORT: '8080',
      LATCHKEY_DATA: '/srv/data',
      LATCHKEY_ALGORITHM: 'ES256',
      LATCHKEY_ACCESS_TTL: '2s',
      LATCHKEY_SESSION_IDLE: '12h',
      LATCHKEY_SESSION_TTL: '400d',
      LATCHKEY_REFRESH_GRACE: '0',
      LATCHKEY_FRESH_WITHIN: '1m',
      LATCHKEY_LIMITS: 'off',
      LATCHKEY_LOG: 'error',
      LATCHKEY_PASSWORD_GRANT: 'off',
      LATCHKEY_ORIGINS: 'https://app.example.com, http://localhost:5173',
      LATCHKEY_STALE_AFTER: '1500ms',
      LATCHKEY_STALE: 'serve',
    },
    noFile,
  );
  const { warnings, ...values } = settings;
  assert.deepEqual(values, {
    production: true,
    dataFolder: '/srv/data',
    databaseFile: '/srv/accounts.db',
    url,
    issuer: url,
    audience: 'api',
    host: '::',
    port: 8080,
    secret,
    secretPrevious: other,
    algorithm: 'ES256',
    accessTtl: 2000,
    sessionIdle: 43_200_000,
    sessionTtl: 34_560_000_000,
    refreshGrace: 0,
    freshWithin: 60_000,
    limits: false,
    log: 'error',
    passwordGrant: false,
    origins: ['https://app.example.com', 'http://localhost:5173'],
    staleAfter: 1500,
    stale: 'serve',
  });
  assert.equal(warnings.length, 1);
  assert.match(warnings[0]!, /^LATCHKEY_LIMITS .*production/);
});

test('an option wins over the environment, the environment over the default', () => {
  const env = { LATCHKEY_ACCESS_TTL: '20m', LATCHKEY_LIMITS: 'off', PORT: '1' };
  const settings = settingsFromOptions({ accessTtl: '5m', limits: true, port: undefined }, env, noFile);
  assert.deepEqual([settings.accessTtl, settings.limits, settings.port], [300_000, true, 1]);
  assert.equal(settings.sessionIdle, 2_592_000_000);
});

test('an empty list of origins in code is none, whatever the environment says', () => {
  const env = { LATCHKEY_ORIGINS: 'https://app.example.com' };
  assert.deepEqual(settingsFromOptions({ origins: [] }, env, noFile).origins, []);
  const given = settingsFromOptions({ origins: ['https://b.example'] }, env, noFile);
  assert.deepEqual(given.origins, ['https://b.example']);
  assert.ok(Object.isFrozen(given.origins));
});

test('the URL follows host and port, the audience the URL, the database the folder', () => {
  const settings = settingsFromOptions({}, { HOST: '::1', PORT: '80', LATCHKEY_DATA: '/srv/x' }, noFile);
  assert.equal(settings.url, 'http://[::1]:80');
  assert.equal(settings.audience, settings.url);
  assert.equal(settings.databaseFile, '/srv/x/latchkey.db');
  assert.equal(settingsFromOptions({}, { LATCHKEY_URL: url }, noFile).audience, url);
});

test('a secret may come from a file, without the line break at its end', () => {
  const env = {
    LATCHKEY_SECRET_FILE: '/run/secrets/now',
    LATCHKEY_SECRET_PREVIOUS_FILE: '/run/secrets/before',
  };
  const readFile = (path: string): string => (path === '/run/secrets/now' ? `${secret}\n` : `${other}\r\n`);
  const settings = settingsFromOptions({}, env, readFile);
  assert.deepEqual([settings.secret, settings.secretPrevious], [secret, other]);
});

/** Bad settings, each with what the one sentence about it must hold: the name, and what to write. */
const bad: readonly (readonly [string, Environment, RegExp])[] = [
  [
    'no secret in production',
    { ...production, LATCHKEY_SECRET: undefined },
    /^LATCHKEY_SECRET .*npx latchkey secret/,
  ],
  ['no URL in production', { ...production, LATCHKEY_URL: undefined }, /^LATCHKEY_URL .*LATCHKEY_URL=https:/],
  [
    'an http URL in production',
    { ...production, LATCHKEY_URL: 'http://a.example' },
    /^LATCHKEY_URL .*LATCHKEY_URL=https:/,
  ],
  [
    'an http URL of this machine in production',
    { ...production, LATCHKEY_URL: 'http://localhost' },
    /^LATCHKEY_URL .*=https:/,
  ],
  ['nearly production', { NODE_ENV: 'Production' }, /^NODE_ENV .*NODE_ENV=production/],
  ['nearly production, too short', { NODE_ENV: 'prod' }, /^NODE_ENV .*NODE_ENV=production/],
  [
    'all addresses without a secret',
    { HOST: '0.0.0.0', LATCHKEY_URL: url },
    /^LATCHKEY_SECRET .*HOST .*npx latchkey secret/,
  ],
  [
    'all addresses without a URL',
    { HOST: '0.0.0.0', LATCHKEY_SECRET: secret },
    /^LATCHKEY_URL .*HOST .*LATCHKEY_URL=/,
  ],
  [
    'all IPv6 addresses without a URL',
    { HOST: '::', LATCHKEY_SECRET: secret },
    /^LATCHKEY_URL .*LATCHKEY_URL=/,
  ],
  [
    'a name of the network without a URL',
    { HOST: 'box.lan', LATCHKEY_SECRET: secret },
    /^LATCHKEY_URL .*LATCHKEY_URL=/,
  ],
  ['an empty secret', { LATCHKEY_SECRET: '' }, /^LATCHKEY_SECRET is empty.*npx latchkey secret/],
  ['a short secret', { LATCHKEY_SECRET: 'hQ7zR2mXw9' }, /^LATCHKEY_SECRET is too short.*npx latchkey secret/],
  ['a known secret', { LATCHKEY_SECRET: 'changeme' }, /^LATCHKEY_SECRET .*known.*npx latchkey secret/],
  [
    'a secret of low entropy',
    { LATCHKEY_SECRET: 'ab'.repeat(20) },
    /^LATCHKEY_SECRET .*guess.*npx latchkey secret/,
  ],
  [
    'a weak secret of before',
    { LATCHKEY_SECRET: secret, LATCHKEY_SECRET_PREVIOUS: 'changeme' },
    /^LATCHKEY_SECRET_PREVIOUS .*npx/,
  ],
  [
    'a secret of before alone',
    { LATCHKEY_SECRET_PREVIOUS: secret },
    /^LATCHKEY_SECRET_PREVIOUS .*set LATCHKEY_SECRET/,
  ],
  [
    'one secret twice',
    { LATCHKEY_SECRET: secret, LATCHKEY_SECRET_PREVIOUS: secret },
    /^LATCHKEY_SECRET_PREVIOUS .*Remove it/,
  ],
  [
    'a secret and its file',
    { LATCHKEY_SECRET: secret, LATCHKEY_SECRET_FILE: '/x' },
    /^LATCHKEY_SECRET .*_FILE.*Remove one/,
  ],
  ['a file that is not there', { LATCHKEY_SECRET_FILE: '/x' }, /^LATCHKEY_SECRET .*LATCHKEY_SECRET_FILE/],
  ['a file whose name is empty', { LATCHKEY_SECRET_FILE: '' }, /^LATCHKEY_SECRET .*LATCHKEY_SECRET_FILE/],
  [
    'PostgreSQL',
    { LATCHKEY_DATABASE: 'postgres://a:b@c/d' },
    /^LATCHKEY_DATABASE .*PostgreSQL is not in this version yet.*LATCHKEY_DATABASE=/,
  ],
  [
    'PostgreSQL by its other name',
    { LATCHKEY_DATABASE: 'postgresql://c' },
    /^LATCHKEY_DATABASE .*PostgreSQL.*LATCHKEY_DATABASE=/,
  ],
  ['another database', { LATCHKEY_DATABASE: 'mysql://c/d' }, /^LATCHKEY_DATABASE .*LATCHKEY_DATABASE=/],
  ['a database in memory', { LATCHKEY_DATABASE: ':memory:' }, /^LATCHKEY_DATABASE .*LATCHKEY_DATABASE=/],
  [
    'a folder as database',
    { LATCHKEY_DATABASE: './data/' },
    /^LATCHKEY_DATABASE .*folder.*LATCHKEY_DATABASE=/,
  ],
  ['an empty folder', { LATCHKEY_DATA: '' }, /^LATCHKEY_DATA is empty.*LATCHKEY_DATA=/],
  ['no URL at all', { LATCHKEY_URL: 'login.example.com' }, /^LATCHKEY_URL .*LATCHKEY_URL=/],
  ['another scheme', { LATCHKEY_URL: 'ftp://login.example.com' }, /^LATCHKEY_URL .*http.*LATCHKEY_URL=/],
  ['a URL with a slash at its end', { LATCHKEY_URL: `${url}/` }, /^LATCHKEY_URL .*slash.*LATCHKEY_URL=/],
  ['a URL with a query', { LATCHKEY_URL: `${url}?` }, /^LATCHKEY_URL .*query.*LATCHKEY_URL=/],
  ['a URL with a fragment', { LATCHKEY_URL: `${url}#` }, /^LATCHKEY_URL .*fragment.*LATCHKEY_URL=/],
  [
    'a URL with a password',
    { LATCHKEY_URL: 'https://a:b@login.example.com' },
    /^LATCHKEY_URL .*password.*LATCHKEY_URL=/,
  ],
  [
    'a URL in capitals',
    { LATCHKEY_URL: 'https://Login.example.com' },
    /^LATCHKEY_URL .*plain form.*LATCHKEY_URL=/,
  ],
  ['a URL with the usual port', { LATCHKEY_URL: `${url}:443` }, /^LATCHKEY_URL .*plain form.*LATCHKEY_URL=/],
  ['an audience with a blank', { LATCHKEY_AUDIENCE: 'my api' }, /^LATCHKEY_AUDIENCE .*LATCHKEY_AUDIENCE=/],
  [
    'an audience that is nearly a URL',
    { LATCHKEY_AUDIENCE: '://api' },
    /^LATCHKEY_AUDIENCE .*LATCHKEY_AUDIENCE=/,
  ],
  ['a host with a port', { HOST: '127.0.0.1:80' }, /^HOST .*HOST=/],
  ['a host in brackets', { HOST: '[::1]' }, /^HOST .*HOST=/],
  ['a host in an odd form', { HOST: '0x7f.1' }, /^HOST .*HOST=/],
  ['a port that is none', { PORT: '65536' }, /^PORT .*PORT=/],
  ['a port with a sign', { PORT: '+80' }, /^PORT .*PORT=/],
  ['any port without a URL', { PORT: '0' }, /^LATCHKEY_URL .*PORT is 0.*LATCHKEY_URL=/],
  ['no algorithm', { LATCHKEY_ALGORITHM: 'none' }, /^LATCHKEY_ALGORITHM .*LATCHKEY_ALGORITHM=/],
  ['an algorithm in capitals', { LATCHKEY_ALGORITHM: 'EDDSA' }, /^LATCHKEY_ALGORITHM .*LATCHKEY_ALGORITHM=/],
  [
    'a length without a unit',
    { LATCHKEY_ACCESS_TTL: '900' },
    /^LATCHKEY_ACCESS_TTL .*LATCHKEY_ACCESS_TTL=15m/,
  ],
  [
    'a length with a blank',
    { LATCHKEY_ACCESS_TTL: '15 m' },
    /^LATCHKEY_ACCESS_TTL .*LATCHKEY_ACCESS_TTL=15m/,
  ],
  [
    'a length with a fraction',
    { LATCHKEY_ACCESS_TTL: '1.5h' },
    /^LATCHKEY_ACCESS_TTL .*LATCHKEY_ACCESS_TTL=15m/,
  ],
  ['a negative length', { LATCHKEY_ACCESS_TTL: '-1s' }, /^LATCHKEY_ACCESS_TTL .*LATCHKEY_ACCESS_TTL=15m/],
  [
    'no length',
    { LATCHKEY_ACCESS_TTL: '0' },
    /^LATCHKEY_ACCESS_TTL is shorter than 1s.*LATCHKEY_ACCESS_TTL=15m/,
  ],
  [
    'half a second in a token',
    { LATCHKEY_ACCESS_TTL: '1500ms' },
    /^LATCHKEY_ACCESS_TTL .*whole.*LATCHKEY_ACCESS_TTL=15m/,
  ],
  [
    'an access token for two days',
    { LATCHKEY_ACCESS_TTL: '2d' },
    /^LATCHKEY_ACCESS_TTL is longer than 24h.*LATCHKEY_ACCESS_TTL=15m/,
  ],
  [
    'an idle time below the access life',
    { LATCHKEY_SESSION_IDLE: '1m' },
    /^LATCHKEY_SESSION_IDLE .*LATCHKEY_ACCESS_TTL/,
  ],
  [
    'a life below the idle time',
    { LATCHKEY_SESSION_TTL: '1d' },
    /^LATCHKEY_SESSION_TTL .*LATCHKEY_SESSION_IDLE/,
  ],
  [
    'an endless session',
    { LATCHKEY_SESSION_TTL: '4000d' },
    /^LATCHKEY_SESSION_TTL is longer.*LATCHKEY_SESSION_TTL=/,
  ],
  ['an hour of grace', { LATCHKEY_REFRESH_GRACE: '1h' }, /^LATCHKEY_REFRESH_GRACE .*LATCHKEY_REFRESH_GRACE=/],
  ['never fresh', { LATCHKEY_FRESH_WITHIN: '0s' }, /^LATCHKEY_FRESH_WITHIN .*LATCHKEY_FRESH_WITHIN=/],
  ['limits in another word', { LATCHKEY_LIMITS: 'false' }, /^LATCHKEY_LIMITS .*LATCHKEY_LIMITS=on/],
  ['a log level that is none', { LATCHKEY_LOG: 'trace' }, /^LATCHKEY_LOG .*LATCHKEY_LOG=info/],
  ['a grant in another word', { LATCHKEY_PASSWORD_GRANT: 'no' }, /^LATCHKEY_PASSWORD_GRANT .*=off/],
  ...[
    '*',
    'null',
    '',
    'https://*.example.com',
    'https://app.example.com/',
    'https://App.example.com',
    'https://app.example.com:443',
    'app.example.com',
    'https://a.example,',
    'file://',
    'https://me:x@a.example',
    Array(101).fill('https://a.example').join(),
  ].map(
    (origins) =>
      [
        `the origin ${origins.slice(0, 30)}`,
        { LATCHKEY_ORIGINS: origins },
        /^LATCHKEY_ORIGINS .*LATCHKEY_ORIGINS=https:/,
      ] as const,
  ),
  ['staleness without end', { LATCHKEY_STALE_AFTER: '1d' }, /^LATCHKEY_STALE_AFTER .*LATCHKEY_STALE_AFTER=/],
  ['staleness in another word', { LATCHKEY_STALE: 'allow' }, /^LATCHKEY_STALE .*LATCHKEY_STALE=refuse/],
  ['a slip in a name', { LATCHKEY_SECERT: secret }, /LATCHKEY_SECERT .*Write LATCHKEY_SECRET,/],
  ['a name in small letters', { latchkey_secret: secret }, /latchkey_secret .*Write LATCHKEY_SECRET,/],
  ['a port with our prefix', { LATCHKEY_PORT: '80' }, /LATCHKEY_PORT .*Write PORT,/],
  [
    'a file of something that is no secret',
    { LATCHKEY_URL_FILE: '/x' },
    /LATCHKEY_URL_FILE .*docs\/settings.md|LATCHKEY_URL/,
  ],
  [
    'a name that means nothing',
    { LATCHKEY_COLOUR: 'red' },
    /LATCHKEY_COLOUR .*Remove it.*docs\/settings\.md/,
  ],
];

test('a bad setting stops the start with one sentence that names it and says what to write', async (t) => {
  assert.ok(bad.length >= 20);
  for (const [what, env, sentence] of bad) {
    await t.test(what, () => {
      const problems = problemsOf(env);
      assert.equal(problems.length, 1, problems.join('\n'));
      assert.match(problems[0]!, sentence);
    });
  }
});

test('all problems are told at once', () => {
  const env: Environment = Object.assign({}, ...bad.slice(20).map(([, bits]) => bits));
  const named = new Set(
    problemsOf(env).flatMap((problem) => /(?:LATCHKEY_\w+|HOST|PORT)/.exec(problem) ?? []),
  );
  assert.ok(named.size >= 15, [...named].join(' '));
});

test('a good setting at the edge of what is bad is taken', () => {
  for (const env of [
    { HOST: 'localhost' },
    { HOST: '127.8.8.8' },
    { HOST: '0.0.0.0', LATCHKEY_SECRET: secret, LATCHKEY_URL: 'http://box.lan:4000' },
    { PORT: '65535' },
    { PORT: '0', LATCHKEY_URL: 'http://127.0.0.1:4000' },
    { LATCHKEY_URL: 'https://example.com/auth' },
    { LATCHKEY_URL: 'http://[::1]:4000' },
    { LATCHKEY_AUDIENCE: 'urn:example:api' },
    { LATCHKEY_ACCESS_TTL: '24h' },
    { LATCHKEY_ACCESS_TTL: '1s', LATCHKEY_SESSION_IDLE: '1s', LATCHKEY_SESSION_TTL: '1s' },
    { LATCHKEY_REFRESH_GRACE: '5m' },
    { LATCHKEY_DATABASE: 'C:\\data\\x.db' },
    { NODE_ENV: 'test' },
    { NODE_ENV: 'staging' },
    { LATCHKEY_LOG: undefined, UNRELATED: '' },
  ] as Environment[]) {
    assert.deepEqual(problemsOf(env), [], JSON.stringify(env));
  }
});

test('an option that is wrong is named as an option', () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ accessTtl: 900 }, /option `accessTtl` is not a string.*`accessTtl: '15m'`/],
    [{ accessTtl: '' }, /option `accessTtl` is empty.*`accessTtl: '15m'`/],
    [{ port: '4000' }, /option `port` is not a number.*`port: 4000`/],
    [{ port: 1.5 }, /option `port` .*`port: 4000`/],
    [{ limits: 'off' }, /option `limits` is not a boolean.*`limits: true`/],
    [{ passwordGrant: null }, /option `passwordGrant` is not a boolean.*`passwordGrant: false`/],
    [{ secret: 'changeme' }, /option `secret` .*npx latchkey secret/],
    [{ secret: '' }, /option `secret` is empty.*npx latchkey secret/],
    [{ accesTtl: '15m' }, /option accesTtl is not an option\. Write `accessTtl`/],
    [{ constructor: 1 }, /option constructor is not an option/],
    [{ origins: 'https://a.example' }, /option `origins` is not a list of strings.*`origins: \['https:/],
    [{ origins: [1] }, /option `origins` is not a list of strings/],
    [{ origins: [''] }, /option `origins` is empty|option `origins` holds/],
    [{ refreshGrace: '1h' }, /option `refreshGrace` .*`refreshGrace: '10s'`/],
  ];
  for (const [options, sentence] of cases) {
    const problems = problemsOf({}, options as LatchkeyOptions);
    assert.equal(problems.length, 1, problems.join('\n'));
    assert.match(problems[0]!, sentence);
  }
});

test('no problem and no warning ever repeats a value, in whichever setting it stands', () => {
  const words = [
    'hunter2-hunter2',
    'postgres://me:hunter2-hunter2@db/x',
    'https://me:hunter2-hunter2@x.example',
    'mysql://hunter2-hunter2',
  ];
  for (const word of words) {
    for (const { env } of Object.values(settingTable)) {
      for (const name of [env, `${env}_FILE`, 'NODE_ENV', `LATCHKEY_${word}`]) {
        assert.ok(
          !problemsOf({ [name]: word, LATCHKEY_LOG: 'bad' })
            .join()
            .includes('hunter2'),
          name,
        );
      }
    }
    for (const name of Object.keys(settingTable)) {
      assert.ok(
        !problemsOf({ LATCHKEY_LOG: 'bad' }, { [name]: word })
          .join()
          .includes('hunter2'),
        name,
      );
    }
    assert.ok(
      !problemsOf({ LATCHKEY_SECRET_FILE: '/x' }, {}, () => word)
        .join()
        .includes('hunter2'),
    );
  }
});

test('GHSA-8fpg-xm3f-6cx3: any environment at all gives whole settings or a StartError with sentences', () => {
  const names = Object.values(settingTable).flatMap(({ env }) => [env, `${env}_FILE`]);
  const value = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('', '0', '10s', '15m', '1d', 'on', 'off', 'production', '0.0.0.0', url, secret, other),
  );
  const name = fc.oneof(fc.constantFrom(...names, 'NODE_ENV'), fc.string({ unit: 'binary' }));
  fc.assert(
    fc.property(fc.dictionary(name, value, { noNullPrototype: true }), value, (env, file) => {
      try {
        const settings = settingsFromOptions({}, env, () => file);
        assert.ok(
          Object.values(settings).every((setting) => setting !== undefined && !Number.isNaN(setting)),
        );
        if (settings.production) assert.ok(settings.secret !== null && settings.url.startsWith('https://'));
        assert.ok(settings.accessTtl <= settings.sessionIdle && settings.sessionIdle <= settings.sessionTtl);
      } catch (error) {
        assert.ok(error instanceof StartError, String(error));
        assert.ok(
          error.problems.length > 0 && error.problems.every((problem) => /^[\w`].*\. .+/.test(problem)),
        );
      }
    }),
    { numRuns: 500 },
  );
});
