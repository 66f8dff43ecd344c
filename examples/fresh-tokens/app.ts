// Access, refresh and fresh tokens: the whole app. Everything about accounts and tokens is Latchkey's; this file says which route wants
// which token, and what the answers look like.
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyRequest } from 'fastify';
import {
  isLatchkeyError,
  type LatchkeyError,
  type LatchkeyOptions,
  latchkey,
  refuse,
  type Tokens,
  type User,
} from 'latchkey';
import { guard, sendRefusal } from 'latchkey/fastify';

/** The app on a Latchkey of its own, which closes with it. Throws `StartError` with everything that is wrong. */
export async function buildApp(options: LatchkeyOptions): Promise<FastifyInstance> {
  const auth = await latchkey(options);
  const { required, fresh, refresh } = guard(auth, { refusal });

  // A number is no name: nothing in a body is turned into something else.
  const app: FastifyInstance = Fastify({
    logger: { level: 'error' },
    ajv: { customOptions: { coerceTypes: false, allErrors: true } },
  });
  app.addHook('onClose', () => auth.close());
  answerErrors(app);
  await showDocs(app);

  app.get('/', async () => ({ message: 'Hello' }));

  app.post<{ Body: SignUp }>('/signup', { schema: { body: signUpBody } }, async (request, reply) => {
    const { username, email, password } = request.body;
    const user = await auth.signUp({ username, email, password }, deviceOf(request));
    return reply.code(201).header('cache-control', 'no-store').send(userAnswer(user));
  });

  app.get<{ Querystring: { after?: string } }>(
    '/users',
    { schema: { querystring: afterUser } },
    async (request) => (await auth.users.list({ limit: 100, ...request.query })).map(userAnswer),
  );

  const logIn = ({ username: name, password }: LogIn, request: FastifyRequest): Promise<Tokens> =>
    auth.logIn({ name, password }, { device: deviceOf(request) });

  app.post<{ Body: LogIn }>('/login', { schema: { body: logInBody } }, async (request, reply) => {
    reply.header('cache-control', 'no-store');
    return tokensAnswer(await logIn(request.body, request));
  });

  app.post<{ Body: LogIn }>('/fresh_login', { schema: { body: logInBody } }, async (request, reply) => {
    const { access_token, ...rest } = tokensAnswer(await logIn(request.body, request));
    reply.header('cache-control', 'no-store');
    return { fresh_token: access_token, ...rest };
  });

  app.get(
    '/protected',
    required((who) => ({ current_user: who.username })),
  );

  app.get(
    '/fresh_url',
    fresh((who) => ({ current_user: who.username })),
  );

  // A GET that spends something: no HEAD may do it in passing, no browser ahead of time, no page of another site.
  app.get(
    '/new_token',
    refresh({ exposeHeadRoute: false, onRequest: refuseForeign }, async (who, _, reply) => {
      reply.header('vary', 'Authorization');
      return tokensAnswer(await auth.refresh(who.token));
    }),
  );
  app.head('/new_token', { schema: { hide: true } }, async (_, reply) =>
    reply.code(405).header('allow', 'GET').send(),
  );

  return app;
}

interface LogIn {
  readonly username: string;
  readonly password: string;
}

interface SignUp extends LogIn {
  readonly email: string;
}

const text = { type: 'string' };

const signUpBody = {
  type: 'object',
  required: ['username', 'email', 'password'],
  properties: { username: text, email: text, password: text },
  examples: [{ username: 'jonathan', email: 'jonathan@example.com', password: 'a rather long password' }],
};

const logInBody = {
  type: 'object',
  required: ['username', 'password'],
  properties: { username: text, password: text },
  examples: [{ username: 'jonathan', password: 'a rather long password' }],
};

/** A hundred users a page; the next page is behind the last one's id. */
const afterUser = { type: 'object', properties: { after: { type: 'string', format: 'uuid' } } };

function userAnswer({ id, username, email, createdAt }: User) {
  return { id, username, email, created_at: createdAt };
}

function tokensAnswer({ accessToken, refreshToken, expiresIn }: Tokens) {
  return {
    access_token: accessToken,
    refresh_token: refreshToken,
    token_type: 'bearer',
    expires_in: expiresIn,
  };
}

function deviceOf({ headers, ip }: FastifyRequest) {
  return { userAgent: headers['user-agent'], address: ip };
}

async function refuseForeign({ headers }: FastifyRequest): Promise<void> {
  if (headers['sec-fetch-site'] === 'cross-site' || headers['sec-purpose'] !== undefined)
    throw refuse('cross_site');
}

/** What a refusal looks like here; status and challenge stay Latchkey's. `code` tells a client more than the sentence does. */
function refusal({ code, status, message, extra: { errors } }: LatchkeyError) {
  const invalid = code === 'invalid_credentials' ? 'Invalid username or password' : 'Invalid token';
  return { body: { detail: status === 401 ? invalid : message, code, errors } };
}

function answerErrors(app: FastifyInstance): void {
  app.setNotFoundHandler((_, reply) => reply.code(404).send({ detail: 'Not found' }));
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    if (isLatchkeyError(error)) return sendRefusal(reply, error, { refusal });
    if (error.validation !== undefined) {
      const errors = error.validation.map(({ instancePath, params, message }) => ({
        field: (params.missingProperty as string) ?? (instancePath.slice(1) || error.validationContext),
        detail: message,
      }));
      return reply.code(422).send({ detail: 'Some fields are missing or wrong.', errors });
    }
    const { statusCode: status = 500, message } = error;
    if (status < 500) return reply.code(status).send({ detail: message });
    request.log.error(error);
    return reply.code(500).send({ detail: 'Internal error' });
  });
}

/** The page at /docs: each closed route has its lock there, put on by the guard. */
async function showDocs(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      info: { title: 'Fresh tokens', version: '1.0.0' },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
    },
  });
  await app.register(swaggerUi, { routePrefix: '/docs', staticCSP: true });
}
