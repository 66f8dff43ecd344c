// `latchkey.config.ts`: what only code can say, such as the profile and the hooks. Looked for in the working folder.
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { StartError } from '../errors.ts';
import type { LatchkeyOptions } from '../latchkey.ts';

const names = ['latchkey.config.ts', 'latchkey.config.js', 'latchkey.config.mjs'];

/** The options in the config file, or none where there is no file. Throws `StartError`. */
export async function loadConfig(folder: string, named: string | null): Promise<LatchkeyOptions> {
  const file = named === null ? findConfig(folder) : resolve(folder, named);
  if (file === null) return {};
  if (!existsSync(file)) throw new StartError(`The config file ${file} is not there.`);
  const options = await importDefault(file);
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new StartError(
      `The config file ${file} exports no options. Write \`export default defineConfig({ … })\`, with defineConfig from 'latchkey'.`,
    );
  }
  for (const name of ['environment', 'clock']) {
    if (name in options) throw new StartError(`The config file ${file} may not set \`${name}\`. Remove it.`);
  }
  return options;
}

function findConfig(folder: string): string | null {
  const found = names.map((name) => join(folder, name)).filter((file) => existsSync(file));
  if (found.length > 1) {
    throw new StartError(`There is more than one config file: ${found.join(', ')}. Keep one of them.`);
  }
  return found[0] ?? null;
}

async function importDefault(file: string): Promise<unknown> {
  try {
    const loaded = (await import(pathToFileURL(file).href)) as { default?: unknown };
    return loaded.default;
  } catch (error) {
    const why = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw new StartError(`The config file ${file} does not load: ${why.split('\n')[0]}`, { cause: error });
  }
}
