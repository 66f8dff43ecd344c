// Is this access token good, now: signature and claims, what was revoked, and whether we know that recently enough.
import type { Clock } from '../clock.ts';
import { type RefusalCode, refuse } from '../errors.ts';
import type { Freshness } from '../revocations/staleness.ts';
import type { View } from '../revocations/view.ts';
import type { AccessClaims } from '../tokens/claims.ts';
import type { Verifier } from '../tokens/verified-cache.ts';

/** Lets in or refuses. */
export interface Gate {
  /** The claims of a good token. Throws the refusal of a bad one; no I/O but a look at the store's version. */
  check(token: string): AccessClaims;
}

/** What a gate is made of. */
export interface GateParts {
  readonly verifier: Verifier;
  readonly view: View;
  readonly freshness: Freshness;
  readonly clock: Clock;
  /** Milliseconds from any fixed point, never set back. */
  readonly monotonic: () => number;
  readonly stale: 'refuse' | 'serve';
  readonly catchUp: () => boolean;
}

/** Put a gate together. */
export function openGate({ verifier, view, freshness, clock, monotonic, stale, catchUp }: GateParts): Gate {
  return {
    check(token) {
      // The time before the look: a process that was stopped in the middle must not think that it knows the present.
      const now = clock.now();
      const tick = monotonic();
      if (catchUp()) freshness.looked(now, tick);
      if (stale === 'refuse' && (view.full || freshness.isStale(clock.now(), monotonic()))) {
        throw refuse('view_stale', { retryAfter: 1 });
      }
      const verdict = verifier.verify(token, now);
      if (verdict.ok) return verdict.claims;
      if (verdict.fault === 'expired') throw refuse('token_expired');
      if (verdict.fault === 'revoked') throw refuse((verdict.reason ?? 'token_revoked') as RefusalCode);
      throw refuse('token_invalid');
    },
  };
}
