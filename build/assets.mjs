// What the build takes along beside its own code: Redoc's bundle with its licences, so that who installs the package need not
// install Redoc's whole tree (docs/decisions/0002).
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const bundle = createRequire(import.meta.url).resolve('redoc/bundles/redoc.standalone.js');
const root = dirname(dirname(bundle));
const assets = new URL('../dist/server/assets/', import.meta.url);

mkdirSync(assets, { recursive: true });
copyFileSync(bundle, new URL('redoc.standalone.js', assets));
// The licence of Redoc itself, then those of what its bundle holds.
const licences = [join(root, 'LICENSE'), `${bundle}.LICENSE.txt`].map((file) => readFileSync(file, 'utf8'));
writeFileSync(new URL('redoc.standalone.js.LICENSE.txt', assets), licences.join('\n'));
