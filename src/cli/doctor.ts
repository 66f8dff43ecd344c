// `latchkey doctor`: looks at everything that a start needs, changes nothing, and says what to do about each fault.
import { existsSync, statSync } from 'node:fs';
import { get } from 'node:http';
import { dirname } from 'node:path';
import { findSecrets, secretFileOf } from '../data-folder.ts';
import { StartError } from '../errors.ts';
import { openKeyHolder } from '../flows/key-holder.ts';
import { type LatchkeyOptions, settingsOf } from '../latchkey.ts';
import type { Settings } from '../settings.ts';
import { lookAtSqlite, type SqliteLook } from '../store/engines/sqlite-database.ts';
import { holdStore, lockFileOf } from '../store/engines/sqlite-file.ts';
import { keyFrom } from '../store/keys.ts';
import type { Call, Command } from './command.ts';
import { optionsFor } from './open.ts';
import { printable, table } from './print.ts';
import { dateWords } from './time-words.ts';

/** What came of one look. A note is nothing to mend. */
interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'note' | 'fault';
  readonly detail: string;
  /** What to do. */
  readonly mend?: string;
}

const answerWithin = 3_000;
const answerAtMost = 64 * 1024;
const clockSlack = 60_000;

/** `latchkey doctor`. */
export const doctor: Command = {
  words: ['doctor'],
  summary: 'Check settings, files, database, keys, clock and port, and say what to do. Changes nothing.',
  example: 'npx latchkey doctor',
  opens: true,
  async run(call) {
    const findings = await examine(call);
    const faults = findings.filter(({ state }) => state === 'fault');
    const rows = findings.map(({ check, state, detail }) => [check, state, detail]);
    const mends = faults.map(({ check, mend }) => printable(`${check}: ${mend ?? 'see above'}`));
    const advice =
      faults.length === 0 ? ['All is well.'] : ['What to do:', ...mends.map((line) => `  ${line}`)];
    call.answer(
      { healthy: faults.length === 0, findings },
      `${table(['CHECK', 'STATE', 'FOUND'], rows)}\n${advice.join('\n')}\n`,
    );
    return faults.length === 0 ? 0 : 1;
  },
};

async function examine(call: Call): Promise<Finding[]> {
  let options: LatchkeyOptions;
  let settings: Settings;
  try {
    options = await optionsFor(call);
    settings = settingsOf(options);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    return error.problems.map((problem) => fault('settings', 'not all of them are right', problem));
  }
  const found: Finding[] = [ok('settings', `the issuer is ${settings.issuer}`)];
  for (const warning of settings.warnings) found.push(note('settings', warning));
  found.push(...modesOf(settings), ...(await lookInside(call, settings)));
  found.push(await lookAtPort(settings));
  return found;
}

function ok(check: string, detail: string): Finding {
  return { check, state: 'ok', detail };
}
function note(check: string, detail: string): Finding {
  return { check, state: 'note', detail };
}
function fault(check: string, detail: string, mend: string): Finding {
  return { check, state: 'fault', detail, mend };
}

/** Who may read what. Windows has no such modes. */
function modesOf(settings: Settings): Finding[] {
  const { dataFolder, databaseFile } = settings;
  if (!existsSync(dataFolder))
    return [note('data folder', `${dataFolder} is not there: the first start makes it`)];
  const files = [
    ['data folder', dataFolder, 0o700],
    ['secret file', secretFileOf(settings), 0o600],
    ['database file', databaseFile, 0o600],
    ['database log', `${databaseFile}-wal`, 0o600],
  ] as const;
  return files
    .filter(([, path]) => existsSync(path))
    .map(([check, path, wanted]) => {
      const mode = statSync(path).mode & 0o777;
      const shown = mode.toString(8);
      if (process.platform === 'win32' || (mode & ~wanted) === 0) return ok(check, `${path} (${shown})`);
      const mend = `Run: chmod ${wanted.toString(8)} '${path}'`;
      return fault(check, `${path} is open to others (${shown})`, mend);
    });
}

async function lookInside(call: Call, settings: Settings): Promise<Finding[]> {
  const { databaseFile } = settings;
  if (!existsSync(databaseFile)) {
    if (!existsSync(`${databaseFile}-wal`))
      return [note('database', `${databaseFile} is not there: the first start makes it`)];
    return [
      fault(
        'database',
        `${databaseFile} is missing, and its log is still there`,
        'Put the file back, or bring back a backup: latchkey restore FILE',
      ),
    ];
  }
  let look: SqliteLook;
  try {
    look = await lookAtSqlite(databaseFile);
  } catch (error) {
    return [damaged(error instanceof StartError ? 'it is damaged, or no database' : 'it cannot be read')];
  }
  if (look.integrity !== 'ok') return [damaged('integrity_check found faults in it')];
  const found = [ok('database', 'integrity_check says ok'), migrationsOf(look), keysOf(call, settings, look)];
  return [...found, clockOf(call, look)];
}

function damaged(detail: string): Finding {
  return fault('database', detail, 'Stop the server, and bring back a backup: latchkey restore FILE');
}

function migrationsOf({ migrations }: SqliteLook): Finding {
  if (migrations.length === 0)
    return fault(
      'migrations',
      'it is not a database of Latchkey',
      'Set LATCHKEY_DATABASE to the right file.',
    );
  const pending = migrations.filter(({ appliedAt }) => appliedAt === null).map(({ name }) => name);
  if (pending.length === 0) return ok('migrations', `${migrations.length} applied, none pending`);
  return fault('migrations', `pending: ${pending.join(', ')}`, 'Run: latchkey migrate up');
}

function keysOf(call: Call, settings: Settings, { keys }: SqliteLook): Finding {
  if (keys.length === 0) return note('keys', 'none yet: the first start makes them');
  const mend = `Set LATCHKEY_SECRET to the secret that they were sealed with, or put ${secretFileOf(settings)} back.`;
  try {
    const secrets = findSecrets(settings);
    if (secrets.length === 0) return fault('keys', 'there is no secret to open them with', mend);
    openKeyHolder(secrets, call.terminal.clock).take(keys.map(keyFrom));
    return ok('keys', `${keys.length} keys, and the secret opens all of them`);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    return fault('keys', 'the secret does not open them, or is damaged', mend);
  }
}

function clockOf(call: Call, { newest }: SqliteLook): Finding {
  const now = call.terminal.clock.now();
  if (newest <= now + clockSlack) return ok('clock', dateWords(now));
  return fault(
    'clock',
    `it says ${dateWords(now)}, and somebody was seen at ${dateWords(newest)}`,
    'Set the clock of this machine; tokens are dated by it.',
  );
}

async function lookAtPort(settings: Settings): Promise<Finding> {
  const { host, port } = settings;
  if (port === 0) return note('port', 'PORT is 0: the system chooses one at each start');
  const reach =
    host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '[::1]' : host.includes(':') ? `[${host}]` : host;
  const answer = await readinessAt(`http://${reach}:${port}/readyz`);
  const where = `${host}:${port}`;
  if (answer === 'nobody') {
    const opened = isOpenElsewhere(settings) ? 'somebody has the database open' : 'no server runs';
    return note('port', `nobody answers at ${where}; ${opened}`);
  }
  if (answer === 'ready' && !isOpenElsewhere(settings))
    return fault(
      'port',
      `a server answers at ${where}, and has another database open`,
      'Run this in its folder, or set LATCHKEY_DATA or PORT.',
    );
  if (answer === 'ready') return ok('port', `a server answers at ${where}, and is ready`);
  if (answer === 'not ready')
    return fault('port', `the server at ${where} is not ready`, 'Look into its log; is the disk full?');
  return fault('port', `another program answers at ${where}`, 'Stop it, or set PORT to a free one.');
}

/** Whether anybody has the store open. Asked without making anything. */
function isOpenElsewhere({ databaseFile }: Settings): boolean {
  if (!existsSync(dirname(databaseFile)) || !existsSync(lockFileOf(databaseFile))) return false;
  const hold = holdStore(databaseFile, 'whole');
  hold?.release();
  return hold === null;
}

type Readiness = 'nobody' | 'ready' | 'not ready' | 'somebody else';

/** Not by `fetch`, which calls some ports bad that a server may well listen on. */
function readinessAt(url: string): Promise<Readiness> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, timeout: answerWithin }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        body += chunk;
        if (body.length > answerAtMost) request.destroy();
      });
      response.on('error', () => resolve('somebody else'));
      response.on('end', () => resolve(readReadiness(response.statusCode ?? 0, body)));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ECONNREFUSED' ? 'nobody' : 'somebody else'),
    );
  });
}

function readReadiness(status: number, body: string): Readiness {
  try {
    const { status: word, code } = JSON.parse(body) as { status?: unknown; code?: unknown };
    if (status === 200 && word === 'ready') return 'ready';
    return status === 503 && code === 'store_unavailable' ? 'not ready' : 'somebody else';
  } catch {
    return 'somebody else';
  }
}
