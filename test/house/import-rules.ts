// The import rule of the house as a function over edges, so that it can be tested with edges that break it.

/** One import: `from` is a file under src/; `to` another one, or the name of what is outside (`node:fs`, `typebox`). */
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

const words = ['tokens', 'passwords', 'accounts', 'sessions', 'revocations'] as const;

/** Which rooms a room may import; itself always, and the ground. Whatever is not named here is no room. */
const below: Readonly<Record<string, readonly string[]>> = {
  ground: [],
  tokens: [],
  passwords: [],
  accounts: [],
  sessions: [],
  revocations: [],
  wire: [],
  store: words,
  // A route translates between wire and flow, so a flow knows no shapes of the wire.
  flows: [...words, 'store'],
  // A guard needs tokens, never the store; a client needs only wire.
  guards: ['tokens', 'revocations'],
  client: ['wire'],
  'library.ts': [...words, 'store', 'flows'],
  'latchkey.ts': [...words, 'store', 'flows', 'guards', 'wire', 'library.ts'],
  server: [...words, 'store', 'flows', 'guards', 'wire', 'library.ts', 'latchkey.ts'],
  cli: [...words, 'store', 'flows', 'guards', 'wire', 'library.ts', 'latchkey.ts', 'server'],
  // Exports only: what outsiders import of more than one room.
  doors: ['guards', 'server'],
  testing: [...words, 'store', 'flows', 'guards', 'wire', 'library.ts', 'latchkey.ts', 'server', 'client'],
  'index.ts': [...words, 'store', 'flows', 'guards', 'wire', 'library.ts', 'latchkey.ts'],
};

/** What from outside a room may import beside Node; a room that is not named here may import any package. */
const packages: Readonly<Record<string, readonly string[]>> = {
  ground: [],
  tokens: [],
  revocations: [],
  sessions: [],
  client: [],
  guards: [],
  wire: ['typebox'],
  accounts: ['typebox'],
};

const namesOfNoRoom = /(?:^|\/)(?:utils?|helpers?|common|types|lib|shared|misc)(?:\/|\.ts$)/;

const roomsOfOneFile = ['library.ts', 'latchkey.ts', 'index.ts'];

/** The room of a file: its folder, or for files directly in src/ itself where it is a room of one file, else the ground. */
function roomOf(file: string): string {
  const [first, ...rest] = file.split('/');
  if (rest.length > 0) return first!;
  return roomsOfOneFile.includes(first!) ? first! : 'ground';
}

/** A sentence for every file name and every import that breaks the rule. */
export function importFaults(files: readonly string[], edges: readonly Edge[]): string[] {
  return [
    ...files
      .filter((file) => namesOfNoRoom.test(file))
      .map((file) => `${file} is named for nothing it holds`),
    ...files.filter((file) => !(roomOf(file) in below)).map((file) => `${file} is in no room of the drawing`),
    ...edges.flatMap((edge) => faultOf(edge, files) ?? []),
    ...databaseFaults(files, edges),
    ...cyclesIn(edges).map((cycle) => `${cycle.join(' -> ')} is a circle`),
  ];
}

function faultOf(edge: Edge, files: readonly string[]): string | null {
  const { from, to } = edge;
  if (/^latchkey(?:\/|$)/.test(to)) return `${from} imports the package by its own name`;
  if (!files.includes(to)) return packageFault(edge);
  if (to === 'index.ts' || to.endsWith('/index.ts')) return `${from} imports ${to}, a door for outsiders`;
  const [here, there] = [roomOf(from), roomOf(to)];
  if (here === there || there === 'ground' || below[here]?.includes(there)) return null;
  return `${from} imports ${to}, which is not below it`;
}

function packageFault({ from, to, typeOnly }: Edge): string | null {
  if (to.startsWith('.')) return `${from} imports ${to}, which is not there`;
  if (to.startsWith('node:')) return null;
  const room = roomOf(from);
  // Adapters name the types of their framework and load nothing of it.
  if (room === 'guards' && typeOnly) return null;
  const name = to
    .split('/')
    .slice(0, to.startsWith('@') ? 2 : 1)
    .join('/');
  return packages[room]?.includes(name) === false ? `${from} imports the package ${name}` : null;
}

function databaseFaults(files: readonly string[], edges: readonly Edge[]): string[] {
  const users = [...new Set(edges.filter(({ to }) => to === 'node:sqlite').map(({ from }) => from))];
  const outside = users.filter((file) => !file.startsWith('store/engines/'));
  const engineExists = files.some((file) => file.startsWith('store/engines/sqlite'));
  return [
    ...outside.map((file) => `${file} imports node:sqlite`),
    ...(users.length > 1 || (engineExists && users.length === 0)
      ? [`node:sqlite is imported in ${users.length} files and not in one`]
      : []),
  ];
}

/** Every file that can reach itself, with the way; type imports count. */
function cyclesIn(edges: readonly Edge[]): string[][] {
  const next = Map.groupBy(edges, ({ from }) => from);
  const done = new Set<string>();
  const cycles: string[][] = [];
  const visit = (file: string, way: readonly string[]): void => {
    const start = way.indexOf(file);
    if (start >= 0) cycles.push([...way.slice(start), file]);
    if (start >= 0 || done.has(file)) return;
    for (const { to } of next.get(file) ?? []) visit(to, [...way, file]);
    done.add(file);
  };
  for (const file of next.keys()) visit(file, []);
  return cycles;
}

/** The imports of a source text: static, dynamic, of types, and what is exported onward. */
export function importsOf(source: string): { to: string; typeOnly: boolean }[] {
  const code = source.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '');
  const patterns = [
    /^\s*(?:import|export)\s+(type\s)?[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/gm,
    /^\s*import\s*()['"]([^'"]+)['"]/gm,
    /\bimport\s*\(\s*()['"]([^'"]+)['"]/g,
    /\b(?:require|getBuiltinModule)\s*\(\s*()['"]([^'"]+)['"]/g,
  ];
  return patterns.flatMap((pattern) =>
    [...code.matchAll(pattern)].map(([, type, to]) => ({ to: to!, typeOnly: Boolean(type) })),
  );
}
