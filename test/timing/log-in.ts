// Does the time of a refused log-in tell whether the account exists? Interleaved log-ins over a socket, judged by rank (Mann-Whitney U).
// A statistic, so it stands apart from the tests: `npm run test:timing`. Exits with 1 when a kind of name can be told from another.
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openHouse } from '../../src/latchkey.ts';
import { buildApp } from '../../src/server/app.ts';

const rounds = Number(process.argv[2] ?? 250);
const warmUp = 20;
const significant = 0.001;
const greatestShare = 0.12;
const greatestGapMs = 2;
const password = 'correct horse battery';

/** What is tried; the first of each group is what the others are compared with. */
const groups: Readonly<Record<string, { readonly name: () => string; readonly tried: string }>>[] = [
  {
    known: { name: () => 'known', tried: 'not the password' },
    unknown: { name: () => `unknown${Math.floor(Math.random() * 1e9)}`, tried: 'not the password' },
    disabled: { name: () => 'disabled', tried: password },
    'no name at all': { name: () => 'no\u0000name', tried: 'not the password' },
  },
  {
    'known, long': { name: () => 'known', tried: 'x'.repeat(20_000) },
    'unknown, long': { name: () => `unknown${Math.floor(Math.random() * 1e9)}`, tried: 'x'.repeat(20_000) },
  },
];

/** Milliseconds from sending a log-in to the end of its answer. */
function timeOf(port: number, agent: Agent, username: string, tried: string): Promise<number> {
  const body = JSON.stringify({ username, password: tried });
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const asked = request({ port, agent, method: 'POST', path: '/login', headers }, (answer) => {
      if (answer.statusCode !== 401) reject(new Error(`The log-in was answered with ${answer.statusCode}.`));
      answer.resume().on('end', () => resolve(performance.now() - start));
    });
    asked.on('error', reject).end(body);
  });
}

function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map((value) => ({ value, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ value }) => value);
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The two-sided p of the Mann-Whitney U test by its normal approximation; times never tie, so ties are not corrected for. */
function probability(left: readonly number[], right: readonly number[]): number {
  const all = [
    ...left.map((value) => ({ value, own: true })),
    ...right.map((value) => ({ value, own: false })),
  ];
  all.sort((a, b) => a.value - b.value);
  const rankSum = all.reduce((sum, { own }, index) => (own ? sum + index + 1 : sum), 0);
  const [n, m] = [left.length, right.length];
  const u = rankSum - (n * (n + 1)) / 2;
  const z = Math.abs(u - (n * m) / 2) / Math.sqrt((n * m * (n + m + 1)) / 12);
  return 2 * upperTail(z);
}

/** Of the standard normal distribution (Abramowitz and Stegun 26.2.17). */
function upperTail(z: number): number {
  const t = 1 / (1 + 0.2316419 * z);
  const series = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429];
  const sum = series.reduce((total, factor, index) => total + factor * t ** (index + 1), 0);
  return (Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI)) * sum;
}

async function measure(port: number): Promise<Map<string, number[]>> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times = new Map<string, number[]>();
  for (let round = 0; round < warmUp + rounds; round += 1) {
    for (const [kind, { name, tried }] of shuffled(groups.flatMap((group) => Object.entries(group)))) {
      const took = await timeOf(port, agent, name(), tried);
      if (round >= warmUp) times.set(kind, [...(times.get(kind) ?? []), took]);
    }
  }
  agent.destroy();
  return times;
}

/** Print how each kind compares with the first of its group; tells whether one can be told from it. */
function judge(times: Map<string, number[]>): boolean {
  let told = false;
  for (const [first, ...others] of groups.map((group) => Object.keys(group))) {
    const base = times.get(first!)!;
    process.stdout.write(`${first}: median ${median(base).toFixed(2)} ms of ${base.length}\n`);
    for (const kind of others) {
      const sample = times.get(kind)!;
      const gap = Math.abs(median(sample) - median(base));
      const p = probability(base, sample);
      const bad = p < significant && gap > greatestGapMs && gap > greatestShare * median(base);
      told ||= bad;
      const figures = `median ${median(sample).toFixed(2)} ms, gap ${gap.toFixed(2)} ms, p ${p.toPrecision(2)}`;
      process.stdout.write(`  ${kind}: ${figures}${bad ? '  CAN BE TOLD' : ''}\n`);
    }
  }
  return told;
}

const folder = mkdtempSync(join(tmpdir(), 'latchkey-timing-'));
const { house, latchkey } = await openHouse({
  data: folder,
  environment: {},
  log: 'off',
  limits: false,
  url: 'http://127.0.0.1:4000',
});
const app = await buildApp(house);
try {
  await latchkey.users.add({ username: 'known', password });
  await latchkey.users.add({ username: 'disabled', password }, { disabled: true });
  await app.listen({ host: '127.0.0.1', port: 0 });
  process.exitCode = judge(await measure((app.server.address() as AddressInfo).port)) ? 1 : 0;
} finally {
  await app.close();
  await latchkey.close();
  rmSync(folder, { recursive: true, force: true });
}
