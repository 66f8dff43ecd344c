// Starts the app: PORT, HOST and LATCHKEY_DATABASE say where; it stops in order on SIGINT and SIGTERM.
import { fileURLToPath } from 'node:url';
import { StartError } from 'latchkey';
import { buildApp } from './app.ts';

const { PORT = '8000', HOST = '127.0.0.1', LATCHKEY_URL, LATCHKEY_DATA, LATCHKEY_DATABASE } = process.env;

async function start(): Promise<void> {
  const app = await buildApp({
    url: LATCHKEY_URL ?? `http://${HOST.includes(':') ? `[${HOST}]` : HOST}:${PORT}`,
    data: LATCHKEY_DATA ?? fileURLToPath(new URL('./data', import.meta.url)),
    database: LATCHKEY_DATABASE,
  });
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => app.close());
  try {
    const address = await app.listen({ host: HOST, port: Number(PORT) });
    process.stdout.write(`Fresh tokens is up: ${address}, and ${address}/docs to try it\n`);
  } catch (error) {
    await app.close();
    throw error;
  }
}

start().catch((error) => {
  // What the one who starts it can mend is said in a sentence; anything else is a fault and shows its stack.
  const plain = error instanceof StartError || error.code === 'EADDRINUSE';
  process.stderr.write(`${plain ? error.message : error.stack}\n`);
  process.exitCode = 1;
});
