import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Entry, entryUntil, type RevocationReason } from './entry.ts';
import { createView, type Revocable, type View } from './view.ts';

const until = 1_000_000;
const token: Revocable = { jti: 'j1', sid: 's1', sub: 'u1', epoch: 3 };

function viewOf(...entries: readonly Entry[]): View {
  const view = createView();
  for (const entry of entries) view.apply(entry);
  return view;
}

function ofToken(id: number, subject: string, userId: string | null = 'u1'): Entry {
  return { id, kind: 'token', subject, userId, reason: 'token_revoked', until };
}

function ofSession(id: number, subject: string, reason: RevocationReason = 'signed_out'): Entry {
  return { id, kind: 'session', subject, userId: 'u1', reason, until };
}

function ofUser(
  id: number,
  epochBelow: number,
  reason: RevocationReason = 'password_changed',
  exceptSid: string | null = null,
): Entry {
  return { id, kind: 'user', subject: 'u1', epochBelow, exceptSid, reason, until };
}

function ofKey(id: number, subject: string): Entry {
  return { id, kind: 'key', subject, reason: 'key_revoked', until };
}

test('an empty view refuses nothing', () => {
  const view = createView();
  assert.equal(view.verdict(token, 'k1'), null);
  assert.equal(view.size, 0);
  assert.equal(view.full, false);
});

test('a token is refused by its own id, its session, its user and its key, and by no other', () => {
  assert.equal(viewOf(ofToken(1, 'j1')).verdict(token, 'k1'), 'token_revoked');
  assert.equal(viewOf(ofToken(1, 'j2')).verdict(token, 'k1'), null);
  assert.equal(viewOf(ofSession(1, 's1')).verdict(token, 'k1'), 'signed_out');
  assert.equal(viewOf(ofSession(1, 's2')).verdict(token, 'k1'), null);
  assert.equal(viewOf(ofUser(1, 4)).verdict(token, 'k1'), 'password_changed');
  assert.equal(viewOf(ofUser(1, 4)).verdict({ ...token, sub: 'u2' }, 'k1'), null);
  assert.equal(viewOf(ofKey(1, 'k1')).verdict(token, 'k1'), 'key_revoked');
  assert.equal(viewOf(ofKey(1, 'k1')).verdict(token, 'k2'), null);
  // An id of one kind is none of another.
  const elsewhere: Revocable = { jti: 's1', sid: 'u1', sub: 'k1', epoch: 0 };
  assert.equal(
    viewOf(ofToken(1, 'j1'), ofSession(2, 's1'), ofUser(3, 9), ofKey(4, 'k1')).verdict(elsewhere, 'x'),
    null,
  );
});

test('a raised epoch kills what is below it, and not the session that is excepted', () => {
  const view = viewOf(ofUser(1, 4, 'password_changed', 's1'));
  assert.equal(view.verdict(token, 'k1'), null);
  assert.equal(view.verdict({ ...token, sid: 's2' }, 'k1'), 'password_changed');
  assert.equal(view.verdict({ ...token, sid: 's2', epoch: 4 }, 'k1'), null);
});

test('raised epochs of one user are kept apart: an exception from one is none from another', () => {
  const view = viewOf(ofUser(1, 4, 'password_changed', 's1'), ofUser(2, 5, 'password_changed', 's2'));
  assert.equal(view.verdict(token, 'k1'), 'password_changed');
  assert.equal(view.verdict({ ...token, epoch: 4 }, 'k1'), 'password_changed');
  assert.equal(view.verdict({ ...token, epoch: 4, sid: 's2' }, 'k1'), null);
});

test('what ended a session is said before what a refresh would mend', () => {
  const mend = [ofToken(1, 'j1'), ofUser(2, 4, 'scope_changed'), ofKey(3, 'k1')];
  assert.equal(viewOf(...mend).verdict(token, 'k1'), 'scope_changed');
  assert.equal(viewOf(...mend, ofSession(4, 's1')).verdict(token, 'k1'), 'signed_out');
  assert.equal(
    viewOf(...mend, ofSession(4, 's1'), ofUser(5, 5, 'disabled')).verdict(token, 'k1'),
    'disabled',
  );
  // Of two that ended it, the first.
  assert.equal(viewOf(ofUser(8, 6, 'deleted'), ofUser(5, 5, 'disabled')).verdict(token, 'k1'), 'disabled');
  assert.equal(viewOf(ofSession(8, 's1', 'deleted'), ofSession(5, 's1')).verdict(token, 'k1'), 'signed_out');
});

test('ids that are names of an object’s own machinery are ids like others', () => {
  const names = ['__proto__', 'constructor', 'hasOwnProperty', 'toString', ''];
  for (const name of names) {
    const claims: Revocable = { jti: name, sid: name, sub: name, epoch: 0 };
    assert.equal(createView().verdict(claims, name), null);
    for (const kind of ['token', 'session', 'user', 'key'] as const) {
      const entry = {
        id: 1,
        kind,
        subject: name,
        userId: name,
        epochBelow: 1,
        exceptSid: null,
        reason: 'disabled',
        until,
      };
      const view = viewOf(entry as Entry);
      assert.equal(view.verdict(claims, name), 'disabled', `${kind} ${name}`);
      assert.equal(view.size, 1);
      assert.equal(view.verdict(token, 'k1'), null);
    }
  }
});

test('an entry that comes again is held once', () => {
  const entries = [ofToken(1, 'j1'), ofSession(2, 's1'), ofUser(3, 4, 'scope_changed'), ofKey(4, 'k1')];
  assert.equal(viewOf(...entries, ...entries, ...entries).size, 4);
});

test('an ended epoch of all sessions lets the older entries of that user go, and those alone', () => {
  const old = [ofSession(1, 's1'), ofToken(2, 'j1')];
  const stay = [ofToken(3, 'j9', null), { ...ofSession(4, 's4'), userId: 'u2' } as Entry, ofKey(5, 'k1')];
  for (const entries of [
    [...old, ...stay, ofUser(6, 4)],
    [ofUser(6, 4), ...old, ...stay],
  ]) {
    const view = viewOf(...entries);
    view.sweep(0);
    assert.equal(view.size, 4);
    assert.equal(view.verdict(token, 'k2'), 'password_changed');
    assert.equal(view.verdict({ ...token, jti: 'j9', sid: 'x', sub: 'x' }, 'k2'), 'token_revoked');
    assert.equal(view.verdict({ ...token, sid: 's4', sub: 'u2' }, 'k2'), 'signed_out');
  }
});

test('an entry that the epoch does not truly cover stays', () => {
  const uncovered: readonly (readonly [string, Entry, Entry])[] = [
    ['written later', ofSession(7, 's1'), ofUser(6, 4)],
    ['a session is excepted', ofSession(1, 's1'), ofUser(6, 4, 'password_changed', 's1')],
    ['sessions live on', ofSession(1, 's1'), ofUser(6, 4, 'scope_changed')],
    ['remembered longer', { ...ofSession(1, 's1'), until: until + 1 }, ofUser(6, 4)],
  ];
  for (const [why, entry, raised] of uncovered) {
    for (const view of [viewOf(entry, raised), viewOf(raised, entry)]) {
      view.sweep(0);
      assert.equal(view.size, 2, why);
    }
  }
});

test('a raise that gathers makes superfluous what was written before it, and tells nobody that a session ended', () => {
  const gathered = ofUser(6, 4, 'token_revoked');
  for (const view of [
    viewOf(ofToken(1, 'j1'), ofSession(2, 's1'), gathered),
    viewOf(gathered, ofToken(1, 'j1'), ofSession(2, 's1')),
  ]) {
    view.sweep(0);
    assert.equal(view.size, 1);
    assert.equal(view.verdict({ ...token, epoch: 3 }, 'k1'), 'token_revoked');
    assert.equal(view.verdict({ ...token, epoch: 4 }, 'k1'), null);
  }
});

test('more than 16 raised epochs of one user become one that is at least as strict', () => {
  const raises = Array.from({ length: 17 }, (_, index) =>
    ofUser(index + 1, index + 1, 'password_changed', `s${index + 1}`),
  );
  assert.equal(viewOf(...raises.slice(0, 16)).size, 16);
  for (const view of [viewOf(...raises), viewOf(...raises.toReversed()), viewOf(...raises, ...raises)]) {
    assert.equal(view.size, 1);
    // Excepted from the greatest, it loses its token here, and its session lives on by refreshing.
    assert.equal(view.verdict({ ...token, epoch: 16, sid: 's17' }, 'k1'), 'token_revoked');
    assert.equal(view.verdict({ ...token, epoch: 17, sid: 's17' }, 'k1'), null);
    view.apply(ofUser(18, 18, 'disabled'));
    assert.equal(view.size, 1);
    assert.equal(view.verdict({ ...token, epoch: 17 }, 'k1'), 'disabled');
  }
  const longer = viewOf({ ...raises[0], until: until + 5 } as Entry, ...raises.slice(1));
  longer.sweep(until);
  assert.equal(longer.size, 1);
  longer.sweep(until + 5);
  assert.equal(longer.size, 0);
  // Once that one is gone, exceptions are kept again.
  longer.apply(ofUser(30, 30, 'password_changed', 's1'));
  assert.equal(longer.verdict(token, 'k1'), null);
  assert.equal(longer.verdict({ ...token, sid: 's2' }, 'k1'), 'password_changed');
});

test('past its capacity a view says that it is full, goes on taking in, and recovers by sweeping', () => {
  const view = createView({ capacity: 3 });
  for (let id = 1; id <= 3; id += 1) view.apply(ofSession(id, `s${id}`));
  assert.equal(view.full, false);
  view.apply({ ...ofToken(4, 'j1'), until: until + 1 });
  assert.equal(view.full, true);
  assert.equal(view.verdict({ ...token, sid: 'x' }, 'k1'), 'token_revoked');
  view.sweep(until);
  assert.equal(view.full, false);
  assert.equal(view.size, 1);
});

test('an entry is held until its time has passed, and not longer', () => {
  const view = viewOf(ofToken(1, 'j1'), ofSession(2, 's1'), ofUser(3, 4, 'scope_changed'), ofKey(4, 'k1'));
  view.sweep(until - 1);
  assert.equal(view.size, 4);
  view.sweep(until);
  assert.equal(view.size, 0);
  assert.equal(view.verdict(token, 'k1'), null);
  // An overlap of the feed may bring it again; it goes again.
  view.apply(ofToken(1, 'j1'));
  view.sweep(until);
  assert.equal(view.size, 0);
});

test('of two entries for one thing the longer one says how long', () => {
  const short = ofSession(1, 's1');
  const long: Entry = { ...ofSession(2, 's1', 'deleted'), until: until + 5 };
  for (const view of [viewOf(short, long), viewOf(long, short)]) {
    view.sweep(until);
    assert.equal(view.verdict(token, 'k1'), 'signed_out');
    view.sweep(until + 5);
    assert.equal(view.size, 0);
  }
});

test('a sweep takes bounded steps, and steps enough get everything', () => {
  const view = createView();
  const count = 45_000;
  for (let id = 1; id <= count; id += 1) view.apply(ofSession(id, `s${id}`));
  view.sweep(until);
  assert.ok(view.size >= count - 10_000);
  for (let step = 0; step < 6; step += 1) view.sweep(until);
  assert.equal(view.size, 0);
});

// A small history of a store: users whose epochs rise, sessions that open, refresh and end, and the entries they leave.
type Act =
  | { readonly act: 'open' | 'everywhere' | 'scopes' | 'disable'; readonly user: number }
  | { readonly act: 'refresh' | 'logOut' | 'change' | 'revoke'; readonly pick: number }
  | { readonly act: 'key' }
  | { readonly act: 'wait'; readonly by: number };

interface Issued {
  readonly claims: Revocable;
  readonly kid: string;
  readonly exp: number;
}

interface Past {
  readonly entries: readonly Entry[];
  readonly issued: readonly Issued[];
  readonly now: number;
}

const life = 900_000;

function live(acts: readonly Act[]): Past {
  const entries: Entry[] = [];
  const issued: Issued[] = [];
  const epochs = new Map<string, number>();
  const sessions: { sid: string; sub: string; alive: boolean }[] = [];
  let now = 0;
  let key = 1;
  const issue = (session: { sid: string; sub: string }) => {
    const claims = { jti: `j${issued.length}`, ...session, epoch: epochs.get(session.sub) ?? 0 };
    issued.push({
      claims: { jti: claims.jti, sid: claims.sid, sub: claims.sub, epoch: claims.epoch },
      kid: `k${key}`,
      exp: now + life,
    });
  };
  const write = (entry: object) => {
    entries.push({ id: entries.length + 1, until: entryUntil(now, life), ...entry } as Entry);
  };
  const raise = (sub: string, reason: RevocationReason, exceptSid: string | null) => {
    const epochBelow = (epochs.get(sub) ?? 0) + 1;
    epochs.set(sub, epochBelow);
    write({ kind: 'user', subject: sub, epochBelow, exceptSid, reason });
    if (reason === 'scope_changed') return;
    for (const session of sessions)
      if (session.sub === sub && session.sid !== exceptSid) session.alive = false;
  };
  for (const step of acts) {
    if (step.act === 'wait') now += step.by;
    else if (step.act === 'key') {
      write({ kind: 'key', subject: `k${key}`, reason: 'key_revoked' });
      key += 1;
    } else if ('user' in step) {
      const sub = `u${step.user}`;
      if (step.act === 'open') {
        const session = { sid: `s${sessions.length}`, sub, alive: true };
        sessions.push(session);
        issue(session);
      } else if (step.act === 'scopes') raise(sub, 'scope_changed', null);
      else raise(sub, step.act === 'disable' ? 'disabled' : 'signed_out_elsewhere', null);
    } else {
      const session = sessions[step.pick % Math.max(1, sessions.length)];
      const token = issued[step.pick % Math.max(1, issued.length)];
      if (token && step.act === 'revoke') {
        write({
          kind: 'token',
          subject: token.claims.jti,
          userId: token.claims.sub,
          reason: 'token_revoked',
        });
      }
      if (!session?.alive) continue;
      if (step.act === 'refresh') issue(session);
      if (step.act === 'change') raise(session.sub, 'password_changed', session.sid);
      if (step.act === 'logOut') {
        session.alive = false;
        write({ kind: 'session', subject: session.sid, userId: session.sub, reason: 'signed_out' });
      }
    }
  }
  return { entries, issued, now };
}

const act: fc.Arbitrary<Act> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ act: fc.constant('open' as const), user: fc.nat({ max: 2 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      act: fc.constantFrom('everywhere' as const, 'scopes' as const, 'disable' as const),
      user: fc.nat({ max: 2 }),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      act: fc.constantFrom('refresh' as const, 'logOut' as const, 'change' as const, 'revoke' as const),
      pick: fc.nat({ max: 40 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant<Act>({ act: 'key' }) },
  { weight: 3, arbitrary: fc.record({ act: fc.constant('wait' as const), by: fc.nat({ max: 400_000 }) }) },
);

/** The rule said plainly, over all entries there ever were. */
function naive(entries: readonly Entry[], { claims, kid }: Issued): RevocationReason | null {
  const ends = (reason: RevocationReason) =>
    !['scope_changed', 'token_revoked', 'key_revoked'].includes(reason);
  const hits = entries.filter((entry) => {
    if (entry.kind === 'token') return entry.subject === claims.jti;
    if (entry.kind === 'session') return entry.subject === claims.sid;
    if (entry.kind === 'key') return entry.subject === kid;
    return entry.subject === claims.sub && claims.epoch < entry.epochBelow && claims.sid !== entry.exceptSid;
  });
  const rank = (entry: Entry) =>
    entry.kind === 'user' ? (ends(entry.reason) ? 0 : 2) : { session: 1, token: 3, key: 4 }[entry.kind];
  return hits.sort((a, b) => rank(a) - rank(b) || a.id - b.id)[0]?.reason ?? null;
}

function fewOfEachUser(entries: readonly Entry[]): boolean {
  return ['u0', 'u1', 'u2'].every(
    (user) => entries.filter((entry) => entry.kind === 'user' && entry.subject === user).length <= 16,
  );
}

const acts = fc.array(act, { maxLength: 60, size: 'max' });

test('in whatever order and however often entries come, a view says what the whole list says, swept or not', () => {
  let refused = 0;
  let sweptAway = 0;
  fc.assert(
    fc.property(
      acts,
      fc.infiniteStream(fc.nat()),
      fc.infiniteStream(fc.nat({ max: 3 })),
      (list, order, again) => {
        const { entries, issued, now } = live(list);
        fc.pre(fewOfEachUser(entries));
        const shuffled = entries
          .flatMap((entry) => Array.from({ length: 1 + (again.next().value ?? 0) }, () => entry))
          .map((entry) => ({ entry, at: order.next().value ?? 0 }))
          .sort((a, b) => a.at - b.at);
        const view = createView();
        for (const { entry, at } of shuffled) {
          view.apply(entry);
          // Sweeping in between lets covered entries go before others have come.
          if (at % 5 === 0) view.sweep(0);
        }
        for (const token of issued) {
          assert.equal(view.verdict(token.claims, token.kid), naive(entries, token), token.claims.jti);
        }
        for (let at = 0; at <= now + 2 * life; at += 250_000) {
          view.sweep(at);
          for (const token of issued.filter(({ exp }) => exp > at)) {
            const verdict = view.verdict(token.claims, token.kid);
            assert.equal(verdict, naive(entries, token), `${token.claims.jti} at ${at}`);
            if (verdict !== null) refused += 1;
          }
          sweptAway = Math.max(sweptAway, entries.length - view.size);
        }
        assert.equal(view.size, 0);
      },
    ),
    { numRuns: 400 },
  );
  assert.ok(refused > 1000 && sweptAway > 10, 'the histories were worth the name');
});

test('with any number of raised epochs a view refuses at least what the whole list refuses', () => {
  fc.assert(
    fc.property(acts, fc.infiniteStream(fc.nat()), fc.nat({ max: 30 }), (list, order, more) => {
      const many: Act[] = Array.from({ length: more }, (_, pick) => ({ act: 'change', pick }));
      const { entries, issued } = live([...list, { act: 'open', user: 0 }, ...many]);
      const shuffled = entries
        .map((entry) => ({ entry, at: order.next().value ?? 0 }))
        .sort((a, b) => a.at - b.at);
      const one = viewOf(...shuffled.map(({ entry }) => entry));
      const other = viewOf(...entries);
      one.sweep(0);
      for (const token of issued) {
        const verdict = one.verdict(token.claims, token.kid);
        if (naive(entries, token) !== null) assert.notEqual(verdict, null);
        assert.equal(other.verdict(token.claims, token.kid) === null, verdict === null, 'in any order');
      }
    }),
    { numRuns: 300 },
  );
});
