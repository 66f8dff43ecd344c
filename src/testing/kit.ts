// A real Latchkey for the tests of those who guard their own routes: on a temporary folder, with a clock that the test turns,
// and nothing listens anywhere.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProfileOf, ProfileSchema } from '../accounts/profile.ts';
import { type TurnableClock, turnableClock } from '../clock.ts';
import type { Tokens, User } from '../flows/house.ts';
import { type LatchkeyOptions, openHouse } from '../latchkey.ts';
import type { Latchkey } from '../library.ts';
import { type Asked, type AssertOptions, assertClosed, type Closing } from './assert-closed.ts';
import { type MintOptions, minter, type TokenState } from './mint.ts';
import { logInAs, type TestUser, userMaker } from './people.ts';

/** The options of `latchkey()`, but for where it keeps its data. The environment is not looked at. */
export interface TestOptions<Schema extends ProfileSchema = ProfileSchema>
  extends Omit<LatchkeyOptions<Schema>, 'data' | 'database' | 'clock' | 'environment'> {
  /** Default: one that stands at 2026-01-01T00:00:00Z. */
  readonly clock?: TurnableClock;
}

/** A Latchkey for tests. */
export interface TestLatchkey<Profile = Record<string, unknown>> extends AsyncDisposable {
  /** What your guards are made of: `guard(auth)`. */
  readonly auth: Latchkey<Profile>;
  /** The time that everything is judged by; it stands still until `turn(milliseconds)`. */
  readonly clock: TurnableClock;
  /** Add an account. Its password is `testPassword`. Throws what `auth.users.add` would. */
  user(wish?: TestUser): Promise<User<Profile>>;
  /** The tokens of a fresh log-in, without password, hashing and the hook `beforeLogIn`. Throws `not_found`, `disabled`. */
  logInAs(user: Pick<User, 'id'>): Promise<Tokens>;
  /** A token in a state. Throws what `logInAs` would. */
  mint(state: TokenState, options?: MintOptions): Promise<string>;
  /**
   * Ask a route with a token in every state, and with none. Throws an `AssertionError` that names every token that was let in and must
   * be refused with 401 or 403, or that must be let in and was not answered below 400.
   */
  assertClosed(
    ask: (token: string | null) => Promise<Asked>,
    closing: Closing,
    options?: AssertOptions,
  ): Promise<void>;
  /** Let go of it, and remove its folder. */
  close(): Promise<void>;
}

/** Open a Latchkey for tests. Throws `StartError` with everything that is wrong. */
export async function testLatchkey<Schema extends ProfileSchema = ProfileSchema>(
  options: TestOptions<Schema> = {},
): Promise<TestLatchkey<ProfileOf<Schema>>> {
  const { clock = turnableClock(), ...given } = options as TestOptions;
  const folder = mkdtempSync(join(tmpdir(), 'latchkey-kit-'));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  const settings = { log: 'off' as const, ...given, data: folder, environment: {}, clock };
  const { house, latchkey } = await openHouse(settings).catch((error: unknown) => {
    remove();
    throw error;
  });
  const close = async (): Promise<void> => {
    await latchkey.close();
    remove();
  };
  const user = userMaker(latchkey);
  const mint = minter(house, latchkey, user);
  const kit: TestLatchkey = {
    ...{ auth: latchkey, clock, user, mint, close },
    logInAs: ({ id }) => logInAs(house, id),
    assertClosed: (ask, closing, asker) => assertClosed(mint, ask, closing, asker),
    [Symbol.asyncDispose]: close,
  };
  return kit as TestLatchkey<ProfileOf<Schema>>;
}
