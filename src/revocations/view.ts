// What a guard holds of the list of revocations, so that it can refuse a token without asking anybody.
// Entries may come in any order and many times over, since a feed overlaps itself; nothing that lives is ever evicted.
import type { Instant } from '../clock.ts';
import { type Entry, mostOfOneUser, type RevocationReason } from './entry.ts';

/** The claims of an access token that a revocation can be about. */
export interface Revocable {
  readonly jti: string;
  readonly sid: string;
  readonly sub: string;
  readonly epoch: number;
}

/** A guard's view of what was revoked. */
export interface View {
  /** Take an entry in. Again, or in another order, makes no difference. */
  apply(entry: Entry): void;
  /** Why a token is refused, or null. `kid` is the key that signed it. Synchronous, and allocates nothing. */
  verdict(token: Revocable, kid: string): RevocationReason | null;
  /** Let go of what is past its `until`, or no longer needed. A bounded step at a time: call it again and again. */
  sweep(now: Instant): void;
  /** How many entries are held. */
  readonly size: number;
  /** Whether more are held than the capacity: the view must then be treated as stale. It goes on taking entries in, and recovers by sweeping. */
  readonly full: boolean;
}

interface Mark {
  readonly id: number;
  readonly userId: string | null;
  readonly reason: RevocationReason;
  readonly until: Instant;
}

interface UserMark {
  readonly id: number;
  readonly epochBelow: number;
  readonly exceptSid: string | null;
  readonly reason: RevocationReason;
  readonly until: Instant;
  /** Whether what was written of single tokens and sessions before it is superfluous. */
  readonly covers: boolean;
}

interface UserMarks {
  /** More than `mostOfOneUser` came, and `marks` is one that stands for them all. Stays so until that one goes. */
  readonly collapsed: boolean;
  /** By id. */
  readonly marks: readonly UserMark[];
}

const sweepStep = 10_000;

/** An empty view. `capacity` is the number of entries past which it is `full`. */
export function createView(options: { readonly capacity?: number } = {}): View {
  const capacity = options.capacity ?? 1_000_000;
  // Maps and not objects: ids come from tokens, and one of them may be `__proto__`.
  const tokens = new Map<string, Mark>();
  const sessions = new Map<string, Mark>();
  const keys = new Map<string, Mark>();
  const users = new Map<string, UserMarks>();
  let userMarks = 0;

  function count(): number {
    return tokens.size + sessions.size + keys.size + userMarks;
  }

  function applyToUser(entry: Entry & { kind: 'user' }): void {
    const before = users.get(entry.subject);
    const after = withMark(before, entry);
    users.set(entry.subject, after);
    userMarks += after.marks.length - (before?.marks.length ?? 0);
  }

  function sweepUser(userId: string, { collapsed, marks }: UserMarks, now: Instant): void {
    const live = marks.filter((mark) => mark.until > now);
    userMarks += live.length - marks.length;
    if (live.length === 0) users.delete(userId);
    else users.set(userId, { collapsed, marks: live });
  }

  /** Goes round everything for ever, one entry for each `next(now)`. A Map may change while it is walked. */
  function* rounds(): Generator<undefined, never, Instant> {
    for (let now = yield; ; now = yield) {
      for (const marks of [tokens, sessions, keys]) {
        for (const [subject, mark] of marks) {
          if (mark.until <= now || isCovered(mark, users)) marks.delete(subject);
          now = yield;
        }
      }
      for (const [userId, marks] of users) {
        sweepUser(userId, marks, now);
        now = yield;
      }
    }
  }
  const round = rounds();
  round.next();

  return {
    apply(entry) {
      if (entry.kind === 'user') applyToUser(entry);
      else if (entry.kind === 'key') addMark(keys, entry.subject, entry, null);
      else addMark(entry.kind === 'token' ? tokens : sessions, entry.subject, entry, entry.userId);
    },
    verdict(token, kid) {
      const marks = users.get(token.sub)?.marks;
      // First what ended the session: who hears it must log in again, and who hears the rest need only refresh.
      return (
        firstMatch(marks, token, true) ??
        sessions.get(token.sid)?.reason ??
        firstMatch(marks, token, false) ??
        tokens.get(token.jti)?.reason ??
        keys.get(kid)?.reason ??
        null
      );
    },
    sweep(now) {
      const steps = Math.min(sweepStep, count() + 1);
      for (let step = 0; step < steps; step += 1) round.next(now);
    },
    get size() {
      return count();
    },
    get full() {
      return count() > capacity;
    },
  };
}

/** Of two entries with one subject the first written says why, and the longer one how long. */
function addMark(marks: Map<string, Mark>, subject: string, entry: Entry, userId: string | null): void {
  const known = marks.get(subject);
  const first = known === undefined || entry.id < known.id ? { ...entry, userId } : known;
  const until = Math.max(entry.until, known?.until ?? entry.until);
  marks.set(subject, { id: first.id, userId: first.userId, reason: first.reason, until });
}

/**
 * Whether a raised epoch of the same user makes an entry for a token or session superfluous. Why it does, whatever the order
 * of commits: the entry has the lower id, so its session was there before the raise committed. A raise that excepts nobody
 * and ends sessions ends them all in its own transaction, holding the user's row, past which no log-in gets. A token is issued
 * only from a statement that sees its session alive and reads the epoch along with it; none sees this one alive beside the
 * raised epoch. So all its tokens have an epoch below `epochBelow`, and the raise is remembered at least as long.
 * A raise that leaves sessions alive (`scope_changed`) proves nothing of the kind: the session may have refreshed since.
 * Except one that gathers (`token_revoked`): it is made to stand for the entries before it, in a unit that removes them from the
 * store, and where one writer gives the ids none of a lower id can commit after it.
 */
function isCovered(entry: Mark, users: ReadonlyMap<string, UserMarks>): boolean {
  if (entry.userId === null) return false;
  const marks = users.get(entry.userId)?.marks ?? [];
  return marks.some((mark) => mark.covers && mark.id > entry.id && mark.until >= entry.until);
}

function withMark(of: UserMarks | undefined, entry: Entry & { kind: 'user' }): UserMarks {
  const known = of ?? { collapsed: false, marks: [] };
  if (!known.collapsed && known.marks.some((mark) => mark.id === entry.id)) return known;
  const { id, epochBelow, exceptSid, reason, until } = entry;
  const covers = exceptSid === null && (endsSession(reason) || reason === 'token_revoked');
  const mark = { id, epochBelow, exceptSid, reason, until, covers };
  const marks = [...known.marks, mark].sort((a, b) => a.id - b.id);
  if (!known.collapsed && marks.length <= mostOfOneUser) return { collapsed: false, marks };
  return { collapsed: true, marks: [collapse(marks)] };
}

/** One mark at least as strict as all of them. A session that was excepted loses a token by it, and lives on by refreshing. */
function collapse(marks: readonly UserMark[]): UserMark {
  const greatest = marks.reduce((top, mark) => (mark.epochBelow > top.epochBelow ? mark : top));
  // Its reason holds for everything below it only when it excepted nothing; otherwise say no more than is true of all.
  const holds = greatest.exceptSid === null && endsSession(greatest.reason);
  const until = Math.max(...marks.map((mark) => mark.until));
  return { ...greatest, exceptSid: null, reason: holds ? greatest.reason : 'token_revoked', until };
}

function firstMatch(
  marks: readonly UserMark[] | undefined,
  token: Revocable,
  ends: boolean,
): RevocationReason | undefined {
  if (marks === undefined) return undefined;
  for (let index = 0; index < marks.length; index += 1) {
    const { epochBelow, exceptSid, reason } = marks[index]!;
    if (token.epoch < epochBelow && token.sid !== exceptSid && endsSession(reason) === ends) return reason;
  }
  return undefined;
}

function endsSession(reason: RevocationReason): boolean {
  return reason !== 'token_revoked' && reason !== 'scope_changed' && reason !== 'key_revoked';
}
