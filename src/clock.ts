// Now, as a value that is passed in. Nothing but this file reads the wall clock.

/** Milliseconds since the epoch, UTC. */
export type Instant = number;

/** Tells the time. Tests pass one that they can turn. */
export interface Clock {
  now(): Instant;
}

/** The machine's own clock. */
export const systemClock: Clock = { now: () => Date.now() };

/** A clock that stands still until it is turned. */
export interface TurnableClock extends Clock {
  /** Move forward (or, with a negative number, back) by some milliseconds. */
  turn(milliseconds: number): void;
}

/** A clock for tests, standing at `start` (default: 2026-01-01T00:00:00Z). */
export function turnableClock(start: Instant = Date.UTC(2026, 0, 1)): TurnableClock {
  let now = start;
  return {
    now: () => now,
    turn: (milliseconds) => {
      now += milliseconds;
    },
  };
}

/** Whole seconds since the epoch: the NumericDate of RFC 7519 section 2. */
export function toSeconds(instant: Instant): number {
  return Math.floor(instant / 1000);
}
