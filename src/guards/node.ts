// Routes of plain `node:http`, and handlers of a Fetch `Request` wherever there is one.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Answer, answerTo, privateHeaders } from './answer.ts';
import { type Authorization, authorizationHeaders, readAuthorization } from './authorization.ts';
import type { Authority, GuardOptions, Presented, Verb } from './guard.ts';
import { type Guard, type WordKind, wordsOf } from './words.ts';

export type { Authorization } from './authorization.ts';
export type { Authority, Caller, GuardOptions, RefreshCaller, RefusalShape, TokenPlace } from './guard.ts';
export type { Guard, Within, Word, WordKind } from './words.ts';

/** A handler of node:http that knows who asks. A refusal that it throws is answered; any other error is the app's own, and is thrown on. */
export type NodeHandler<Who> = (who: Who, request: IncomingMessage, response: ServerResponse) => unknown;

/** The word for node:http. */
export interface NodeWords extends WordKind {
  readonly word: (
    handler: NodeHandler<this['who']>,
  ) => (request: IncomingMessage, response: ServerResponse) => unknown;
}

/** A handler of a Fetch `Request` that knows who asks. A refusal that it throws is answered. */
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
      const refused = (error: unknown): unknown => answer(response, answerTo(error, verb.options));
      try {
        const authorization = authorizationHeaders(request.rawHeaders);
        const who = verb.judge({ authorization, query: queryOf(request.url ?? ''), body: request.body });
        for (const [name, value] of Object.entries(privateHeaders(verb.options)))
          response.setHeader(name, value);
        const done = handler(who, request, response);
        // Nobody else hears of it here: a spent refresh token that nobody caught would end the process.
        return done instanceof Promise ? done.catch(refused) : done;
      } catch (error) {
        return refused(error);
      }
    };
}

function answer(response: ServerResponse, { status, headers, body }: Answer): unknown {
  // What is half said cannot become a refusal any more; it must at least not look whole.
  if (response.headersSent) return response.destroy();
  return response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
}

function fetchWord<Who>(verb: Verb<Who>) {
  return (handler: FetchHandler<Who>) =>
    (request: Request): Promise<Response> =>
      guardedResponse(verb, presentedBy(request, verb.options), (who) => handler(who, request));
}

/** What a handler answers to those who are let in, or the refusal: the guard's, or one that the handler throws. */
export async function guardedResponse<Who>(
  { judge, options }: Verb<Who>,
  presented: Promise<Presented>,
  handler: (who: Who) => Response | Promise<Response>,
): Promise<Response> {
  try {
    const given = await handler(judge(await presented));
    const guarded = new Response(given.body, given);
    for (const [name, value] of Object.entries(privateHeaders(options))) {
      if (!guarded.headers.has(name)) guarded.headers.set(name, value);
    }
    return guarded;
  } catch (error) {
    const { status, headers, body } = answerTo(error, options);
    return new Response(body, { status, headers });
  }
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

/** The part of an address after its question mark. */
export function queryOf(url: string): string {
  const start = url.indexOf('?');
  return start < 0 ? '' : url.slice(start + 1).split('#', 1)[0]!;
}
