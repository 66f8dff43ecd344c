// Routes of Express 5.
import type { NextFunction, Request, Response } from 'express';
import { answerTo, privateHeaders } from './answer.ts';
import { authorizationHeaders } from './authorization.ts';
import type { Authority, GuardOptions, Verb } from './guard.ts';
import { queryOf } from './node.ts';
import { type Guard, type WordKind, wordsOf } from './words.ts';

export type { Authorization } from './authorization.ts';
export type { Authority, Caller, GuardOptions, RefreshCaller, RefusalShape, TokenPlace } from './guard.ts';
export { authorizationOf } from './node.ts';
export type { Guard, Within, Word, WordKind } from './words.ts';

/** A handler of Express that knows who asks. What it throws or rejects with goes to Express's own error handlers. */
export type ExpressHandler<Who> = (
  who: Who,
  request: Request,
  response: Response,
  next: NextFunction,
) => unknown;

/** A closed route, as Express takes it: a type of its own, since Express's own names those of packages that an app does not have. */
export type ExpressRoute = (request: Request, response: Response, next: NextFunction) => void;

/** The word for Express. */
export interface ExpressWords extends WordKind {
  readonly word: (handler: ExpressHandler<this['who']>) => ExpressRoute;
}

/** Close routes of Express: `app.get('/me', required((who, request, response) => response.json(…)))`. */
export function guard<User>(
  authority: Authority<User>,
  options: GuardOptions = {},
): Guard<ExpressWords, User> {
  return wordsOf<ExpressWords, User>(authority, options, expressWord);
}

function expressWord<Who>(verb: Verb<Who>) {
  return (handler: ExpressHandler<Who>): ExpressRoute =>
    (request, response, next) => {
      let who: Who;
      try {
        const authorization = authorizationHeaders(request.rawHeaders);
        who = verb.judge({ authorization, query: queryOf(request.originalUrl), body: request.body });
      } catch (error) {
        const { status, headers, body } = answerTo(error, verb.options);
        response.status(status).set(headers).send(Buffer.from(body));
        return;
      }
      response.set(privateHeaders(verb.options));
      // Returned, so that Express hears of a rejection.
      return handler(who, request, response, next) as never;
    };
}
