// Routes of Hono.
import type { Context, Handler } from 'hono';
import type { Authority, GuardOptions, Verb } from './guard.ts';
import { guardedResponse, queryOf } from './node.ts';
import { type Guard, type WordKind, wordsOf } from './words.ts';

export type { Authority, Caller, GuardOptions, RefreshCaller, RefusalShape, TokenPlace } from './guard.ts';
export type { Guard, Within, Word, WordKind } from './words.ts';

/** A handler of Hono that knows who asks. A refusal that it throws is answered; any other error goes to Hono's own `onError`. */
export type HonoHandler<Who> = (who: Who, context: Context) => Response | Promise<Response>;

/** The word for Hono. */
export interface HonoWords extends WordKind {
  readonly word: (handler: HonoHandler<this['who']>) => Handler;
}

/** Close routes of Hono: `app.get('/me', required((who, context) => context.json(…)))`. */
export function guard<User>(authority: Authority<User>, options: GuardOptions = {}): Guard<HonoWords, User> {
  return wordsOf<HonoWords, User>(authority, options, honoWord);
}

function honoWord<Who>(verb: Verb<Who>) {
  return (handler: HonoHandler<Who>): Handler =>
    (context) =>
      guardedResponse(verb, presentedBy(context, verb.options), (who) => handler(who, context));
}

async function presentedBy({ req }: Context, { from = ['header'] }: GuardOptions) {
  const header = req.header('authorization');
  const isJson = /^application\/json\b/i.test(req.header('content-type') ?? '');
  // Hono keeps what it parsed, so that the handler can read the body again.
  const body: unknown = from.includes('body') && isJson ? await req.json().catch(() => null) : undefined;
  return { authorization: header === undefined ? [] : [header], query: queryOf(req.url), body };
}
