// The object that a page or program holds: sign up, log in, log out, and a `fetch` that carries the token.
// The token goes to the origins that were named and to no other, and no request is sent more than twice.
import { type Clock, systemClock } from '../clock.ts';
import type { LogIn } from '../wire/tokens.ts';
import type { SignUp, User } from '../wire/user.ts';
import { LatchkeyClientError, networkError, parse, readAnswer } from './client-error.ts';
import { leaseLock, type WebLocks, webLock } from './locks.ts';
import { type ClientStorage, memoryStorage } from './storage.ts';
import { type Change, type Held, tokenKeeper } from './token-keeper.ts';

type Fetch = typeof globalThis.fetch;
type FetchInput = Parameters<Fetch>[0];
type FetchInit = NonNullable<Parameters<Fetch>[1]>;

/** What a client is made of. */
export interface ClientOptions {
  /** Where Latchkey answers: `https://login.example.com`, or with the prefix it is mounted at. */
  readonly url: string;
  /** Other origins that get the token, such as `https://api.example.com`. Default: none. */
  readonly origins?: readonly string[];
  /** Default: memory. */
  readonly storage?: ClientStorage;
  /** Default: the global one. */
  readonly fetch?: Fetch;
  /** Default: the machine's. It need not agree with the server's. */
  readonly clock?: Clock;
}

/** See `createClient`. */
export interface Client {
  /** Make an account. Does not log in. Throws `LatchkeyClientError`, with the fields that were refused in `errors`. */
  signUp(fields: SignUp): Promise<User>;
  /** Log in, with a username or an email. Throws `invalid_credentials`, `busy`, … */
  logIn(credentials: LogIn): Promise<void>;
  /** Give the password once more: the next requests carry a fresh token. Without a session it is a log-in. */
  logInFresh(credentials: LogIn): Promise<void>;
  /** Log out, here at once whatever the server says; throws when it could not be told. `everywhere`: all sessions of the account. */
  logOut(options?: { readonly everywhere?: boolean }): Promise<void>;
  /** Who is signed in. Throws `token_missing` when nobody is. */
  user(): Promise<User>;
  /**
   * Like the global `fetch`, with the token: relative to the client's url, refreshed before it expires or once after a 401.
   * A body that is a stream is not sent again. Throws `LatchkeyClientError` where the global one throws a TypeError.
   */
  fetch(input: FetchInput, init?: FetchInit): Promise<Response>;
  /** Hear of every sign-in and of every end of a session, with its reason. Gives the function that ends the hearing. */
  on(event: 'change', listener: (change: Change) => void): () => void;
}

const refreshWithinMs = 4_000;
const answerWithinMs = 15_000;

// A 401 with one of these is not about the token, or would not be helped by another one.
const notHelped = [
  'invalid_credentials',
  'stale_authentication',
  'basic_credentials_missing',
  'invalid_client',
];

/** Make a client. Throws a TypeError for options that cannot be. */
export function createClient(options: ClientOptions): Client {
  const {
    clock = systemClock,
    storage = memoryStorage(),
    fetch: send = globalThis.fetch.bind(globalThis),
  } = options;
  const base = baseOf(options.url);
  const origins = [base.origin, ...(options.origins ?? []).map((origin) => baseOf(origin).origin)];
  const listeners = new Set<(change: Change) => void>();
  const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const locks = (globalThis as { navigator?: { locks?: WebLocks } }).navigator?.locks;
  const keeper = tokenKeeper({
    ...{ storage, clock, pause },
    lock: locks ? webLock(locks, `latchkey ${storage.name ?? base.href}`) : leaseLock(storage, clock, pause),
    exchange: (token) => post('refresh', { refresh_token: token }, refreshWithinMs),
    changed(change) {
      for (const listener of listeners) queueMicrotask(() => listener(change));
    },
  });

  async function post(path: string, body: unknown, withinMs = answerWithinMs): Promise<unknown> {
    const response = await send(new URL(path, base), jsonInit(body, withinMs)).catch((cause) => {
      throw networkError(cause);
    });
    return await readAnswer(response);
  }

  async function carry(input: FetchInput, init: FetchInit, held: Held | null): Promise<Response> {
    const headers = headersOf(input, init);
    if (held !== null) headers.set('authorization', `Bearer ${held.access}`);
    const target = isRequest(input) ? input : new URL(String(input), base);
    try {
      return await send(target, { ...init, headers });
    } catch (error) {
      const signal = init.signal ?? (isRequest(input) ? input.signal : null);
      if (signal?.aborted) throw error;
      throw networkError(error);
    }
  }

  async function authorized(input: FetchInput, init: FetchInit, held: Held | null): Promise<Response> {
    const first = await carry(input, init, held);
    if (held === null || first.status !== 401 || !(await isAboutToken(first))) return first;
    const next = await keeper.renew(held);
    if (next === null || !canRepeat(input, init)) return first;
    await first.body?.cancel().catch(() => {});
    return await carry(input, init, next);
  }

  async function ask(path: string, init: FetchInit, held: Held | null): Promise<unknown> {
    const answer = authorized(new URL(path, base), init, held);
    return await readAnswer(
      await answer.catch((error) => {
        throw error instanceof LatchkeyClientError ? error : networkError(error);
      }),
    );
  }

  return {
    async signUp(fields) {
      return (await post('signup', fields)) as User;
    },
    async logIn(credentials) {
      const since = clock.now();
      await keeper.keep(await post('login', credentials), since, null);
    },
    async logInFresh(credentials) {
      const held = await keeper.current();
      const since = clock.now();
      await keeper.keep(await ask('login/fresh', jsonInit(credentials, answerWithinMs), held), since, held);
    },
    async logOut({ everywhere = false } = {}) {
      const held = await keeper.drop();
      if (held === null) return;
      const path = everywhere ? 'logout/everywhere' : 'logout';
      await post(path, { refresh_token: held.refresh }).catch((error) => {
        // The session was over already; the others of the account are not, by that.
        if (everywhere || error.status !== 401) throw error;
      });
    },
    async user() {
      const init = { signal: AbortSignal.timeout(answerWithinMs) };
      return (await ask('users/me', init, await keeper.current())) as User;
    },
    async fetch(input, init = {}) {
      const target = new URL(isRequest(input) ? input.url : String(input), base);
      // A request that brings its own credential keeps it, and another host gets none.
      const carries = origins.includes(target.origin) && !headersOf(input, init).has('authorization');
      return await authorized(input, init, carries ? await keeper.current() : null);
    },
    on(_event, listener) {
      const heard = (change: Change) => listener(change);
      listeners.add(heard);
      return () => {
        listeners.delete(heard);
      };
    },
  };
}

/** The url as a folder, so that paths are appended to it. */
function baseOf(url: string): URL {
  const here = (globalThis as { location?: { href: string } }).location?.href;
  const base = URL.canParse(url, here) ? new URL(url, here) : undefined;
  if (
    base === undefined ||
    !/^https?:$/.test(base.protocol) ||
    base.username + base.search + base.hash !== ''
  )
    throw new TypeError(`createClient(): ${JSON.stringify(url)} is not an http or https address.`);
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  return base;
}

/** A redirect is an error: it would carry passwords and refresh tokens along. */
function jsonInit(body: unknown, withinMs: number): FetchInit {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    redirect: 'error',
    signal: AbortSignal.timeout(withinMs),
  };
}

function isRequest(input: FetchInput): input is Request {
  return typeof input === 'object' && 'url' in input;
}

function headersOf(input: FetchInput, init: FetchInit): Headers {
  return new Headers(init.headers ?? (isRequest(input) ? input.headers : undefined));
}

/** Whether the body can be sent once more. That of a Request is a stream. */
function canRepeat(input: FetchInput, init: FetchInit): boolean {
  const body: unknown = init.body ?? (isRequest(input) ? input.body : null);
  return typeof body !== 'object' || body === null || !('getReader' in body || Symbol.asyncIterator in body);
}

async function isAboutToken(response: Response): Promise<boolean> {
  if (/insufficient_user_authentication/.test(response.headers.get('www-authenticate') ?? '')) return false;
  if (!/json/.test(response.headers.get('content-type') ?? '')) return true;
  const text = await response
    .clone()
    .text()
    .catch(() => '');
  return !notHelped.includes(String(parse(text)?.code));
}
