// Which methods an address takes, so that a wrong one gets 405 with `Allow` (RFC 9110 section 15.5.6) and not 404.
import type { FastifyInstance } from 'fastify';
import { refuse } from '../errors.ts';
import { sendRefusal } from './refusals.ts';

interface Known {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/** Remember every route of an app from now on; the function tells the methods of an address. */
export function rememberMethods(app: FastifyInstance): (url: string) => string[] {
  const known = new Map<string, Known>();
  app.addHook('onRoute', ({ url, method }) => {
    // The pages' own wildcards would make every address below them one that takes GET.
    if (url.includes('*')) return;
    const entry = known.get(url) ?? { pattern: patternOf(url), methods: new Set<string>() };
    for (const each of [method].flat()) entry.methods.add(each);
    known.set(url, entry);
  });
  return (url) => {
    const path = url.split('?', 1)[0] ?? '';
    for (const { pattern, methods } of known.values()) if (pattern.test(path)) return [...methods].sort();
    return [];
  };
}

function patternOf(url: string): RegExp {
  const source = url.replace(/[.\\+?^${}()|[\]]/g, '\\$&').replace(/:[A-Za-z]+/g, '[^/]+');
  return new RegExp(`^${source}$`);
}

/** Answer what no route takes: 405 where the address takes other methods, else 404. */
export function answerMissing(app: FastifyInstance, methodsOf: (url: string) => string[]): void {
  app.setNotFoundHandler((request, reply) => {
    const allowed = methodsOf(request.url);
    if (allowed.length === 0 || allowed.includes(request.method))
      return sendRefusal(request, reply, refuse('not_found'));
    reply.header('Allow', allowed.join(', '));
    return sendRefusal(request, reply, refuse('method_not_allowed'));
  });
}
