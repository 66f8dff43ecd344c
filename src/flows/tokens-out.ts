// What this house knows of the access tokens that are out: how long one may live, and when the newest was made. An entry that
// revokes must outlive whatever it kills, also when the clock was set back or another instance gives longer lives.
import type { Instant } from '../clock.ts';
import { entryUntil } from '../revocations/entry.ts';

/** The access tokens that may be alive. Told when one is made, and when the store knows of longer lives. */
export interface TokensOut {
  /** The greatest life that one may have been given, in milliseconds. */
  readonly greatestLife: number;
  /** How long an entry must live that is written now. */
  until(now: Instant): Instant;
  issued(at: Instant): void;
  livesUpTo(lifeMs: number): void;
}

/** `newest`: when the newest token that the store knows of was made. */
export function tokensOut(greatestLife: number, newest: Instant): TokensOut {
  let [life, last] = [greatestLife, newest];
  return {
    get greatestLife() {
      return life;
    },
    // Counted from the newest token where the clock stands before it: dated by the clock alone, the entry would be gone first.
    until: (now) => entryUntil(Math.max(now, last), life),
    issued(at) {
      last = Math.max(last, at);
    },
    livesUpTo(lifeMs) {
      life = Math.max(life, lifeMs);
    },
  };
}
