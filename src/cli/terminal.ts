// What a command has around it: streams, environment, folder, time. Passed in, so that a test can run many commands in one process.
import { type Clock, systemClock } from '../clock.ts';
import type { Environment } from '../settings.ts';

/** Where a command reads from. */
export type Input = AsyncIterable<Buffer | string> & {
  readonly isTTY?: boolean | undefined;
  setRawMode?(raw: boolean): unknown;
  on?(event: 'data', listener: (chunk: Buffer | string) => void): unknown;
  off?(event: 'data', listener: (chunk: Buffer | string) => void): unknown;
  resume?(): unknown;
  pause?(): unknown;
};

/** Where a command writes to. */
export interface Output {
  write(text: string): unknown;
}

/** Everything around a command. */
export interface Terminal {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Environment;
  /** The working folder. */
  readonly folder: string;
  readonly clock: Clock;
  /** Resolves with its name when the process is told to stop. */
  stopSignal(): Promise<string>;
}

/** The terminal of this process. */
export function processTerminal(): Terminal {
  // `latchkey users list | head`: whoever reads has had enough, and what was begun is finished all the same.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  return {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    environment: process.env,
    folder: process.cwd(),
    clock: systemClock,
    stopSignal: () =>
      new Promise((resolve) => {
        for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => resolve(name));
      }),
  };
}
