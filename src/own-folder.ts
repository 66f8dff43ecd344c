// The data folder is closed to everybody but its owner. Which folder that is, an environment says, perhaps by mistake: `/`, a home or
// a project closed in that way would be lost to all others, so a folder that holds what is not ours is left as it is.
import { chmodSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { StartError } from './errors.ts';
import type { Settings } from './settings.ts';

type Places = Pick<Settings, 'dataFolder' | 'databaseFile'>;

/** Make the data folder, or close it where it is there and ours. Throws `StartError`; nothing is changed then. */
export function ownFolder(places: Places): void {
  const { dataFolder } = places;
  try {
    mkdirSync(dataFolder, { recursive: true, mode: 0o700 });
    const names = readdirSync(dataFolder);
    const isShared = names.some((name) => !belongs(places, name));
    if (isShared && !names.some((name) => isMark(places, name))) throw notOurs(dataFolder);
    if (!isOpen(dataFolder)) return;
    if (isShared) throw mustBeClosed(dataFolder);
    chmodSync(dataFolder, 0o700);
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(
      `The data folder ${dataFolder} cannot be used (${(error as NodeJS.ErrnoException).code}). Set LATCHKEY_DATA to a folder that this user may write.`,
      { cause: error },
    );
  }
}

/** Windows has no such modes. */
function isOpen(folder: string): boolean {
  return process.platform !== 'win32' && (statSync(folder).mode & 0o077) !== 0;
}

/** What stands for us in the folder: the secret, a database under its usual name, and the way to the one that is set. */
function marksOf({ dataFolder, databaseFile }: Places): string[] {
  const way = relative(dataFolder, databaseFile).split(sep)[0]!;
  return ['secret', 'latchkey.db', ...(way === '' ? [] : [way])];
}

/** Whether a name tells that the folder has been ours before. */
function isMark(places: Places, name: string): boolean {
  if (!marksOf(places).includes(name)) return false;
  const inside = relative(places.dataFolder, places.databaseFile).startsWith(`${name}${sep}`);
  const file = inside ? places.databaseFile : join(places.dataFolder, name);
  return statSync(file, { throwIfNoEntry: false })?.isFile() === true;
}

// What a volume, a repository or a file manager puts into a folder that is meant for us alone.
const harmless = ['backups', 'lost+found', '.gitignore', '.gitkeep', '.DS_Store'];

/** Ours, or nobody's: what lies beside a database while it is open, drafts, and backups too. */
function belongs(places: Places, name: string): boolean {
  if (harmless.includes(name) || name.endsWith('.db')) return true;
  return marksOf(places).some(
    (mark) => name === mark || name.startsWith(`${mark}.`) || name.startsWith(`${mark}-`),
  );
}

function notOurs(folder: string): StartError {
  return new StartError(
    `The data folder ${folder} holds other files and none of Latchkey. Set LATCHKEY_DATA to a folder of its own, for example LATCHKEY_DATA=./latchkey-data. Nothing was changed.`,
  );
}

function mustBeClosed(folder: string): StartError {
  return new StartError(
    `The data folder ${folder} is open to others, and holds other files than those of Latchkey. Set LATCHKEY_DATA to a folder of its own, or close this one: chmod 700 '${folder}'. Nothing was changed.`,
  );
}
