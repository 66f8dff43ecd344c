// Whether a route is as closed as its verb says: it is asked with a token in every state, and each answer must be the right one.
import { AssertionError } from 'node:assert';
import { type Mint, type MintOptions, type TokenState, tokenStates } from './mint.ts';

/** What a route is to insist on: a word of the guards, or the scopes of `scope(…)` or `anyScope(…)`. */
export type Closing =
  | 'required'
  | 'optional'
  | 'fresh'
  | 'refresh'
  | { readonly scope: readonly [string, ...string[]] }
  | { readonly anyScope: readonly [string, ...string[]] };

/** The answer to a request: a Fetch `Response`, what Fastify's `inject` gives, or the like. */
export type Asked = { readonly status: number } | { readonly statusCode: number };

/** Who asks. */
export type AssertOptions = Pick<MintOptions, 'user' | 'scopes' | 'claims'>;

/** One request, and whether it must be let in. */
interface Attempt {
  readonly name: string;
  readonly letIn: boolean;
  token(): Promise<string | null>;
}

/**
 * Checks that a route is closed. `ask` sends one request with a token, or with none. Throws an `AssertionError` that names every
 * token that was let in or refused (401 or 403) and must not be.
 */
export async function assertClosed(
  mint: Mint,
  ask: (token: string | null) => Promise<Asked>,
  closing: Closing,
  options: AssertOptions = {},
): Promise<void> {
  const faults: string[] = [];
  for (const attempt of attemptsOf(mint, closing, options)) {
    const answer = await ask(await attempt.token());
    const status = 'status' in answer ? answer.status : answer.statusCode;
    const refused = status === 401 || status === 403;
    // An answer that is neither, such as 404 or 500, is no proof of anything.
    if (attempt.letIn ? status < 400 : refused) continue;
    faults.push(`${attempt.name}: answered ${status}, must be ${attempt.letIn ? 'let in' : '401 or 403'}`);
  }
  if (faults.length === 0) return;
  const verb = typeof closing === 'string' ? closing : JSON.stringify(closing);
  const message = `The route is not closed as ${verb} says.\n${faults.map((fault) => `  ${fault}`).join('\n')}`;
  throw new AssertionError({ message, stackStartFn: assertClosed });
}

function attemptsOf(mint: Mint, closing: Closing, options: AssertOptions): Attempt[] {
  const scopes = scopesOf(closing) ?? options.scopes;
  const letIn = statesLetIn(closing);
  const states = tokenStates.map((state) => ({
    name: state,
    letIn: letIn.includes(state),
    // With an account of its own: whoever asks otherwise must still be able to.
    token: () => mint(state, { ...options, scopes, ...(state === 'disabled' && { user: undefined }) }),
  }));
  const none = { name: 'no token', letIn: closing === 'optional', token: async () => null };
  return [none, ...states, ...ownAttempts(mint, closing, options)];
}

function scopesOf(closing: Closing): readonly string[] | undefined {
  if (typeof closing === 'string') return undefined;
  return 'scope' in closing ? closing.scope : closing.anyScope;
}

function statesLetIn(closing: Closing): readonly TokenState[] {
  if (closing === 'refresh') return ['refresh'];
  return closing === 'fresh' ? ['good'] : ['good', 'stale'];
}

/** What only this verb is asked with. */
function ownAttempts(mint: Mint, closing: Closing, options: AssertOptions): Attempt[] {
  const attempt = (name: string, letIn: boolean, minted: MintOptions): Attempt => {
    return { name, letIn, token: () => mint('good', { ...options, ...minted }) };
  };
  if (closing === 'fresh') {
    const claims = { ...options.claims, auth_time: 0 };
    return [attempt('good, of a password given long ago', false, { claims })];
  }
  const scopes = scopesOf(closing);
  if (scopes === undefined) return refreshAttempts(mint, closing, options);
  const none = attempt('good, without scopes', false, { scopes: [] });
  if (typeof closing === 'object' && 'anyScope' in closing) {
    return [none, ...scopes.map((scope) => attempt(`good, with ${scope} alone`, true, { scopes: [scope] }))];
  }
  const lacking = scopes.length === 1 ? [] : scopes;
  return [
    none,
    ...lacking.map((scope) =>
      attempt(`good, without ${scope}`, false, { scopes: scopes.filter((other) => other !== scope) }),
    ),
  ];
}

function refreshAttempts(mint: Mint, closing: Closing, options: AssertOptions): Attempt[] {
  if (closing !== 'refresh') return [];
  const token = async (): Promise<string> => {
    const [header, payload, mac] = (await mint('refresh', options)).split('.');
    return `${header}.${payload}.${[...mac!].reverse().join('')}`;
  };
  return [{ name: 'refresh, with a MAC that is wrong', letIn: false, token }];
}
