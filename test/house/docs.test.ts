// The pages are true: links lead somewhere, code compiles and runs, commands work, paths and functions exist.
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openHouse } from '../../src/latchkey.ts';
import { buildApp } from '../../src/server/app.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pages = ['*.md', 'docs/**/*.md'].flatMap((pattern) => globSync(pattern, { cwd: root })).sort();
const read = (page: string): string => readFileSync(join(root, page), 'utf8');
const fences = /^```(\w*)\n([\s\S]*?)^```$/gm;

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'latchkey-docs-'));
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** The code blocks of a page in one language. */
function blocks(text: string, language: string): string[] {
  return [...text.matchAll(fences)].filter(([, name]) => name === language).map(([, , code]) => code!);
}

/** The anchors of a page, as GitHub makes them of its headings. */
function anchorsOf(text: string): string[] {
  return [...text.replaceAll(fences, '').matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** The relative links of a page that lead nowhere. */
function brokenLinks(page: string, text: string): string[] {
  const prose = text.replaceAll(fences, '').replaceAll(/`[^`\n]*`/g, '``');
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
  return links.filter((link) => {
    if (/^https?:/.test(link)) return false;
    const [path, anchor] = link.split('#');
    const target = path === '' ? page : join(dirname(page), path!);
    if (!existsSync(join(root, target))) return true;
    return anchor !== undefined && !anchorsOf(target === page ? text : read(target)).includes(anchor);
  });
}

/** The paths in backquotes that are not there; `*` stands for at least one file. */
function missingPaths(text: string): string[] {
  const named = [...text.matchAll(/`((?:src|test|docs|bin|build|\.ci)\/[\w./*-]*|[\w-]+\.(?:json|md))`/g)];
  return named
    .map(([, path]) => path!)
    .filter((path) =>
      path.includes('*') ? globSync(path, { cwd: root }).length === 0 : !existsSync(join(root, path)),
    );
}

/** What a page says is in a file (`name` in `src/file.ts`) and is not. */
function missingNames(text: string): string[] {
  return [...text.matchAll(/`(\w+)`(?: \([^)]*\))?\s(?:in|of)\s`(src\/[\w./-]+\.ts)`/g)]
    .filter(([, name, path]) => !new RegExp(`\\b${name}\\b`).test(read(path!)))
    .map(([said]) => said);
}

test('every relative link leads to a page and to a heading on it', () => {
  assert.ok(pages.includes('README.md') && pages.includes('docs/errors.md'));
  const broken = pages.flatMap((page) => brokenLinks(page, read(page)).map((link) => `${page}: ${link}`));
  assert.deepEqual(broken, []);
});

test('a link to a page or a heading that is not there is found', () => {
  const text =
    '# One\n[a](README.md) [b](gone.md) [c](#one) [d](#two) [e](README.md#the-house) [f](README.md#x)';
  assert.deepEqual(brokenLinks('CHANGELOG.md', text), ['gone.md', '#two', 'README.md#x']);
});

test('every page of docs/ stands in its index', () => {
  const index = read('docs/README.md');
  const listed = pages.filter((page) => page.startsWith('docs/') && page !== 'docs/README.md');
  assert.deepEqual(
    listed.filter((page) => !index.includes(`](${relative('docs', page).replaceAll('\\', '/')})`)),
    [],
  );
});

test('every path and every function that the pages for contributors name is there', () => {
  for (const page of [
    'ARCHITECTURE.md',
    'CONTRIBUTING.md',
    ...pages.filter((path) => /decisions/.test(path)),
  ]) {
    assert.deepEqual([...missingPaths(read(page)), ...missingNames(read(page))], [], page);
  }
  assert.deepEqual(missingPaths('`src/errors.ts` `src/gone.ts` `src/**/*.test.ts` `test/*.none`'), [
    'src/gone.ts',
    'test/*.none',
  ]);
  assert.deepEqual(missingNames('`refuse` in `src/errors.ts`, `gone` in\n`src/errors.ts`'), [
    '`gone` in\n`src/errors.ts`',
  ]);
});

test('every block of TypeScript compiles under strict, with declarations', () => {
  const code = pages.flatMap((page) => blocks(read(page), 'ts').map((text) => ({ page, text })));
  assert.ok(code.length > 0);
  const files = code.map(({ page, text }, index) => {
    const name = `${index}-${page.replaceAll(/\W/g, '-')}.ts`;
    // A block without an import or export is a module all the same.
    writeFileSync(join(folder, name), `${text}\nexport {};\n`);
    return name;
  });
  const compilerOptions = {
    ...{
      target: 'es2024',
      lib: ['es2024'],
      module: 'nodenext',
      strict: true,
      exactOptionalPropertyTypes: true,
    },
    ...{ declaration: true, noEmit: true, skipLibCheck: true, types: ['node'] },
    ...{ allowImportingTsExtensions: true, typeRoots: [join(root, 'node_modules/@types')] },
    paths: {
      latchkey: [join(root, 'src/index.ts')],
      'latchkey/*': [
        join(root, 'src/doors/*.ts'),
        join(root, 'src/*/index.ts'),
        join(root, 'src/guards/*.ts'),
      ],
    },
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  const tsc = createRequire(import.meta.url).resolve('typescript/package.json');
  const { status, stdout } = spawnSync(
    process.execPath,
    [join(dirname(tsc), 'bin/tsc'), '-p', join(folder, 'tsconfig.json')],
    { encoding: 'utf8' },
  );
  assert.equal(status, 0, stdout);
});

test('the library in README runs and says what its comments promise', async () => {
  const [code] = blocks(read('README.md'), 'ts');
  const work = mkdtempSync(join(folder, 'library-'));
  const file = join(work, 'example.ts');
  writeFileSync(file, code!.replace("'latchkey'", `'${new URL('../../src/index.ts', import.meta.url)}'`));
  const { stdout } = await promisify(execFile)(process.execPath, [file], { cwd: work });
  assert.match(stdout, /^[0-9a-f-]{36} free\nsigned_out\n$/);
});

test('the tests in docs/testing.md pass', async () => {
  const [code] = blocks(read('docs/testing.md'), 'ts');
  const file = join(folder, 'testing.test.ts');
  const door = (path: string): string => `'${new URL(`../../src/${path}`, import.meta.url)}'`;
  const text = code!
    .replace("'latchkey/testing'", door('testing/index.ts'))
    .replace("'latchkey/fastify'", door('guards/fastify.ts'));
  writeFileSync(file, text);
  // Without the mark of this run, or the tests would be told to it and not to us.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, ['--test-reporter=tap', file], { env });
  assert.match(stdout, /^# pass 3$/m);
});

test('the curl lines in README and on the front page give an account, a token and the account again', async (t) => {
  const curls = blocks(read('README.md'), 'sh').find((code) => code.includes('curl'));
  assert.equal(curls?.trim().split('\n').length, 3);
  if (spawnSync('curl', ['--version']).error || spawnSync('bash', ['--version']).error) {
    return t.skip('curl or bash is not here: the lines of README were not run');
  }
  const { house, latchkey } = await openHouse({
    ...{ data: join(folder, 'served'), url: 'http://127.0.0.1:4000', log: 'off' as const, environment: {} },
  });
  const app = await buildApp(house);
  try {
    const address = await app.listen({ host: '127.0.0.1', port: 0 });
    const front = /<pre>(.+)<\/pre>/s.exec(await (await fetch(address)).text())?.[1];
    for (const [lines, name] of [
      [curls!, 'jonathan'],
      [front!.replaceAll('jonathan', 'second'), 'second'],
    ] as const) {
      const script = lines.replaceAll('127.0.0.1:4000', address.replace('http://', ''));
      const { stdout } = await promisify(execFile)('bash', [
        '-euc',
        script.replaceAll('curl ', 'curl -w "\\n" '),
      ]);
      const [signedUp, me] = stdout.trim().split(/\s*\n/);
      assert.equal(JSON.parse(signedUp!).username, name);
      assert.deepEqual(JSON.parse(me!), JSON.parse(signedUp!));
    }
  } finally {
    await app.close();
    await latchkey.close();
  }
});

test('README fits on two screens', () => {
  assert.ok(read('README.md').split('\n').length <= 100);
});
