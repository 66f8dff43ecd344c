// `latchkey restore`: a copy takes the place of the database. Everything is proven on a copy of the copy before anything is exchanged.
import { existsSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Instant } from '../clock.ts';
import { findSecrets } from '../data-folder.ts';
import { StartError } from '../errors.ts';
import { beginAnew } from '../flows/begin-anew.ts';
import { openKeyHolder } from '../flows/key-holder.ts';
import { type LatchkeyOptions, openHouse, settingsOf } from '../latchkey.ts';
import { randomText } from '../secrets.ts';
import { lookAtSqlite } from '../store/engines/sqlite-database.ts';
import { discard, exchange, takeCopy } from '../store/engines/sqlite-exchange.ts';
import { holdStore } from '../store/engines/sqlite-file.ts';
import { keyFrom } from '../store/keys.ts';
import { type Call, type Command, CommandError } from './command.ts';
import { optionsFor } from './open.ts';
import { pairs } from './print.ts';

const patience = 1_000;

/** `latchkey restore`. */
export const restore: Command = {
  words: ['restore'],
  summary: 'Bring a backup back in the place of the database.',
  details: [
    'Stop the server first: beside one that runs this is refused. The backup must be whole, and the secret must open its keys;',
    'else nothing is changed. The database that was there is kept under another name. Every session ends and every access',
    'token dies, since the backup does not know what was ended or revoked after it was made; with --keep-sessions they live,',
    'and so does what was ended after it.',
  ].join('\n'),
  arguments: [{ name: 'FILE', help: 'The backup. It is only read.' }],
  options: { 'keep-sessions': { kind: 'flag', help: 'Do not end the sessions that the backup knows.' } },
  example: 'npx latchkey restore ./latchkey-2026-11-25.db',
  opens: true,
  async run(call) {
    const options = await optionsFor(call);
    const { databaseFile: named } = settingsOf(options);
    // What is exchanged is the file and not the link that leads to it.
    const databaseFile = existsSync(named) ? realpathSync(named) : named;
    const file = resolve(call.terminal.folder, call.argument('FILE'));
    mustBeAnotherFile(file, databaseFile);
    mkdirSync(dirname(databaseFile), { recursive: true, mode: 0o700 });
    const hold = holdStore(databaseFile, 'whole', patience);
    if (hold === null)
      throw new CommandError(
        `A server or another command has ${databaseFile} open. Stop it first. Nothing was changed.`,
      );
    const prepared = `${databaseFile}.${randomText(6)}.new`;
    try {
      await takeCopy(file, prepared);
      await prove(options, file, prepared);
      await settle(options, prepared, call.flag('keep-sessions'));
      tell(call, databaseFile, exchangeAt(databaseFile, prepared, call.terminal.clock.now()));
      return 0;
    } finally {
      discard(prepared);
      hold.release();
    }
  },
};

function mustBeAnotherFile(file: string, databaseFile: string): void {
  if (!existsSync(file) || !statSync(file).isFile())
    throw new CommandError(`There is no file ${file}. Nothing was changed.`);
  if (!existsSync(databaseFile)) return;
  const [here, there] = [statSync(file), statSync(databaseFile)];
  if (here.ino === there.ino && here.dev === there.dev)
    throw new CommandError('This is the database itself. Nothing was changed.');
}

/** The copy is whole, is one of ours, and opens with our secret; else throws, and nothing was changed. */
async function prove(options: LatchkeyOptions, file: string, prepared: string): Promise<void> {
  const look = await lookAtSqlite(prepared).catch(() => null);
  if (look === null || look.integrity !== 'ok')
    throw new CommandError(`${file} is damaged, or is no database. Nothing was changed.`);
  if (look.migrations.length === 0)
    throw new CommandError(`${file} is not a database of Latchkey. Nothing was changed.`);
  const secrets = findSecrets(settingsOf(options));
  if (secrets.length === 0)
    throw new CommandError(
      'There is no secret to open the keys of the backup with. Set LATCHKEY_SECRET, or put the file `secret` back into the data folder. Nothing was changed.',
    );
  try {
    openKeyHolder(secrets, options.clock!).take(look.keys.map(keyFrom));
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    throw new CommandError(
      'The keys of the backup do not open with the secret that is set here. Set LATCHKEY_SECRET to the one that the backup was made under. Nothing was changed.',
    );
  }
}

/** Bring the copy up to this program, and end what must not live again. */
async function settle(options: LatchkeyOptions, prepared: string, keepSessions: boolean): Promise<void> {
  const { house, latchkey } = await openHouse({ ...options, database: prepared }, 'visit');
  try {
    if (!keepSessions) await beginAnew(house);
  } finally {
    await latchkey.close();
  }
}

/** Exchange the files; tells under which name the one that was there is kept, or null. */
function exchangeAt(databaseFile: string, prepared: string, now: Instant): string | null {
  const stamp = new Date(now).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const wanted = `${databaseFile}.before-${stamp}`;
  const aside = existsSync(wanted) ? `${wanted}-${randomText(3)}` : wanted;
  return exchange(databaseFile, prepared, aside) ? aside : null;
}

function tell(call: Call, databaseFile: string, aside: string | null): void {
  const kept = call.flag('keep-sessions');
  call.answer(
    { restored: databaseFile, kept_aside: aside, sessions: kept ? 'kept' : 'ended' },
    pairs([
      ['Restored', databaseFile],
      ['Kept aside', aside ?? 'nothing: there was none'],
      ['Sessions', kept ? 'kept as the backup knows them' : 'ended: everybody logs in anew'],
    ]),
  );
}
