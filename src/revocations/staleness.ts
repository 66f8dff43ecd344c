// How old a guard's knowledge of what was revoked is, counted from just before the last good look was sent.
// Counting from the answer would be wrong: a process that stood still for three seconds would think its news two milliseconds old.
import type { Instant } from '../clock.ts';

/** The age of a view, asked for at every check; no timer ever sets a flag that could be late. */
export interface Freshness {
  /** A look at the feed was good. Both readings are from just before it was sent; the monotonic one is in milliseconds. */
  looked(sentAt: Instant, sentAtMonotonic: number): void;
  /** Milliseconds since the last good look was sent; infinite before the first. */
  age(now: Instant, nowMonotonic: number): number;
  /** Whether the age is past the bound. */
  isStale(now: Instant, nowMonotonic: number): boolean;
}

/** A freshness that goes stale `staleAfterMs` after the last good look. */
export function createFreshness(options: { readonly staleAfterMs: number }): Freshness {
  let sentAt = Number.NEGATIVE_INFINITY;
  let sentAtMonotonic = Number.NEGATIVE_INFINITY;
  // A monotonic clock may stand still while the machine sleeps, and a wall clock may be set back: the greater age holds.
  const age = (now: Instant, nowMonotonic: number) => Math.max(nowMonotonic - sentAtMonotonic, now - sentAt);
  return {
    looked(wall, monotonic) {
      // Answers may overtake one another; an older look tells nothing new.
      if (monotonic < sentAtMonotonic) return;
      sentAt = wall;
      sentAtMonotonic = monotonic;
    },
    age,
    // Asked the other way round, so that an age that is not a number is stale.
    isStale: (now, nowMonotonic) => !(age(now, nowMonotonic) <= options.staleAfterMs),
  };
}
