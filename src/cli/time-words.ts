// Instants and lengths of time, for people.
import type { Instant } from '../clock.ts';

const units: readonly (readonly [number, string])[] = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1_000, 'second'],
];

/** `2026-11-25 12:00:00 UTC`. What lies outside of the years that can be written is said so. */
export function dateWords(instant: Instant): string {
  if (!(Math.abs(instant) <= 8.64e15)) return 'no date';
  return new Date(instant)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC');
}

/** `in 12 minutes`, `3 days ago`, `now`. */
export function distanceWords(instant: Instant, now: Instant): string {
  const distance = Math.abs(instant - now);
  if (distance < 1_000) return 'now';
  return instant > now ? `in ${lengthWords(distance)}` : `${lengthWords(distance)} ago`;
}

/** `15 minutes`, `1 day`: the greatest unit that fits, rounded down. */
export function lengthWords(milliseconds: number): string {
  const [size, name] = units.find(([unit]) => milliseconds >= unit) ?? units.at(-1)!;
  const count = Math.floor(milliseconds / size);
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}
