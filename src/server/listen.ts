// From a house to a server that listens, and back: on a signal it takes no new requests, finishes what it has, and lets go.
import type { FastifyInstance } from 'fastify';
import { StartError } from '../errors.ts';
import type { OpenHouse } from '../latchkey.ts';
import { buildApp } from './app.ts';

/** A server that listens. */
export interface Listening {
  /** Where it listens: `http://127.0.0.1:4000`. */
  readonly address: string;
  /** Stop listening, finish what was begun, let go of the house. At most ten seconds. */
  stop(): Promise<void>;
}

const stopWithin = 10_000;

/** Listen as the settings say. Throws `StartError` when the port is not to be had. */
export async function listen({ house, latchkey }: OpenHouse): Promise<Listening> {
  const { host, port } = house.settings;
  const app = await buildApp(house);
  let address: string;
  try {
    address = await quietly(app, () => app.listen({ host, port }));
  } catch (error) {
    await app.close();
    await latchkey.close();
    throw cannotListen(error as NodeJS.ErrnoException, host, port);
  }
  let stopping: Promise<void> | undefined;
  async function stop(): Promise<void> {
    const late = setTimeout(() => app.server.closeAllConnections(), stopWithin - 1_000);
    await app.close();
    clearTimeout(late);
    await latchkey.close();
  }
  return { address, stop: () => (stopping ??= stop()) };
}

/** Without the framework's own line about where it listens: whoever starts the server says that, once and readably. */
async function quietly<T>(app: FastifyInstance, work: () => Promise<T>): Promise<T> {
  const { level } = app.log;
  if (level === 'info' || level === 'debug') app.log.level = 'error';
  try {
    return await work();
  } finally {
    app.log.level = level;
  }
}

function cannotListen(error: NodeJS.ErrnoException, host: string, port: number): StartError {
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: `PORT ${port} on ${host} is taken by another program. Set PORT to a free one, for example PORT=${port + 1}.`,
    EACCES: `PORT ${port} is not open to this user. Set PORT to one above 1023, for example PORT=4000.`,
    EADDRNOTAVAIL: `HOST ${host} is not an address of this machine. Set HOST=127.0.0.1, or HOST=0.0.0.0 for all of them.`,
    ENOTFOUND: `HOST ${host} is not an address of this machine. Set HOST=127.0.0.1, or HOST=0.0.0.0 for all of them.`,
  };
  return new StartError(
    why[error.code ?? ''] ?? `The server cannot listen on ${host}:${port}: ${error.message}.`,
    {
      cause: error,
    },
  );
}
