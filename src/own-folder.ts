// The data folder is closed to everybody but its owner. Which folder that is, an environment says, perhaps by mistake: `/`, a home or
// a project closed in that way would be lost to all others, so a folder that holds what is not ours keeps its mode.
import { chmodSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { relative, sep } from 'node:path';
import { StartError } from './errors.ts';
import type { Settings } from './settings.ts';

type Places = Pick<Settings, 'dataFolder' | 'databaseFile'>;

/**
 * Make the data folder, or close it where everything in it is ours. What is left to say of it, or null. Throws `StartError` for one
 * in which others may write: they could put a file in the place of one of ours. Nothing is changed then.
 */
export function ownFolder(places: Places): string | null {
  const { dataFolder } = places;
  try {
    mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
    if (!isOpen(dataFolder, 0o077)) return null;
    if (readdirSync(dataFolder).every((name) => belongs(places, name))) {
      chmodSync(dataFolder, 0o700);
      return null;
    }
    if (isOpen(dataFolder, 0o022)) throw mustBeClosed(dataFolder);
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(
      `The data folder ${dataFolder} cannot be used (${(error as NodeJS.ErrnoException).code}). Set LATCHKEY_DATA to a folder that this user may write.`,
      { cause: error },
    );
  }
  return `The data folder ${dataFolder} holds other files too, so it was left as open as it is; those of Latchkey are closed. Better give LATCHKEY_DATA a folder of its own.`;
}

/** Whether a folder has any of these mode bits. Windows has no such modes. */
function isOpen(folder: string, bits: number): boolean {
  return process.platform !== 'win32' && (statSync(folder).mode & bits) !== 0;
}

// What a volume, a repository or a file manager puts into a folder that is meant for us alone.
const harmless = ['backups', 'lost+found', '.gitignore', '.gitkeep', '.DS_Store'];

/** Ours, or nobody's: what lies beside a database while it is open, drafts, and backups too. */
function belongs({ dataFolder, databaseFile }: Places, name: string): boolean {
  if (harmless.includes(name) || name.endsWith('.db')) return true;
  const way = relative(dataFolder, databaseFile).split(sep)[0]!;
  return ['secret', 'latchkey.db', ...(way === '' ? [] : [way])].some(
    (mark) => name === mark || name.startsWith(`${mark}.`) || name.startsWith(`${mark}-`),
  );
}

function mustBeClosed(folder: string): StartError {
  return new StartError(
    `Others may write in the data folder ${folder}, which holds other files than those of Latchkey. Set LATCHKEY_DATA to a folder of its own, for example LATCHKEY_DATA=./latchkey-data, or close this one: chmod 700 '${folder}'. Nothing was changed.`,
  );
}
