// Routes of plain `node:http`, and handlers of a Fetch `Request` wherever there is one.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerTo } from './answer.ts';
import { type Authorization, authorizationHeaders, readAuthorization } from './authorization.ts';
import type { Authority, GuardOptions, Verb } from './guard.ts';
import { type Guard, type WordKind, wordsOf } from './words.ts';

export type { Authorization } from './authorization.ts';
export type { Authority, Caller, GuardOptions, RefreshCaller, RefusalShape, TokenPlace } from './guard.ts';
export type { Guard, Within, Word, WordKind } from './words.ts';

/** A handler of node:http that knows who asks. A rejection is the app's own fault, and is thrown on. */
export type NodeHandler<Who> = (who: Who, request: IncomingMessage, response: ServerResponse) => unknown;

/** The word for node:http. */
export interface NodeWords extends WordKind {
  readonly word: (
    handler: NodeHandler<this['who']>,
  ) => (request: IncomingMessage, response: ServerResponse) => unknown;
}

/** A handler of a Fetch `Request` that knows who asks. */
export type FetchHandler<Who> = (who: Who, request: Request) => Response | Promise<Response>;

/** The word for Fetch. */
export interface FetchWords extends WordKind {
  readonly word: (handler: FetchHandler<this['who']>) => (request: Request) => Promise<Response>;
}

/** Close routes of node:http: `createServer(required((who, request, response) => …))`. */
export function guard<User>(authority: Authority<User>, options: GuardOptions = {}): Guard<NodeWords, User> {
  return wordsOf<NodeWords, User>(authority, options, nodeWord);
}

/** Close handlers of a Fetch `Request`: `required((who, request) => Response.json(…))`. */
export function fetchGuard<User>(
  authority: Authority<User>,
  options: GuardOptions = {},
): Guard<FetchWords, User> {
  return wordsOf<FetchWords, User>(authority, options, fetchWord);
}

/**
 * What the Authorization header of a request holds, for a route that reads credentials itself, such as a log-in with HTTP Basic (RFC 7617).
 * Of the scheme `other` is also a Basic header that cannot be read. Throws `ambiguous_credentials` when there are two.
 */
export function authorizationOf(request: IncomingMessage): Authorization {
  return readAuthorization(authorizationHeaders(request.rawHeaders));
}

function nodeWord<Who>(verb: Verb<Who>) {
  return (handler: NodeHandler<Who>) =>
    (request: IncomingMessage & { body?: unknown }, response: ServerResponse): unknown => {
      let who: Who;
      try {
        const query = queryOf(request.url ?? '');
        who = verb.judge({
          authorization: authorizationHeaders(request.rawHeaders),
          query,
          body: request.body,
        });
      } catch (error) {
        const { status, headers, body } = answerTo(error, verb.options);
        return response
          .writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) })
          .end(body);
      }
      closeToOthers(verb.options, response);
      return handler(who, request, response);
    };
}

function fetchWord<Who>(verb: Verb<Who>) {
  return (handler: FetchHandler<Who>) =>
    async (request: Request): Promise<Response> => {
      let who: Who;
      try {
        who = verb.judge(await presentedBy(request, verb.options));
      } catch (error) {
        const { status, headers, body } = answerTo(error, verb.options);
        return new Response(body, { status, headers });
      }
      const answer = await handler(who, request);
      const guarded = new Response(answer.body, answer);
      if (!guarded.headers.has('cache-control')) guarded.headers.set('cache-control', 'no-store');
      if (verb.options.from?.includes('query')) guarded.headers.set('referrer-policy', 'no-referrer');
      return guarded;
    };
}

async function presentedBy(request: Request, { from = ['header'] }: GuardOptions) {
  const header = request.headers.get('authorization');
  // Fetch joins repeated headers with a comma, which no bearer token holds: the reader refuses it as two.
  const authorization = header === null ? [] : [header];
  const isJson = /^application\/json\b/i.test(request.headers.get('content-type') ?? '');
  const body: unknown =
    from.includes('body') && isJson
      ? await request
          .clone()
          .json()
          .catch(() => null)
      : undefined;
  return { authorization, query: queryOf(request.url), body };
}

/** What is about one caller is not for a cache that others share; a handler may say otherwise. */
function closeToOthers({ from = ['header'] }: GuardOptions, response: ServerResponse): void {
  response.setHeader('cache-control', 'no-store');
  if (from.includes('query')) response.setHeader('referrer-policy', 'no-referrer');
}

/** The part of an address after its question mark. */
export function queryOf(url: string): string {
  const start = url.indexOf('?');
  return start < 0 ? '' : url.slice(start + 1).split('#', 1)[0]!;
}
