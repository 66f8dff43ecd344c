// `latchkey users import`: accounts from elsewhere, with the hashes that others made. A line is added, skipped because somebody has the
// name already (so a file can be imported again), or refused with a reason; none stops the others.
import { createReadStream, existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Account, readEmail, readUsername } from '../accounts/account.ts';
import { isLatchkeyError } from '../errors.ts';
import type { House } from '../flows/house.ts';
import { readSignUp, type SignUp, takenName } from '../flows/sign-up.ts';
import type { OpenHouse } from '../latchkey.ts';
import type { ImportedUser } from '../library.ts';
import { describeHash } from '../passwords/foreign.ts';
import { type Call, type Command, CommandError, UsageError } from './command.ts';
import { csvRecords, type ImportLine, jsonRecords } from './import-lines.ts';
import { inHouse } from './open.ts';
import { pairs, table } from './print.ts';

/** What became of a line. */
interface Outcome {
  readonly line: number;
  readonly outcome: 'added' | 'skipped' | 'refused';
  readonly reason: string;
}

interface Granted {
  readonly scopes: readonly string[];
  readonly disabled: boolean;
  readonly emailVerified: boolean;
}

interface Wanted {
  readonly line: number;
  readonly user: ImportedUser;
  /** What would be made of it. */
  readonly account: Account;
  readonly granted: Granted;
  /** What is unique of it. */
  readonly keys: readonly string[];
}

const batchSize = 500;
const toldAtMost = 10_000;

/** `latchkey users import`. */
export const usersImport: Command = {
  words: ['users', 'import'],
  summary: 'Add accounts from a file of JSON lines or CSV, with their hashes.',
  details: [
    'Each line holds username, email or both, and password_hash (argon2, bcrypt, scrypt or pbkdf2); and if wanted scopes,',
    'disabled, email_verified and profile. The first line of CSV names the fields; profile.NAME is one field of the profile.',
    'A line whose name is taken is skipped, so a file can be imported again. A line that is wrong is refused, with its',
    'number and the reason, and does not stop the others; then the exit code is 1.',
  ].join('\n'),
  arguments: [{ name: 'FILE', help: 'The file; - for standard input.' }],
  options: {
    format: { kind: 'text', value: 'jsonl|csv', help: 'How the file is written; by its ending if not said.' },
    'dry-run': { kind: 'flag', help: 'Check every line and add nothing.' },
  },
  example: 'npx latchkey users import accounts.csv --dry-run',
  opens: true,
  run: (call) =>
    inHouse(
      call,
      async (opened) => {
        const outcomes = await importAll(opened, recordsFrom(call), call.flag('dry-run'));
        return report(call, outcomes);
      },
      { mayMake: !call.flag('dry-run') },
    ),
};

function recordsFrom(call: Call): AsyncGenerator<ImportLine> {
  const name = call.argument('FILE');
  const format = call.text('format') ?? (name.toLowerCase().endsWith('.csv') ? 'csv' : 'jsonl');
  if (format !== 'csv' && format !== 'jsonl') throw new UsageError('--format is jsonl or csv.');
  const file = resolve(call.terminal.folder, name);
  if (name !== '-' && !existsSync(file)) throw new CommandError(`There is no file ${file}.`);
  const bytes = name === '-' ? call.terminal.stdin : createReadStream(file);
  return format === 'csv' ? csvRecords(bytes) : jsonRecords(bytes);
}

async function importAll(
  opened: OpenHouse,
  records: AsyncGenerator<ImportLine>,
  dryRun: boolean,
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  // Names that earlier lines of this file have taken; what was written is known by the store.
  const taken = new Set<string>();
  let batch: Wanted[] = [];
  async function flush(): Promise<void> {
    // All of a batch at once, so that they share their commits.
    const done = dryRun ? batch.map(wouldAdd) : await Promise.all(batch.map((wanted) => add(opened, wanted)));
    outcomes.push(...done);
    if (!dryRun) taken.clear();
    batch = [];
  }
  for await (const record of records) {
    const read = await readRecord(opened.house, record);
    if ('outcome' in read) outcomes.push(read);
    else if (
      read.keys.some((key) => taken.has(key)) ||
      (await takenName(opened.house, read.account)) !== null
    )
      outcomes.push({ line: read.line, outcome: 'skipped', reason: 'The name or address is taken.' });
    else {
      for (const key of read.keys) taken.add(key);
      batch.push(read);
      if (batch.length === batchSize) await flush();
    }
  }
  await flush();
  return outcomes.sort((left, right) => left.line - right.line);
}

async function readRecord(house: House, record: ImportLine): Promise<Wanted | Outcome> {
  const { line } = record;
  const refused = (reason: string): Outcome => ({ line, outcome: 'refused', reason });
  if ('fault' in record) return refused(record.fault);
  const { username = null, email = null, password_hash: passwordHash, profile = {} } = record.fields;
  const { disabled = false, email_verified: emailVerified = false } = record.fields;
  if (typeof passwordHash !== 'string') return refused('password_hash is missing.');
  const hash = describeHash(passwordHash);
  if (!hash.supported) return refused(`password_hash: ${hash.why}`);
  if (typeof disabled !== 'boolean') return refused('disabled is neither true nor false.');
  if (typeof emailVerified !== 'boolean') return refused('email_verified is neither true nor false.');
  const { scopes = [] } = record.fields;
  const granted: Granted = {
    scopes: typeof scopes === 'string' ? scopes.split(' ').filter(Boolean) : (scopes as string[]),
    ...{ disabled, emailVerified },
  };
  const input = { username, email, profile } as Omit<SignUp, 'password'>;
  try {
    const account = await readSignUp(house, { ...input, password: '' }, { ...granted, passwordHash });
    const keys = [readUsername(account.username ?? ''), readEmail(account.email ?? '')];
    return {
      ...{ line, granted, account },
      user: { ...input, passwordHash },
      keys: keys.flatMap((key) => (key.ok ? [key.key] : [])),
    };
  } catch (error) {
    return refused(sentencesOf(error));
  }
}

function sentencesOf(error: unknown): string {
  // A hook of the app's own may throw anything at one line; that is no reason to drop the others.
  if (!isLatchkeyError(error))
    return `It failed: ${error instanceof Error ? error.message : 'no reason given'}`;
  const { errors } = error.extra;
  return errors === undefined
    ? error.message
    : errors.map(({ field, detail }) => `${field}: ${detail}`).join(' ');
}

function wouldAdd({ line }: Wanted): Outcome {
  return { line, outcome: 'added', reason: '' };
}

async function add({ latchkey }: OpenHouse, { line, user, granted }: Wanted): Promise<Outcome> {
  try {
    await latchkey.users.add(user, granted);
    return { line, outcome: 'added', reason: '' };
  } catch (error) {
    const taken = isLatchkeyError(error) && ['username_taken', 'email_taken'].includes(error.code);
    return { line, outcome: taken ? 'skipped' : 'refused', reason: sentencesOf(error) };
  }
}

function report(call: Call, outcomes: readonly Outcome[]): number {
  const of = (outcome: Outcome['outcome']) => outcomes.filter((one) => one.outcome === outcome);
  const [added, skipped, refused] = [of('added'), of('skipped'), of('refused')];
  const told = ({ line, reason }: Outcome) => ({ line, reason });
  const dryRun = call.flag('dry-run');
  const others = outcomes.filter(({ outcome }) => outcome !== 'added').slice(0, toldAtMost);
  const text = [
    others.length === 0
      ? ''
      : table(
          ['LINE', 'OUTCOME', 'REASON'],
          others.map(({ line, outcome, reason }) => [String(line), outcome, reason]),
        ),
    pairs([
      [dryRun ? 'Would be added' : 'Added', String(added.length)],
      ['Skipped', String(skipped.length)],
      ['Refused', String(refused.length)],
    ]),
  ].join('');
  call.answer(
    { dry_run: dryRun, added: added.length, skipped: skipped.map(told), refused: refused.map(told) },
    text,
  );
  return refused.length > 0 ? 1 : 0;
}
