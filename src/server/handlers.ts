// The log-in routes for those who have no Fastify: as a listener of node:http, which Express takes too, and as a Fetch handler.
// Behind each is a Fastify of its own that listens to nothing.
import type { IncomingMessage, ServerResponse } from 'node:http';
import Fastify, { type FastifyInstance, type FastifyPluginAsync } from 'fastify';
import { refuse } from '../errors.ts';
import type { Latchkey } from '../library.ts';
import { answerMissing, rememberMethods } from './methods.ts';
import { routes } from './mount.ts';
import { sendRefusal } from './refusals.ts';

const bodyAtMost = 64 * 1024;

/** How the routes are mounted. */
export interface HandlerOptions {
  /** What stands before every path, such as `/auth`. Express takes it off by itself: there it is left out. */
  readonly prefix?: string;
}

/** How the routes are mounted where there is only a Fetch `Request`. */
export interface FetchHandlerOptions extends HandlerOptions {
  /** The peer's address, for the list of devices; a `Request` does not say it. */
  readonly address?: (request: Request) => string | undefined;
}

/**
 * The log-in routes as a listener of node:http. In Express: `app.use('/auth', handler(auth))`, before anything that reads bodies.
 * `auth` is closed by whoever opened it.
 */
export function handler<Profile>(
  auth: Latchkey<Profile>,
  { prefix = '' }: HandlerOptions = {},
): (request: IncomingMessage, response: ServerResponse, next?: (error: Error) => void) => void {
  const inner = innerApp(routes(auth), prefix);
  return (request, response, next = () => response.writeHead(500).end()) => {
    // There is nothing left to wait for, and whoever waits all the same would wait for ever.
    if (request.readableEnded && announcesBody(request))
      return void next(
        new Error('The body was read before the log-in routes saw it: mount them before body parsers.'),
      );
    inner.then(
      ({ app }) => app.routing(request, response),
      (error) => response.destroy(error),
    );
  };
}

/** The log-in routes as a Fetch handler: `app.all('/auth/*', (context) => routes(context.req.raw))` in Hono, with the prefix `/auth`. */
export function fetchHandler<Profile>(
  auth: Latchkey<Profile>,
  { prefix = '', address = () => undefined }: FetchHandlerOptions = {},
): (request: Request) => Promise<Response> {
  const inner = innerApp(routes(auth), prefix);
  return async (request) => {
    const { app } = await inner;
    const { pathname, search } = new URL(request.url);
    const payload = await readUpTo(request.body, bodyAtMost + 1);
    const headers = Object.fromEntries(request.headers);
    // Told of the bytes that are handed on, which may be fewer.
    delete headers['content-length'];
    const answer = await app.inject({
      method: request.method as 'GET',
      url: `${pathname}${search}`,
      headers,
      remoteAddress: address(request) ?? 'unknown',
      ...(payload !== null && { payload }),
    });
    const hasBody = answer.statusCode !== 204 && request.method !== 'HEAD';
    return new Response(hasBody ? new Uint8Array(answer.rawPayload) : null, {
      status: answer.statusCode,
      headers: Object.entries(answer.headers).flatMap(([name, value]): [string, string][] =>
        value === undefined || name === 'transfer-encoding' ? [] : [[name, String(value)]],
      ),
    });
  };
}

function announcesBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** In an object of its own: an app is a promise of itself, which `await` would take apart. */
async function innerApp(
  mounted: FastifyPluginAsync,
  prefix: string,
): Promise<{ readonly app: FastifyInstance }> {
  const app: FastifyInstance = Fastify({
    bodyLimit: bodyAtMost,
    trustProxy: false,
    // An address that cannot be read never gets to the error handler.
    frameworkErrors: (_, request, reply) => sendRefusal(request, reply, refuse('malformed_request')),
  });
  answerMissing(app, rememberMethods(app));
  await app.register(mounted, { prefix });
  await app.ready();
  return { app };
}

/** A body as far as it may be read, and a byte more where there is more: enough to be refused as too large. */
async function readUpTo(body: ReadableStream<Uint8Array> | null, most: number): Promise<Buffer | null> {
  if (body === null) return null;
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length >= most) break;
  }
  return Buffer.concat(chunks).subarray(0, most);
}
