// What a guard answers when it lets nobody in: one shape for every door, which an app can bend without touching the guard.
import { isLatchkeyError, refusals } from '../errors.ts';
import { challengeOf, problem } from '../problem.ts';
import type { GuardOptions } from './guard.ts';

/** An answer, ready to be sent. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The answer to a refusal. What is no refusal is thrown on: it is a fault of the app. */
export function answerTo(
  error: unknown,
  { refusal: shape, from = [] }: GuardOptions,
  requestId?: string,
): Answer {
  if (!isLatchkeyError(error)) throw error;
  const { status } = refusals[error.code];
  const challenge = status === 401 || status === 403 ? challengeOf(error, undefined) : null;
  const bent = shape?.(error) ?? {};
  const isOwnBody = bent.body !== undefined;
  const headers: Record<string, string | null> = {
    'content-type': isOwnBody ? 'application/json; charset=utf-8' : 'application/problem+json; charset=utf-8',
    // A token that was refused may be good elsewhere.
    ...privateHeaders({ from }),
    ...(challenge !== null && { 'www-authenticate': challenge }),
    ...(error.extra.retryAfter !== undefined && { 'retry-after': String(Math.ceil(error.extra.retryAfter)) }),
    ...lowerCased(bent.headers),
  };
  const body = isOwnBody ? bent.body : problem(error, requestId);
  return {
    status: bent.status ?? status,
    headers: Object.fromEntries(
      Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== null),
    ),
    body: typeof body === 'string' ? body : JSON.stringify(body),
  };
}

/**
 * What every answer of a closed route carries: what is about one caller is not for a cache that others share, and an address with a
 * token in it is not for the next page to see. A handler may say otherwise.
 */
export function privateHeaders({ from = [] }: Pick<GuardOptions, 'from'>): Record<string, string> {
  return {
    'cache-control': 'no-store',
    ...(from.includes('query') && { 'referrer-policy': 'no-referrer' }),
  };
}

function lowerCased(headers: Readonly<Record<string, string | null>> = {}): Record<string, string | null> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
