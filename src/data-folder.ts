// The folder that holds what this house remembers: the database, and in development the secret that its keys are sealed with.
// What is lost there is never made anew in silence.
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { StartError } from './errors.ts';
import { generateSecret } from './house-secret.ts';
import { ownFolder } from './own-folder.ts';
import { randomText } from './secrets.ts';
import type { Settings } from './settings.ts';

/** The secret of a house, and whether it was made just now. */
export interface HouseSecret {
  readonly secret: string;
  readonly made: boolean;
}

/** What opening the folder found. */
export interface OpenFolder extends HouseSecret {
  /** What should be said of the folder when the house starts, or null. */
  readonly notice: string | null;
}

/** Open the folder, which only its owner may read, and find the secret: the one that was set, or the one in the folder. */
export function openDataFolder(settings: Settings): OpenFolder {
  const notice = ownFolder(settings);
  if (settings.secret !== null) return { secret: settings.secret, made: false, notice };
  return { ...ownSecret(settings, secretFileOf(settings)), notice };
}

/** The secret in use and the one before it, as far as there are any; makes nothing. Throws `StartError` for a damaged file. */
export function findSecrets(settings: Settings): string[] {
  const file = secretFileOf(settings);
  const own = settings.secret === null && existsSync(file) ? readSecret(file) : null;
  return [settings.secret ?? own, settings.secretPrevious].filter((secret) => secret !== null);
}

/** Where the data folder keeps a secret of its own. */
export function secretFileOf({ dataFolder }: Settings): string {
  return join(dataFolder, 'secret');
}

function ownSecret({ databaseFile }: Settings, file: string): HouseSecret {
  if (existsSync(file)) return { secret: readSecret(file), made: false };
  if (existsSync(databaseFile) && statSync(databaseFile).size > 0) {
    throw new StartError(
      `The file ${file} is missing: it holds the secret that opens the keys in ${databaseFile}. Put it back, or set LATCHKEY_SECRET to it. Nothing was changed; to begin anew, move the data folder away.`,
    );
  }
  const secret = generateSecret();
  return putSecret(file, secret) ? { secret, made: true } : { secret: readSecret(file), made: false };
}

/** Put a secret on the disk, whole or not at all. False: another process was faster, and its secret stays. */
function putSecret(file: string, secret: string): boolean {
  // Of no other process: of two containers on one volume each may be the first of its own.
  const draft = `${file}.${randomText(6)}`;
  try {
    // On the disk before anything is sealed with it: a power cut must not leave keys that nothing opens.
    writeFileSync(draft, `${secret}\n`, { mode: 0o600, flag: 'wx', flush: true });
    linkSync(draft, file);
    syncFolder(dirname(file));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function syncFolder(folder: string): void {
  // Windows syncs no folders.
  if (process.platform === 'win32') return;
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function readOwn(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new StartError(
      `The file ${file} cannot be read (${(error as NodeJS.ErrnoException).code}). Give it to the user that runs Latchkey (chown), with the mode 600 (chmod). Nothing was changed.`,
      { cause: error },
    );
  }
}

function readSecret(file: string): string {
  const secret = readOwn(file).trim();
  if (!/^[A-Za-z0-9_-]{43,}$/.test(secret)) {
    throw new StartError(
      `The file ${file} is damaged: it should hold one line of 43 characters. Put a copy back, or set LATCHKEY_SECRET to what it held. Nothing was changed.`,
    );
  }
  // Only now: until it was read it may have been anybody's.
  if ((statSync(file).mode & 0o077) !== 0) chmodSync(file, 0o600);
  return secret;
}
