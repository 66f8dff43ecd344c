// What `npm test` runs: every *.test.ts under src/, test/ and examples/, or those whose path holds one of the given words.
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';

const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const flags = process.argv.slice(2).filter((word) => word.startsWith('--'));
const files = ['src', 'test', 'examples']
  .flatMap((root) => globSync(`${root}/**/*.test.ts`))
  .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
  .sort();
if (files.length === 0) {
  process.stderr.write(`No test file matches ${words.join(', ')}.\n`);
  process.exit(1);
}
const reporter = process.env.CI ? './test/quiet-reporter.mjs' : 'spec';
const run = spawnSync(
  process.execPath,
  [
    '--conditions=source',
    '--test',
    '--test-timeout=120000',
    '--test-concurrency=2',
    `--test-reporter=${reporter}`,
    ...flags,
    ...files,
  ],
  { stdio: 'inherit' },
);
process.exit(run.status ?? 1);
