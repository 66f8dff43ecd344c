#!/usr/bin/env node
// The first file of the command: plain JavaScript, so that a Node which is too old gets a sentence and not a syntax error.
import { existsSync } from 'node:fs';

if (Number(process.versions.node.split('.')[0]) < 24) {
  process.stderr.write(`Latchkey needs Node.js 24 or newer; this is ${process.version}.\n`);
  process.exit(1);
}
// A clone runs its sources as they are; the published package has only what was built.
const source = new URL('../src/cli/main.ts', import.meta.url);
const { main } = await import(
  existsSync(source) ? source.href : new URL('../dist/cli/main.js', import.meta.url).href
);
process.exitCode = await main(process.argv.slice(2));
