// Runs the command in this process, with streams and environment of its own, so that a test can afford many of them.
import { Readable } from 'node:stream';
import { main } from '../../src/cli/main.ts';
import type { Input } from '../../src/cli/terminal.ts';
import { type Clock, systemClock } from '../../src/clock.ts';

/** What is around a command. */
export interface Around {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly folder?: string;
  /** What comes on standard input. */
  readonly input?: string | Buffer;
  /** What a person types, answer by answer; then standard input is a terminal. */
  readonly typed?: readonly string[];
  readonly clock?: Clock;
  readonly stopSignal?: () => Promise<string>;
}

/** A document whose members a test knows: each is looked at by an assertion. */
// biome-ignore lint/suspicious/noExplicitAny: a test asserts on each member it reads
export type Json = any;

/** What came of it. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Standard output as the JSON document that it is with `--json`. */
  readonly json: () => Json;
}

/** Run it. */
export async function runCommand(argv: readonly string[], around: Around): Promise<Ran> {
  let [stdout, stderr] = ['', ''];
  const code = await main(argv, {
    stdin: around.typed === undefined ? inputOf(around.input ?? '') : typing(around.typed),
    stdout: {
      write: (text) => {
        stdout += text;
      },
    },
    stderr: {
      write: (text) => {
        stderr += text;
      },
    },
    environment: around.environment,
    folder: around.folder ?? process.cwd(),
    clock: around.clock ?? systemClock,
    stopSignal: around.stopSignal ?? (() => Promise.reject(new Error('This test starts no server.'))),
  });
  return { code, stdout, stderr, json: () => JSON.parse(stdout) };
}

function inputOf(input: string | Buffer): Input {
  return Readable.from(input.length === 0 ? [] : [Buffer.from(input)]) as unknown as Input;
}

/** A terminal at which somebody answers each question as it comes. */
function typing(answers: readonly string[]): Input {
  const left = [...answers];
  return {
    isTTY: true,
    setRawMode: () => {},
    on(_: 'data', listener: (chunk: Buffer | string) => void) {
      const answer = left.shift();
      if (answer === undefined) throw new Error('The command asked for more than this test answers.');
      setImmediate(() => listener(answer));
    },
    off: () => {},
    resume: () => {},
    pause: () => {},
    async *[Symbol.asyncIterator]() {},
  };
}
