// Routes of Fastify 5. The same word that closes a route puts the lock, and the answers 401 and 403, on
// its entry in an OpenAPI document.
import type {
  FastifyReply,
  FastifyRequest,
  FastifySchema,
  RouteGenericInterface,
  RouteShorthandOptions,
  RouteShorthandOptionsWithHandler,
} from 'fastify';
import { answerTo, privateHeaders } from './answer.ts';
import { authorizationHeaders } from './authorization.ts';
import type { Authority, GuardOptions, Verb } from './guard.ts';
import { queryOf } from './node.ts';
import { type Guard, type WordKind, wordsOf } from './words.ts';

export type { Authority, Caller, GuardOptions, RefreshCaller, RefusalShape, TokenPlace } from './guard.ts';
export type { Guard, Within, Word, WordKind } from './words.ts';

/** A handler of Fastify that knows who asks. */
export type FastifyHandler<Who, Route extends RouteGenericInterface = RouteGenericInterface> = (
  who: Who,
  request: FastifyRequest<Route>,
  reply: FastifyReply,
) => unknown;

/** The options of a route, its schema with what OpenAPI plugins read of it. */
export type FastifyRouteOptions = Omit<RouteShorthandOptions, 'schema'> & {
  readonly schema?: FastifySchema & Record<string, unknown>;
};

/** What closes a route of Fastify: its handler, alone or after the options of the route. */
export interface FastifyWord<Who> {
  <Route extends RouteGenericInterface = RouteGenericInterface>(
    handler: FastifyHandler<Who, Route>,
  ): RouteShorthandOptionsWithHandler;
  <Route extends RouteGenericInterface = RouteGenericInterface>(
    options: FastifyRouteOptions,
    handler: FastifyHandler<Who, Route>,
  ): RouteShorthandOptionsWithHandler;
}

/** The word for Fastify. */
export interface FastifyWords extends WordKind {
  readonly word: FastifyWord<this['who']>;
}

/** What only Fastify knows of a guard. */
export interface FastifyGuardOptions extends GuardOptions {
  /** The name of the security scheme in the OpenAPI document. Default: `bearer`. */
  readonly scheme?: string;
}

/** Close routes of Fastify: `app.get('/me', required((who) => ({ … })))`. */
export function guard<User>(
  authority: Authority<User>,
  options: FastifyGuardOptions = {},
): Guard<FastifyWords, User> {
  const { scheme = 'bearer' } = options;
  return wordsOf<FastifyWords, User>(authority, options, (verb) => fastifyWord(verb, scheme));
}

/**
 * Answer a request with a refusal that a handler threw, as the guard answers its own: `refusal` bends it. For an error handler, after
 * `isLatchkeyError(error)`; any other error is thrown on.
 */
export function sendRefusal(
  reply: FastifyReply,
  error: unknown,
  options: Pick<GuardOptions, 'refusal'> = {},
): FastifyReply {
  const { status, headers, body } = answerTo(error, options, reply.request.id);
  return reply.code(status).headers(headers).serializer(String).send(body);
}

function fastifyWord<Who>(verb: Verb<Who>, scheme: string) {
  return (
    ...given: [FastifyHandler<Who>] | [FastifyRouteOptions, FastifyHandler<Who>]
  ): RouteShorthandOptionsWithHandler => {
    const [options, handler] = given.length === 1 ? [{}, given[0]] : given;
    const callers = new WeakMap<FastifyRequest, { readonly who: Who }>();
    // Before the body is read, unless the token stands in it: a stranger's body is not worth reading.
    const when = verb.options.from?.includes('body') ? 'preHandler' : 'onRequest';
    const letIn = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
      try {
        callers.set(request, { who: verb.judge(presentedBy(request)) });
      } catch (error) {
        return sendRefusal(reply, error, verb.options);
      }
      reply.headers(privateHeaders(verb.options));
      return undefined;
    };
    return {
      ...options,
      schema: locked(options.schema, verb, scheme),
      [when]: [letIn, ...[options[when] ?? []].flat()],
      // In the map always: the route's own hook put it there, or answered.
      handler: (request, reply) => handler(callers.get(request)!.who, request, reply) as never,
    };
  };
}

function presentedBy(request: FastifyRequest) {
  const authorization = authorizationHeaders(request.raw.rawHeaders);
  return { authorization, query: queryOf(request.raw.url ?? ''), body: request.body };
}

/** The schema of a route with its lock. Fastify itself passes over what it does not know; OpenAPI plugins read it. */
function locked(
  schema: Record<string, unknown> = {},
  verb: Verb<unknown>,
  scheme: string,
): Record<string, unknown> {
  const lock = [{ [scheme]: [...verb.scopes] }];
  return {
    ...schema,
    security: schema.security ?? (verb.name === 'optional' ? [...lock, {}] : lock),
    response: {
      401: refused('The token is missing or not good.'),
      ...(verb.name === 'scope' && { 403: refused('The token does not carry the scope.') }),
      ...(schema.response as Record<string, unknown> | undefined),
    },
  };
}

/** By media type, so that Fastify writes no other answer of that status by it: errors of the app would come out empty. */
function refused(description: string) {
  const schema = { type: 'object', additionalProperties: true };
  return { description, content: { 'application/problem+json': { schema } } };
}
