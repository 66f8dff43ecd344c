// Which test file holds which numbered statement of docs/threats.md: read from the names of the tests, written into the table.
// Run as a program it rewrites the page; the numbers in a name count up to its first colon (`threat 70, threat 69: …`).
import { globSync, readFileSync, writeFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url);
const pageFile = new URL('docs/threats.md', root);

/** What the page says of one statement. */
export interface Row {
  readonly number: number;
  readonly phrase: string;
  readonly files: string;
  /** Which later work brings it or the rest of it; empty where all of it is of today. */
  readonly later: string;
}

const rowShape = /^\| (\d+) \|([^|]*)\|([^|]*)\|([^|]*)\|$/gm;
const none = 'no test yet';

/** The page as it lies on the disk. */
export function readPage(): string {
  return readFileSync(pageFile, 'utf8');
}

/** The rows of a page. */
export function rowsOf(page: string): Row[] {
  return [...page.matchAll(rowShape)].map(([, number, phrase, files, later]) => ({
    number: Number(number),
    phrase: phrase!.trim(),
    files: files!.trim(),
    later: later!.trim(),
  }));
}

/** The numbers that the names of a file's tests claim. */
export function threatsIn(source: string): number[] {
  const names = [...source.matchAll(/(?:test|it|suite|describe)(?:\.\w+)?\(\s*(['"`])threat (.+?)\1/gs)];
  const numbers = names.flatMap(([, , name]) => name!.split(':', 1)[0]!.match(/\d+/g) ?? []);
  return [...new Set(numbers.map(Number))];
}

/** Every claimed number with the files that claim it, paths from the root of the repository. */
export function testsByThreat(): Map<number, string[]> {
  const found = new Map<number, string[]>();
  const files = globSync(['src/**/*.test.ts', 'test/**/*.test.ts'], { cwd: root.pathname })
    .map((path) => path.replaceAll('\\', '/'))
    // The test of this file has names in it that are only examples.
    .filter((path) => path !== 'test/house/threats-docs.test.ts');
  for (const file of files.sort()) {
    for (const number of threatsIn(readFileSync(new URL(file, root), 'utf8'))) {
      found.set(number, [...(found.get(number) ?? []), file]);
    }
  }
  return found;
}

/** The page with its column of files as the tests have it. */
export function withFiles(page: string, tests: ReadonlyMap<number, readonly string[]>): string {
  return page.replaceAll(rowShape, (_, number: string, phrase: string, __, later: string) => {
    const files = (tests.get(Number(number)) ?? []).map(linkTo).join(', ');
    const cell = files === '' && later.trim() === '' ? none : files;
    return `| ${number} |${phrase}|${cell === '' ? ' ' : ` ${cell} `}|${later}|`;
  });
}

function linkTo(file: string): string {
  return `[${file.replace(/\.test\.ts$/, '')}](../${file})`;
}

function rewrite(): void {
  const page = withFiles(readPage(), testsByThreat());
  writeFileSync(pageFile, page);
  const rows = rowsOf(page);
  const open = rows.filter(({ files }) => files === none).map(({ number }) => number);
  const tested = rows.filter(({ files }) => files.startsWith('[')).length;
  process.stdout.write(`${tested} of ${rows.length} statements have a test. Of today's, without one: `);
  process.stdout.write(`${open.length === 0 ? 'none' : open.join(', ')}.\n`);
}

if (import.meta.main) rewrite();
