// Starts the app with what the environment says, and stops it in order: no new requests, then those under way, then the database.
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { StartError } from 'latchkey';
import { buildApp } from './app.ts';

const { PORT, TOKEN_TTL, LATCHKEY_DATA, LATCHKEY_URL } = process.env;

try {
  const { app, settings, close } = await buildApp({
    port: Number(PORT || 5000),
    // The name in each token, not where it listens: so a token outlives a change of the port.
    url: LATCHKEY_URL || 'http://127.0.0.1:5000',
    // The database too, unless LATCHKEY_DATABASE names a file.
    data: LATCHKEY_DATA || fileURLToPath(new URL('./data/', import.meta.url)),
    accessTtl: TOKEN_TTL || '30m',
  });
  const server = app.listen(settings.port, settings.host);
  try {
    await once(server, 'listening');
  } catch (error) {
    await close();
    throw error;
  }
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : settings.port;
  console.log(`query-token listens on http://${settings.host}:${port}`);

  let stopping = false;
  const stop = async (): Promise<void> => {
    // A terminal sends the signal twice: to npm, which hands it on, and to this process.
    if (stopping) return;
    stopping = true;
    setTimeout(() => server.closeAllConnections(), 5_000).unref();
    server.close();
    await once(server, 'close');
    await close();
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
} catch (error) {
  const isTold = error instanceof StartError || (error instanceof Error && 'code' in error);
  if (!isTold) throw error;
  const inOurWords = error.message
    .replaceAll('The option `accessTtl`', 'TOKEN_TTL')
    .replaceAll("`accessTtl: '15m'`", 'TOKEN_TTL=15m');
  console.error(inOurWords);
  process.exitCode = 1;
}
