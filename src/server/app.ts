// The HTTP server: one Fastify with its rooms. Reads strictly, answers every fault in one form, and says nothing of itself that nobody asked.
import helmet from '@fastify/helmet';
import Fastify, { type FastifyInstance, type FastifyRequest, LogController } from 'fastify';
import { refuse } from '../errors.ts';
import type { House } from '../flows/house.ts';
import { randomText } from '../secrets.ts';
import { answerBrokenRequest, watchFraming } from './framing.ts';
import { rememberMethods } from './methods.ts';
import { collectOpenApi, showOpenApi } from './openapi.ts';
import { watchOrigins } from './origins.ts';
import { answerErrors, sendRefusal } from './refusals.ts';
import { administrationRoutes } from './routes/administration.ts';
import { discoveryRoutes } from './routes/discovery.ts';
import { frontRoutes } from './routes/front.ts';
import { oauthRoutes } from './routes/oauth.ts';
import { ownAccountRoutes } from './routes/own-account.ts';
import { probeRoutes } from './routes/probes.ts';
import { signInRoutes } from './routes/sign-in.ts';
import { readFormBodies, readJsonBodies, readShapes, type ShapedApp } from './shapes.ts';

const bodyAtMost = 64 * 1024;
const headersAtMost = 16 * 1024;
const headersWithin = 10_000;
const requestWithin = 30_000;
const silentAtMost = 60_000;

/** Build the server of a house; it listens to nothing yet. */
export async function buildApp(house: House): Promise<FastifyInstance> {
  const { settings } = house;
  const app = Fastify({
    logger: loggerOf(settings.log),
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
      return sendRefusal(request, reply as never, refuse('malformed_request'));
    },
  }).withTypeProvider() as unknown as ShapedApp;

  answerErrors(app as unknown as FastifyInstance);
  readShapes(app as unknown as FastifyInstance);
  logRequests(app as unknown as FastifyInstance);
  const methodsOf = rememberMethods(app as unknown as FastifyInstance);
  await app.register(helmet, {
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"], baseUri: ["'none'"] },
    },
    referrerPolicy: { policy: 'no-referrer' },
    strictTransportSecurity: settings.url.startsWith('https:') ? { maxAge: 31_536_000 } : false,
    frameguard: { action: 'deny' },
    global: true,
  });
  watchFraming(app as unknown as FastifyInstance);
  await watchOrigins(app as unknown as FastifyInstance, settings);
  await collectOpenApi(app as unknown as FastifyInstance, settings);

  await app.register(async (json: ShapedApp) => {
    readJsonBodies(json as unknown as FastifyInstance);
    // Whatever is answered here is about one caller.
    json.addHook('onRequest', async (_, reply) => void reply.header('Cache-Control', 'no-store'));
    signInRoutes(json, house);
    ownAccountRoutes(json, house);
    await json.register(async (admin: ShapedApp) => administrationRoutes(admin, house));
  });
  await app.register(async (forms: ShapedApp) => {
    readFormBodies(forms as unknown as FastifyInstance);
    oauthRoutes(forms, house);
  });
  await app.register(async (open: ShapedApp) => {
    open.removeAllContentTypeParsers();
    discoveryRoutes(open, house);
    probeRoutes(open, house);
    frontRoutes(open, house);
  });
  await app.register(async (pages) => showOpenApi(pages as unknown as FastifyInstance, settings));

  app.setNotFoundHandler((request, reply) => {
    const allowed = methodsOf(request.url);
    if (allowed.length > 0 && !allowed.includes(request.method)) {
      reply.header('Allow', allowed.join(', '));
      return sendRefusal(request, reply as never, refuse('method_not_allowed'));
    }
    return sendRefusal(request, reply as never, refuse('not_found'));
  });
  return app as unknown as FastifyInstance;
}

function loggerOf(level: House['settings']['log']): object | boolean {
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
