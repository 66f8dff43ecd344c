// The HTTP server: one Fastify with its rooms. Reads strictly, answers every fault in one form, and says nothing of itself that nobody asked.
import helmet, { type FastifyHelmetOptions } from '@fastify/helmet';
import Fastify, {
  type FastifyHttpOptions,
  type FastifyInstance,
  type FastifyRequest,
  LogController,
  type RawServerDefault,
} from 'fastify';
import { refuse } from '../errors.ts';
import type { House } from '../flows/house.ts';
import { randomText } from '../secrets.ts';
import type { Settings } from '../settings.ts';
import { showOpenApi } from './api-pages.ts';
import { answerBrokenRequest, watchFraming } from './framing.ts';
import { answerMissing, rememberMethods } from './methods.ts';
import { mountApi } from './mount.ts';
import { collectOpenApi } from './openapi.ts';
import { watchOrigins } from './origins.ts';
import { answerErrors, sendRefusal } from './refusals.ts';
import { frontRoutes } from './routes/front.ts';
import { probeRoutes } from './routes/probes.ts';
import { readShapes } from './shapes.ts';

const bodyAtMost = 64 * 1024;
const headersAtMost = 16 * 1024;
const headersWithin = 10_000;
const requestWithin = 30_000;
const silentAtMost = 60_000;

/** Build the server of a house; it listens to nothing yet. */
export async function buildApp(house: House): Promise<FastifyInstance> {
  const { settings } = house;
  const app: FastifyInstance = Fastify(serverOptions(settings));
  answerErrors(app);
  readShapes(app);
  logRequests(app);
  const methodsOf = rememberMethods(app);
  await app.register(helmet, securityHeaders(settings));
  watchFraming(app);
  await watchOrigins(app, settings);
  await collectOpenApi(app, settings);
  await mountApi(app, house);
  await mountPages(app, house);
  answerMissing(app, methodsOf);
  return app;
}

async function mountPages(app: FastifyInstance, house: House): Promise<void> {
  await app.register(async (open) => {
    open.removeAllContentTypeParsers();
    probeRoutes(open, house);
    frontRoutes(open, house);
  });
  await app.register(async (pages) => showOpenApi(pages, house.settings));
}

function serverOptions({ log }: Settings): FastifyHttpOptions<RawServerDefault> {
  return {
    logger: loggerOf(log),
    // One line of ours for each request, in the place of two.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomText(9),
    bodyLimit: bodyAtMost,
    requestTimeout: requestWithin,
    // Whoever does not read the answer does not keep the connection either.
    connectionTimeout: silentAtMost,
    http: {
      maxHeaderSize: headersAtMost,
      headersTimeout: headersWithin,
      connectionsCheckingInterval: 2_000,
      // Node's own answer to a missing Host is bare; ours says why.
      requireHostHeader: false,
    },
    // Forwarded headers are what a client says they are.
    trustProxy: false,
    // A request id that a client brings along would be a line of its own in our log.
    requestIdHeader: false,
    return503OnClosing: true,
    forceCloseConnections: 'idle',
    clientErrorHandler: answerBrokenRequest,
    // An address that cannot be read never gets to the hooks that set the headers of every other answer.
    frameworkErrors: (_, request, reply) => {
      reply.header('X-Content-Type-Options', 'nosniff').header('X-Request-Id', request.id);
      return sendRefusal(request, reply, refuse('malformed_request'));
    },
  };
}

function securityHeaders({ url }: Settings): FastifyHelmetOptions {
  return {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"], baseUri: ["'none'"] },
    },
    referrerPolicy: { policy: 'no-referrer' },
    strictTransportSecurity: url.startsWith('https:') ? { maxAge: 31_536_000 } : false,
    frameguard: { action: 'deny' },
    global: true,
  };
}

function loggerOf(level: Settings['log']): NonNullable<FastifyHttpOptions<RawServerDefault>['logger']> {
  if (level === 'off') return false;
  return {
    level,
    serializers: {
      // The path without its query: a token in an address must not reach the log.
      req: (request: FastifyRequest) => ({ method: request.method, path: pathOf(request.url) }),
      res: (reply: { statusCode: number }) => ({ status: reply.statusCode }),
    },
  };
}

function pathOf(url: string): string {
  return url.split(/[?#]/, 1)[0] ?? '';
}

/** One line for each request. */
function logRequests(app: FastifyInstance): void {
  app.addHook('onResponse', async (request, reply) => {
    const took = Math.round(reply.elapsedTime * 10) / 10;
    request.log.info(
      { method: request.method, path: pathOf(request.url), status: reply.statusCode, ms: took },
      'request',
    );
  });
  app.addHook('onRequest', async (request, reply) => {
    reply.header('X-Request-Id', request.id);
  });
}
