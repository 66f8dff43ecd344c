// Holds the pair of tokens and decides when to refresh. The storage is the truth, read anew each time: another tab may have
// refreshed. Only the answer of /refresh ends a session: an access token can be refused for reasons that its session survives.
import type { Clock } from '../clock.ts';
import type { TokenPair } from '../wire/tokens.ts';
import { LatchkeyClientError, parse, unexpected } from './client-error.ts';
import type { Lock, Pause } from './locks.ts';
import type { ClientStorage } from './storage.ts';

/** What is kept. Instants are those of the client's own clock, so that it need not agree with the server's. */
export interface Held {
  /** Made up at log-in: tells one session from the next. */
  readonly session: string;
  readonly access: string;
  readonly refresh: string;
  /** When the access token was asked for. */
  readonly since: number;
  /** Seconds that it lives from then on. */
  readonly seconds: number;
}

/** Somebody is signed in, or no longer; `reason` is the code of the refusal that ended the session. */
export interface Change {
  readonly signedIn: boolean;
  readonly reason?: string;
}

/** What the keeper works with. */
export interface KeeperTools {
  readonly storage: ClientStorage;
  readonly clock: Clock;
  readonly lock: Lock;
  readonly pause: Pause;
  /** Send a refresh token to /refresh. Throws `LatchkeyClientError`. */
  exchange(refreshToken: string): Promise<unknown>;
  changed(change: Change): void;
}

/** See the functions. */
export interface TokenKeeper {
  /** What to send now, refreshed if it is time. Throws when it cannot be had, or why the session has just ended. */
  current(): Promise<Held | null>;
  /** The successor of an access token that was refused; null when there is none and the refusal stands. */
  renew(refused: Held): Promise<Held | null>;
  /** Keep the answer of a log-in. `during`: the session it belongs to when it brings no refresh token. */
  keep(answer: unknown, since: number, during: Held | null): Promise<void>;
  /** Forget the session. Gives what was held. */
  drop(): Promise<Held | null>;
}

/** Seconds before its end at which a token is refreshed; half its life when that is shorter. */
const aheadSeconds = 10;
// A retry must reach the server within the grace of the spent token (10 s by default): later it would look like a theft.
const waits = [300, 1000];
const lastRetryMs = 5_000;

/** Make a keeper. */
export function tokenKeeper({ storage, clock, lock, pause, exchange, changed }: KeeperTools): TokenKeeper {
  let running: Promise<Held | null> | undefined;
  let signedIn: boolean | undefined;

  function note(now: boolean, reason?: string): void {
    if (signedIn === now) return;
    signedIn = now;
    changed({ signedIn: now, ...(reason !== undefined && { reason }) });
  }

  async function read(): Promise<Held | null> {
    const held = heldIn((await storage.read()) ?? '');
    // What was there at the start is no change; what another tab did is one.
    if (signedIn === undefined) signedIn = held !== null;
    else note(held !== null);
    return held;
  }

  /** Everybody in this tab who comes while a refresh runs shares it. */
  function refresh(spent: Held): Promise<Held | null> {
    running ??= lock(async () => {
      const held = await read();
      // Another tab was quicker, or signed out.
      return held === null || held.access !== spent.access ? held : await moveOn(held);
    }).finally(() => {
      running = undefined;
    });
    return running;
  }

  async function moveOn(held: Held): Promise<Held | null> {
    const since = clock.now();
    try {
      const pair = pairIn(await exchangeAgain(held.refresh));
      const next = { session: held.session, since, ...pair };
      // Whoever did not wait for the lock may have written in between.
      const now = await read();
      if (now?.refresh !== held.refresh) return now;
      await storage.write(JSON.stringify(next));
      return next;
    } catch (error) {
      if (!(error instanceof LatchkeyClientError) || !endsSession(error)) throw error;
      const now = await read();
      if (now?.refresh !== held.refresh) return now;
      await storage.clear();
      note(false, error.code);
      throw error;
    }
  }

  /** The answer may have been lost after the token was spent: the same token gets the same successor within the grace. */
  async function exchangeAgain(token: string): Promise<unknown> {
    const start = performance.now();
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await exchange(token);
      } catch (error) {
        const wait = waits[attempt];
        if (wait === undefined || !(error instanceof LatchkeyClientError) || !passes(error)) throw error;
        const asked = error.retryAfterMs ?? wait;
        if (performance.now() - start + asked > lastRetryMs) throw error;
        await pause(Math.max(asked, wait));
      }
    }
  }

  return {
    async current() {
      const held = await read();
      if (held === null || isGood(held, clock.now(), ahead(held))) return held;
      return await refresh(held).catch((error) => {
        // Offline, or the server is busy: what is good for some seconds yet is used.
        if (!endsSession(error) && isGood(held, clock.now(), 0)) return held;
        throw error;
      });
    },
    async renew(refused) {
      const next = await refresh(refused).catch(() => null);
      return next?.session === refused.session && next.access !== refused.access ? next : null;
    },
    async keep(answer, since, during) {
      const { refresh_token: ownRefresh } = (answer ?? {}) as Partial<TokenPair>;
      const again = ownRefresh === undefined && during !== null;
      await lock(async () => {
        const before = await read();
        if (again && before?.session !== during.session) return;
        const refreshToken = again ? before!.refresh : ownRefresh;
        const pair = pairIn({ ...(answer as object), refresh_token: refreshToken });
        const session = again ? during.session : `${Math.random()}`;
        await storage.write(JSON.stringify({ session, since, ...pair }));
        // Said also when somebody else was signed in before.
        if (!again) signedIn = false;
        note(true);
      });
    },
    drop: () =>
      lock(async () => {
        const held = await read();
        await storage.clear();
        note(false, 'signed_out');
        return held;
      }),
  };
}

function ahead({ seconds }: Held): number {
  return Math.min(aheadSeconds, seconds / 2);
}

/** Whether a token lives longer than some seconds. A clock before its beginning was set back and tells nothing. */
function isGood({ since, seconds }: Held, now: number, aheadOf: number): boolean {
  return now >= since && now < since + (seconds - aheadOf) * 1000;
}

/** Whether a refusal of /refresh means that the session is over. */
function endsSession(error: unknown): boolean {
  return error instanceof LatchkeyClientError && error.status === 401 && error.code !== 'unexpected_answer';
}

/** Whether the same question may have another answer in a moment. */
function passes({ code, status }: LatchkeyClientError): boolean {
  return code === 'network' || [429, 500, 502, 503, 504].includes(status);
}

type Pair = Pick<Held, 'access' | 'refresh' | 'seconds'>;

/** The tokens of an answer. A token that would not fit into a header is none. */
function pairIn(answer: unknown): Pair {
  const { access_token: access, refresh_token: refresh, expires_in: seconds } = (answer ?? {}) as TokenPair;
  if (!isToken(access) || !isToken(refresh) || !Number.isFinite(seconds)) throw unexpected(200);
  return { access, refresh, seconds };
}

function heldIn(text: string): Held | null {
  const { session, access, refresh, since, seconds } = (parse(text) ?? {}) as Partial<Held>;
  if (typeof session !== 'string' || !isToken(access) || !isToken(refresh)) return null;
  if (!Number.isFinite(since) || !Number.isFinite(seconds)) return null;
  return { session, access, refresh, since: since!, seconds: seconds! };
}

function isToken(value: unknown): value is string {
  return typeof value === 'string' && /^[\x21-\x7e]+$/.test(value);
}
