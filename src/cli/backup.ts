// `latchkey backup`: a whole copy of the database, made while it is in use.
import { statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { settingsOf } from '../latchkey.ts';
import { copySqlite } from '../store/engines/sqlite-database.ts';
import { type Command, CommandError } from './command.ts';
import { mustExist, optionsFor } from './open.ts';
import { pairs } from './print.ts';

/** `latchkey backup`. */
export const backup: Command = {
  words: ['backup'],
  summary: 'Copy the database into a new file, also while a server runs.',
  details:
    'The copy is checked, and only its owner may read it. The secret that opens the keys is not inside: keep it apart, since the copy cannot be brought back without it.',
  arguments: [{ name: 'FILE', help: 'The new file; one that is there already is refused.' }],
  example: 'npx latchkey backup ./latchkey-2026-11-25.db',
  opens: true,
  async run(call) {
    const settings = settingsOf(await optionsFor(call));
    mustExist(settings);
    const file = resolve(call.terminal.folder, call.argument('FILE'));
    try {
      await copySqlite(settings.databaseFile, file);
    } catch (error) {
      throw cannotCopy(error as NodeJS.ErrnoException, file);
    }
    const { size } = statSync(file);
    call.answer(
      { file, bytes: size },
      pairs([
        ['Backup', file],
        ['Bytes', String(size)],
      ]),
    );
    call.notice(
      'The secret is not inside. Keep it too, and in another place: without it the copy opens nothing.',
    );
    return 0;
  },
};

function cannotCopy(error: NodeJS.ErrnoException, file: string): CommandError {
  const why: Readonly<Record<string, string>> = {
    EEXIST: `${file} is there already: choose another name. Nothing was written.`,
    ENOENT: `The folder ${dirname(file)} is not there: make it first. Nothing was written.`,
    EACCES: `${file} cannot be written by this user.`,
  };
  return new CommandError(why[error.code ?? ''] ?? `The database could not be copied: ${error.message}`);
}
