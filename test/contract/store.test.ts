// What every engine must give to the shelves, whichever it is. Two stores stand for two processes: each has an instance of its own.
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Account } from '../../src/accounts/account.ts';
import { type TurnableClock, turnableClock } from '../../src/clock.ts';
import { isLatchkeyError } from '../../src/errors.ts';
import { type Entry, entryUntil, sessionEnded, userEpochRaised } from '../../src/revocations/entry.ts';
import { uuidv7 } from '../../src/secrets.ts';
import { decideRefresh } from '../../src/sessions/refresh.ts';
import { endSession, openSession, type Session } from '../../src/sessions/session.ts';
import type { StoredAccount } from '../../src/store/accounts.ts';
import type { Engine } from '../../src/store/engine.ts';
import { greatestAccessLife, nextAccessLife } from '../../src/store/facts.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import type { KeyRecord } from '../../src/tokens/keyring.ts';
import { engines, overheard, overtaken, type Place } from './engines.ts';

const minute = 60_000;
const policy = { idleMs: 30 * minute, ttlMs: 300 * minute, graceMs: 10_000, refreshKid: 'refresh-1' };

let serial = 0;

/** What a listener was told. */
interface Heard {
  readonly entries: Entry[];
  readonly keys: (readonly KeyRecord[])[];
  readonly order: string[];
}

function accountNamed(username: string | null, email: string | null, now: number): StoredAccount {
  const account: Account = {
    ...{ id: uuidv7(now + serial++), username, email, disabled: false, emailVerified: false },
    ...{ profile: {}, scopes: [], epoch: 1, version: 1, createdAt: now, updatedAt: now },
  };
  return { account, passwordHash: 'a hash' };
}

function sessionOf(userId: string, now: number, id = `session-${serial++}`): Session {
  return openSession({
    ...{ id, userId, now, policy, refreshKid: 'refresh-1', salt: 'salt', authTime: now, amr: ['pwd'] },
    ...{ askedScopes: null, clientId: 'client', label: 'Firefox on Linux', address: '192.0.2.1' },
  });
}

function keyOf(kid: string, now: number): KeyRecord {
  return {
    ...{ kid, purpose: 'access', algorithm: 'EdDSA', publicJwk: null, sealedPrivate: `sealed ${kid}` },
    ...{ createdAt: now, publishAt: now, signFrom: now, signUntil: now + minute, verifyUntil: now + minute },
    revokedAt: null,
  };
}

const refusedForStore = (error: unknown): boolean =>
  isLatchkeyError(error) && error.code === 'store_unavailable' && error.extra.retryAfter === 1;

for (const underTest of engines) {
  describe(`the contract of the store on ${underTest.name}`, () => {
    const statements = new Set<string>();
    let place: Place;
    let engine: Engine;
    let clock: TurnableClock;
    let one: Store;
    let two: Store;

    before(async () => {
      place = underTest.makePlace();
      const open = async () => overheard(await place.open(), (sql) => statements.add(sql));
      engine = await open();
      clock = turnableClock();
      one = openStore(engine, clock);
      two = openStore(await open(), clock);
    });
    after(async () => {
      await one.close();
      await two.close();
      place.remove();
    });
    beforeEach(() => clock.turn(minute));

    function listenWith(store: Store): Heard {
      const mine: Heard = { entries: [], keys: [], order: [] };
      store.listen({
        revoked(entry) {
          mine.entries.push(entry);
          mine.order.push(`heard ${entry.subject}`);
        },
        keys: (records) => mine.keys.push(records),
      });
      return mine;
    }

    async function newAccount(name: string): Promise<StoredAccount> {
      const stored = accountNamed(name, `${name}@example.com`, clock.now());
      assert.equal(await one.accounts.add(stored), 'added');
      return stored;
    }

    async function newSession(userId: string, id?: string): Promise<Session> {
      const session = sessionOf(userId, clock.now(), id);
      assert.equal(await one.sessions.open(session, 1), true);
      return session;
    }

    const raised = ({ account }: StoredAccount, reason: 'disabled' | 'deleted' | 'signed_out_elsewhere') => [
      userEpochRaised(account.id, account.epoch + 1, reason, entryUntil(clock.now(), 15 * minute)),
    ];

    test('threat 97: fifty accounts of one name, added at once through two stores, become one', async () => {
      const spellings = ['Race', 'race', 'RACE'];
      const added = await Promise.all(
        Array.from({ length: 50 }, (_, index) =>
          [one, two][index % 2]!.accounts.add(accountNamed(spellings[index % 3]!, null, clock.now())),
        ),
      );
      assert.equal(added.filter((outcome) => outcome === 'added').length, 1);
      assert.equal(added.filter((outcome) => outcome === 'username').length, 49);
    });

    test('an address that is taken is told apart from a name that is', async () => {
      await newAccount('taken');
      const outcome = await two.accounts.add(accountNamed('other', 'TAKEN@example.com', clock.now()));
      assert.equal(outcome, 'email');
    });

    test('an account comes back as it was added, whatever characters its profile holds', async () => {
      const plain = accountNamed('whole', 'whole@example.com', clock.now());
      const profile = { nul: 'a\0b', lone: '\ud800', quote: `'"\\`, nested: { list: [1, null, true] } };
      const account = { ...plain.account, profile, scopes: ['admin', 'a:b'], disabled: true };
      const stored = { account, passwordHash: '$argon2id$…' };
      await one.accounts.add(stored);
      assert.deepEqual(await two.accounts.find(account.id), stored);
      assert.deepEqual(await two.accounts.findByUsernameKey('whole'), stored);
      assert.deepEqual(await two.accounts.findByEmailKey('whole@example.com'), stored);
      assert.equal(await two.accounts.find('nobody'), null);
    });

    test('of changes made at once through two stores none is lost', async () => {
      const { account } = await newAccount('counted');
      const count = (store: Store) =>
        store.accounts.change(account.id, ({ account: before, passwordHash }) => {
          const profile = { count: Number(before.profile.count ?? 0) + 1 };
          return { outcome: 'changed', next: { account: { ...before, profile }, passwordHash } };
        });
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, (_, index) => count(index % 2 ? one : two)),
      );
      assert.ok(outcomes.every((outcome) => outcome === 'changed'));
      const after = (await one.accounts.find(account.id))!.account;
      assert.deepEqual([after.profile.count, after.version], [50, 51]);
    });

    test('a change that was overtaken is decided again on what is there now', async () => {
      const { account } = await newAccount('overtaken');
      const late = openStore(
        overtaken(engine, () =>
          two.accounts.change(account.id, (stored) => ({
            outcome: 'first',
            next: { ...stored, account: { ...stored.account, scopes: ['first'] } },
          })),
        ),
        clock,
      );
      const seen: string[] = [];
      await late.accounts.change(account.id, (stored) => {
        seen.push(stored.account.scopes.join());
        return { outcome: null, next: { ...stored, account: { ...stored.account, disabled: true } } };
      });
      assert.deepEqual(seen, ['', 'first']);
      const { scopes, disabled } = (await one.accounts.find(account.id))!.account;
      assert.deepEqual([scopes, disabled], [['first'], true]);
    });

    test('a change that decides nothing writes nothing, and one of nobody is null', async () => {
      const { account } = await newAccount('idle');
      assert.equal(await one.accounts.change(account.id, () => ({ outcome: 'nothing' })), 'nothing');
      assert.equal((await one.accounts.find(account.id))!.account.version, 1);
      assert.equal(await one.accounts.change('nobody', () => ({ outcome: 'nothing' })), null);
    });

    test('a change to a taken name says so, and ends and revokes nothing', async () => {
      await newAccount('occupied');
      const stored = await newAccount('mover');
      const session = await newSession(stored.account.id);
      const { entries } = listenWith(one);
      const known = entries.length;
      const outcome = await one.accounts.change(stored.account.id, (before) => ({
        outcome: 'changed',
        next: { ...before, account: { ...before.account, username: 'Occupied' } },
        end: { reason: 'disabled', except: null },
        entries: raised(before, 'disabled'),
      }));
      assert.equal(outcome, 'username');
      assert.equal((await one.sessions.find(session.id))!.endedAt, null);
      assert.equal(one.catchUp() && entries.length, known);
    });

    test('sessions end in the unit that changes their account, each in its own row, and one may be excepted', async () => {
      const stored = await newAccount('ender');
      const [kept, gone, over] = [
        await newSession(stored.account.id),
        await newSession(stored.account.id),
        await newSession(stored.account.id),
      ];
      await one.sessions.change(over.id, (session, _, now) => ({
        outcome: null,
        next: endSession(session, 'signed_out', now),
      }));
      await one.accounts.change(stored.account.id, (before) => ({
        outcome: null,
        next: { ...before, account: { ...before.account, epoch: 2 } },
        end: { reason: 'password_changed', except: kept.id },
        entries: raised(before, 'signed_out_elsewhere'),
      }));
      const after = (await two.sessions.find(gone.id))!;
      assert.deepEqual(
        [after.endedReason, after.endedAt, after.version],
        ['password_changed', clock.now(), gone.version + 1],
      );
      assert.equal((await two.sessions.find(kept.id))!.endedAt, null);
      assert.equal((await two.sessions.find(over.id))!.endedReason, 'signed_out');
    });

    test('an account that goes leaves tombstones that know why, and nothing personal', async () => {
      const stored = await newAccount('leaver');
      const [running, over] = [await newSession(stored.account.id), await newSession(stored.account.id)];
      await one.sessions.change(over.id, (session, _, now) => ({
        outcome: null,
        next: endSession(session, 'signed_out', now),
      }));
      const versions = [running.version, (await one.sessions.find(over.id))!.version];
      const { entries } = listenWith(one);
      await one.accounts.change(stored.account.id, (before) => ({
        outcome: 'gone',
        remove: true,
        end: { reason: 'deleted', except: null },
        entries: raised(before, 'deleted'),
      }));
      assert.equal(await two.accounts.find(stored.account.id), null);
      assert.equal(await two.accounts.findByUsernameKey('leaver'), null);
      for (const [session, reason, version] of [
        [running, 'deleted', versions[0]!],
        [over, 'signed_out', versions[1]!],
      ] as const) {
        const tombstone = (await two.sessions.find(session.id))!;
        const { userId, clientId, label, address, endedReason } = tombstone;
        assert.deepEqual([userId, clientId, label, address], [null, null, null, null]);
        assert.equal(endedReason, reason);
        // Or a change that read the row before would write it all back.
        assert.ok(tombstone.version > version);
      }
      assert.ok(entries.some(({ subject, reason }) => subject === stored.account.id && reason === 'deleted'));
      assert.equal(await one.sessions.open(sessionOf(stored.account.id, clock.now()), 1), false);
    });

    test('a better hash takes the place of the one that was checked, and of no other', async () => {
      const { account } = await newAccount('rehashed');
      await one.accounts.rehash(account.id, 'another hash', 'worse');
      assert.equal((await two.accounts.find(account.id))!.passwordHash, 'a hash');
      await one.accounts.rehash(account.id, 'a hash', 'better');
      assert.equal((await two.accounts.find(account.id))!.passwordHash, 'better');
    });

    test('accounts are listed in pages, oldest first, and searched by a part of a name or address', async () => {
      for (const name of ['page_one', 'page-two', 'pageXone']) await newAccount(name);
      const all = (await two.accounts.list({ limit: 1000 })).map(({ id }) => id);
      assert.deepEqual(all, [...all].sort());
      const [first, second] = all;
      assert.deepEqual(
        (await two.accounts.list({ limit: 1, after: first })).map(({ id }) => id),
        [second],
      );
      const found = async (search: string) =>
        (await two.accounts.list({ limit: 10, search })).map(({ username }) => username);
      assert.deepEqual(await found('AGE_'), ['page_one']);
      assert.deepEqual(await found('age-TWO@example'), ['page-two']);
      assert.deepEqual(await found('%'), []);
    });

    test('a log-in that waited for its hash gets no session when the epoch was raised or the account disabled', async () => {
      const stored = await newAccount('waiter');
      const { id } = stored.account;
      assert.equal(await one.sessions.open(sessionOf(id, clock.now()), 2), false);
      await two.accounts.change(id, (before) => ({
        outcome: null,
        next: { ...before, account: { ...before.account, disabled: true } },
      }));
      assert.equal(await one.sessions.open(sessionOf(id, clock.now()), 1), false);
      assert.equal(await one.sessions.open(sessionOf('nobody', clock.now()), 1), false);
      assert.deepEqual(await one.sessions.listOf(id), []);
    });

    test('log-ins that race a disable are refused or ended: none is left running', async () => {
      const stored = await newAccount('racer');
      const { id } = stored.account;
      const sessions = Array.from({ length: 20 }, () => sessionOf(id, clock.now()));
      const opening = sessions.map((session, index) => [one, two][index % 2]!.sessions.open(session, 1));
      const disabling = two.accounts.change(id, (before) => ({
        outcome: null,
        next: { ...before, account: { ...before.account, epoch: 2, disabled: true } },
        end: { reason: 'disabled', except: null },
        entries: raised(before, 'disabled'),
      }));
      await Promise.all([...opening, disabling]);
      assert.deepEqual(await one.sessions.listOf(id), []);
    });

    test('a session comes back as it was opened, with its account beside it', async () => {
      const { account } = await newAccount('owner');
      const session = await newSession(account.id);
      assert.deepEqual(await two.sessions.find(session.id), session);
      const seen = await two.sessions.change(session.id, (read, owner) => ({ outcome: [read, owner] }));
      assert.deepEqual(seen, [session, account]);
      assert.equal(await two.sessions.change('nothing', () => ({ outcome: 1 })), null);
    });

    test('of changes of one session made at once through two stores none is lost', async () => {
      const { account } = await newAccount('busy');
      const session = await newSession(account.id);
      const move = (store: Store) =>
        store.sessions.change(session.id, (before) => ({
          outcome: before.generation + 1,
          next: { ...before, generation: before.generation + 1 },
        }));
      const outcomes = await Promise.all(
        Array.from({ length: 100 }, (_, index) => move(index % 2 ? one : two)),
      );
      assert.deepEqual(
        outcomes.map(Number).sort((a, b) => a - b),
        Array.from({ length: 100 }, (_, index) => index + 2),
      );
      const after = (await one.sessions.find(session.id))!;
      assert.deepEqual([after.generation, after.version], [101, 101]);
    });

    test('threat 77: a refresh that read its session before the account was disabled moves nothing on', async () => {
      const { account } = await newAccount('disabled-late');
      const session = await newSession(account.id);
      const late = openStore(
        overtaken(engine, () =>
          two.accounts.change(account.id, (stored) => ({
            outcome: null,
            next: { ...stored, account: { ...stored.account, epoch: 2, disabled: true } },
            end: { reason: 'disabled', except: null },
            entries: raised(stored, 'disabled'),
          })),
        ),
        clock,
      );
      const presented = { generation: 1, expiresAt: session.refreshExpiresAt };
      const outcome = await late.sessions.change(session.id, (read, _, now) => {
        const decision = decideRefresh(read, presented, now, policy);
        return decision.outcome === 'rotated'
          ? { outcome: decision.outcome, next: decision.session }
          : { outcome: decision.outcome };
      });
      assert.equal(outcome, 'ended');
      assert.equal((await two.sessions.find(session.id))!.generation, 1);
    });

    test('a change that holds for one epoch is decided again when another raised it', async () => {
      const { account } = await newAccount('epochal');
      const session = await newSession(account.id);
      const late = openStore(
        overtaken(engine, () =>
          two.accounts.change(account.id, (stored) => ({
            outcome: null,
            next: { ...stored, account: { ...stored.account, epoch: 2 } },
          })),
        ),
        clock,
      );
      const epochs: number[] = [];
      await late.sessions.change(session.id, (read, owner) => {
        epochs.push(owner!.epoch);
        return { outcome: null, next: { ...read, lastSeenAt: 1 }, whileEpoch: owner!.epoch };
      });
      assert.deepEqual(epochs, [1, 2]);
      assert.equal((await two.sessions.find(session.id))!.lastSeenAt, 1);
    });

    test('a change that holds for an epoch that never comes is refused in the end, not tried for ever', async () => {
      const { account } = await newAccount('never');
      const session = await newSession(account.id);
      await assert.rejects(
        one.sessions.change(session.id, (read) => ({ outcome: null, next: read, whileEpoch: 7 })),
        refusedForStore,
      );
    });

    test('what an overtaken change would have revoked is not revoked', async () => {
      const { account } = await newAccount('spared');
      const session = await newSession(account.id);
      const { entries } = listenWith(one);
      const touch = () =>
        two.sessions.change(session.id, (read) => ({ outcome: null, next: { ...read, lastSeenAt: 2 } }));
      const late = openStore(overtaken(engine, touch), clock);
      await late.sessions.change(session.id, (read) =>
        read.lastSeenAt === 2
          ? { outcome: 'seen' }
          : {
              outcome: 'ended',
              next: endSession(read, 'reuse_detected', clock.now()),
              entries: [sessionEnded(read.id, account.id, 'reuse_detected', clock.now() + minute)],
            },
      );
      one.catchUp();
      assert.ok(!entries.some(({ subject }) => subject === session.id));
    });

    test('threat 79: the sessions of one account are listed while they run, the one last seen first', async () => {
      const mine = (await newAccount('lister')).account;
      const other = (await newAccount('stranger')).account;
      const first = await newSession(mine.id);
      clock.turn(1000);
      const second = await newSession(mine.id);
      await newSession(other.id);
      assert.deepEqual(
        (await two.sessions.listOf(mine.id)).map(({ id }) => id),
        [second.id, first.id],
      );
      await one.sessions.change(second.id, (session, _, now) => ({
        outcome: null,
        next: endSession(session, 'signed_out', now),
      }));
      assert.deepEqual(
        (await two.sessions.listOf(mine.id)).map(({ id }) => id),
        [first.id],
      );
      clock.turn(policy.idleMs);
      assert.deepEqual(await two.sessions.listOf(mine.id), []);
    });

    test('every session of everybody ends in one unit, and those that were over keep their reason', async () => {
      const { account } = await newAccount('everybody');
      const [running, over] = [await newSession(account.id), await newSession(account.id)];
      await one.sessions.change(over.id, (session, _, now) => ({
        outcome: null,
        next: endSession(session, 'signed_out', now),
      }));
      assert.ok(await one.keys.change(await one.keys.read(), { endSessions: 'signed_out_elsewhere' }));
      assert.equal((await two.sessions.find(running.id))!.endedReason, 'signed_out_elsewhere');
      assert.equal((await two.sessions.find(running.id))!.version, running.version + 1);
      assert.equal((await two.sessions.find(over.id))!.endedReason, 'signed_out');
    });

    test('sessions are swept in steps when their last token is past, and not before', async () => {
      clock.turn(policy.ttlMs);
      while ((await one.sessions.sweep(500)) > 0);
      const { account } = await newAccount('swept');
      const old = [
        await newSession(account.id),
        await newSession(account.id),
        await newSession(account.id),
      ].map(({ id }) => id);
      clock.turn(policy.idleMs - 1);
      const young = await newSession(account.id);
      assert.equal(await one.sessions.sweep(500), 0);
      clock.turn(1);
      assert.equal(await one.sessions.sweep(2), 2);
      assert.equal(await one.sessions.sweep(2), 1);
      for (const id of old) assert.equal(await two.sessions.find(id), null);
      assert.deepEqual(await two.sessions.find(young.id), young);
    });

    describe('at a start', () => {
      async function rotated(userId: string, generations = 1): Promise<Session> {
        const session = await newSession(userId);
        for (let generation = 1; generation <= generations; generation++) {
          await one.sessions.change(session.id, (read, _, now) => {
            const presented = { generation, expiresAt: read.refreshExpiresAt };
            const decision = decideRefresh(read, presented, now, policy);
            assert.equal(decision.outcome, 'rotated');
            return { outcome: null, next: (decision as { session: Session }).session };
          });
        }
        return (await one.sessions.find(session.id))!;
      }
      const graceOf = async (id: string) => (await two.sessions.find(id))!.recent.at(-1)?.[1];

      test('the grace of what was rotated in the last moments before the stop is opened anew, and of nothing else', async () => {
        const { account } = await newAccount('stopped');
        const early = await rotated(account.id);
        clock.turn(20_000);
        const fresh = await newSession(account.id);
        const [late, over] = [await rotated(account.id, 3), await rotated(account.id)];
        await one.sessions.change(over.id, (session, _, now) => ({
          outcome: null,
          next: endSession(session, 'signed_out', now),
        }));
        const stop = clock.now();
        clock.turn(5 * minute);
        await one.sessions.prepare(policy, false);
        assert.equal(await graceOf(late.id), clock.now() + policy.graceMs);
        assert.equal(await graceOf(early.id), stop - 20_000 + policy.graceMs);
        assert.equal(await graceOf(over.id), stop + policy.graceMs);
        assert.deepEqual((await two.sessions.find(fresh.id))!.recent, []);
      });

      test('rows of a clock that was an hour ahead do not hide those that came after it was set back', async () => {
        const { account } = await newAccount('clockless');
        clock.turn(60 * minute);
        await rotated(account.id);
        clock.turn(-60 * minute);
        const late = await rotated(account.id);
        clock.turn(minute);
        await one.sessions.prepare(policy, false);
        assert.equal(await graceOf(late.id), clock.now() + policy.graceMs);
        clock.turn(60 * minute);
      });
    });

    test('threat 31: of two changes of the ring one wins, and the loser has changed nothing and reads the other', async () => {
      const ring = await one.keys.read();
      const [mine, theirs] = [keyOf('mine', clock.now()), keyOf('theirs', clock.now())];
      const won = await Promise.all([
        one.keys.change(ring, { add: [mine] }),
        two.keys.change(ring, { add: [theirs] }),
      ]);
      assert.deepEqual([...won].sort(), [false, true]);
      const after = await one.keys.read();
      assert.deepEqual(after.records, [won[0] ? mine : theirs]);
      assert.notEqual(after.counter, ring.counter);
      const again = won[0] ? two : one;
      assert.equal(await again.keys.change(after, { add: [won[0] ? theirs : mine] }), true);
      assert.equal((await one.keys.read()).records.length, 2);
    });

    test('keys are replaced and removed with their entries, and the others hear of the whole ring', async () => {
      const before = await one.keys.read();
      await one.keys.change(before, { add: [keyOf('kept', clock.now()), keyOf('dropped', clock.now())] });
      const theirs = listenWith(two);
      const revoked = { ...keyOf('kept', clock.now()), revokedAt: clock.now() };
      const until = clock.now() + minute;
      const entries = [{ kind: 'key', subject: 'kept', reason: 'key_revoked', until }] as const;
      const ring = await one.keys.read();
      assert.ok(await one.keys.change(ring, { replace: [revoked], remove: ['dropped'], entries }));
      assert.ok(two.catchUp());
      const last = theirs.keys.at(-1)!;
      assert.deepEqual(
        last.find(({ kid }) => kid === 'kept'),
        revoked,
      );
      assert.ok(!last.some(({ kid }) => kid === 'dropped'));
      assert.ok(theirs.entries.some(({ kind, subject }) => kind === 'key' && subject === 'kept'));
    });

    const entry = (subject: string, until = clock.now() + minute) =>
      ({ kind: 'token', subject, userId: null, reason: 'token_revoked', until }) as const;

    test('threat 75: what is revoked is heard in this process before its cause is answered', async () => {
      const mine = listenWith(one);
      mine.order.length = 0;
      await Promise.all(
        ['first', 'second', 'third'].map(async (subject) => {
          await one.revocations.add([entry(subject)]);
          mine.order.push(`answered ${subject}`);
        }),
      );
      for (const subject of ['first', 'second', 'third']) {
        assert.ok(mine.order.indexOf(`heard ${subject}`) >= 0);
        assert.ok(mine.order.indexOf(`heard ${subject}`) < mine.order.indexOf(`answered ${subject}`));
      }
    });

    test('an entry comes to a listener as it was written, of every kind', async () => {
      const theirs = listenWith(two);
      const until = clock.now() + minute;
      const written = [
        entry('jti-1'),
        sessionEnded('sid-1', 'user-1', 'signed_out', until),
        userEpochRaised('user-1', 3, 'password_changed', until, 'sid-2'),
        { kind: 'key', subject: 'kid-1', reason: 'key_revoked', until } as const,
      ];
      await one.revocations.add(written);
      two.catchUp();
      const came = theirs.entries.slice(-written.length);
      assert.deepEqual(
        came.map(({ id: _, ...rest }) => rest),
        written,
      );
    });

    test('entries of two processes are all heard by both, also one with a lower id than an own one', async () => {
      const [mine, theirs] = [listenWith(one), listenWith(two)];
      await two.revocations.add([entry('theirs-before')]);
      await one.revocations.add([entry('mine-after')]);
      assert.ok(mine.entries.some(({ subject }) => subject === 'mine-after'));
      await new Promise((resolve) => setImmediate(resolve));
      assert.ok(one.catchUp());
      assert.ok(two.catchUp());
      for (const { entries } of [mine, theirs]) {
        const [before, after] = ['theirs-before', 'mine-after'].map(
          (subject) => entries.find((each) => each.subject === subject)!.id,
        );
        assert.ok(before! < after!);
      }
    });

    test('ids grow in the order of commits', async () => {
      for (let round = 0; round < 10; round++) {
        await [one, two][round % 2]!.revocations.add([entry(`ordered-${round}`)]);
      }
      const { entries } = listenWith(one);
      const ids = entries.filter(({ subject }) => subject.startsWith('ordered-')).map(({ id }) => id);
      assert.equal(ids.length, 10);
      assert.deepEqual(
        ids,
        [...ids].sort((a, b) => a - b),
      );
    });

    test('whoever begins to listen is told all that is there, however much, and once more if asked again', async () => {
      const many = Array.from({ length: 150 }, (_, index) => entry(`many-${index}`));
      for (let times = 0; times < 8; times++) await one.revocations.add(many);
      for (let times = 0; times < 2; times++) {
        const { entries, keys } = listenWith(two);
        assert.equal(entries.filter(({ subject }) => subject.startsWith('many-')).length, 1200);
        assert.equal(keys.length, 1);
      }
    });

    test('entries are counted while they live, and swept in steps when they kill nothing any more', async () => {
      clock.turn(10 * minute);
      while ((await one.revocations.sweep(500)) > 0);
      const until = clock.now() + minute;
      for (const id of ['a', 'b', 'c'])
        await one.revocations.add([sessionEnded(id, 'counted-user', 'signed_out', until)]);
      assert.equal(await two.revocations.countOfUser('counted-user'), 3);
      assert.equal(await two.revocations.countOfUser('somebody-else'), 0);
      assert.equal(await one.revocations.sweep(500), 0);
      clock.turn(minute);
      assert.equal(await two.revocations.countOfUser('counted-user'), 0);
      assert.deepEqual([await one.revocations.sweep(2), await one.revocations.sweep(2)], [2, 1]);
    });

    test('an id that was swept never comes back', async () => {
      await one.revocations.add([entry('last', clock.now())]);
      const { entries } = listenWith(one);
      const last = entries.find(({ subject }) => subject === 'last')!.id;
      await one.revocations.sweep(500);
      await one.revocations.add([entry('next')]);
      assert.ok(entries.find(({ subject }) => subject === 'next')!.id > last);
    });

    test('services are added once, found, listed and removed', async () => {
      const service = { clientId: 'svc', name: 'Shop', secretHash: 'hash', createdAt: clock.now() };
      await one.services.add(service);
      await assert.rejects(two.services.add({ ...service, secretHash: 'other' }));
      assert.deepEqual(await two.services.find('svc'), service);
      assert.deepEqual(await two.services.list(), [service]);
      assert.equal(await two.services.find('nobody'), null);
      assert.equal(await two.services.remove('svc'), true);
      assert.equal(await one.services.remove('svc'), false);
    });

    test('the greatest access life is raised at once, and lowered only after the old one has passed', async () => {
      assert.equal(await one.facts.accessLife(15 * minute), 15 * minute);
      assert.equal(await two.facts.accessLife(60 * minute), 60 * minute);
      assert.equal(await one.facts.accessLife(5 * minute), 60 * minute);
      clock.turn(60 * minute - 1);
      assert.equal(await two.facts.accessLife(5 * minute), 60 * minute);
      clock.turn(1);
      assert.equal(await two.facts.accessLife(5 * minute), 5 * minute);
    });

    test('of instances that start at once with different access lives the greatest is remembered', async () => {
      const lives = [5, 90, 10, 20, 30, 40].map((minutes) => minutes * minute);
      await Promise.all(lives.map((life, index) => [one, two][index % 2]!.facts.accessLife(life)));
      assert.equal(await one.facts.accessLife(5 * minute), 90 * minute);
    });

    test('a store that is closed refuses, reads and writes, as one that cannot be reached', async () => {
      const closed = openStore(await place.open(), clock);
      assert.equal(closed.healthy(), true);
      await Promise.all([closed.close(), closed.close()]);
      await closed.close();
      assert.equal(closed.healthy(), false);
      assert.equal(closed.catchUp(), false);
      await assert.rejects(closed.accounts.find('anybody'), refusedForStore);
      await assert.rejects(closed.revocations.add([entry('late')]), refusedForStore);
    });

    test('what was taken before a close is carried out', async () => {
      const closing = openStore(await place.open(), clock);
      const adding = Array.from({ length: 20 }, (_, index) =>
        closing.revocations.add([entry(`closing-${index}`)]),
      );
      await closing.close();
      await Promise.all(adding);
      const { entries } = listenWith(one);
      assert.equal(entries.filter(({ subject }) => subject.startsWith('closing-')).length, 20);
    });

    test('no statement of the shelves reads a whole table but those that must', () => {
      const mayReadAll = [
        // A page in order of id, which stops at its limit, and a search for a part of a name.
        /^select \* from "users" (where \("username_key" like .* )?order by "id" limit/,
        // Everybody's sessions end.
        /^update "sessions" set "ended_at" = \?, .* where "ended_at" is null$/,
        // Small tables.
        /^select .* from "(keys|services)" order by "created_at"/,
      ];
      assert.ok(statements.size > 25);
      const unused = new Set(mayReadAll);
      for (const sql of statements) {
        const scans = place.plan(sql).filter((line) => underTest.wholeTable.test(line));
        const allowed = mayReadAll.find((pattern) => pattern.test(sql));
        if (allowed) unused.delete(allowed);
        else assert.deepEqual(scans, [], sql);
      }
      assert.deepEqual([...unused], []);
    });

    test('sweeps, lists and the look at a start go by the index that was made for them', () => {
      const madeFor: readonly (readonly [statement: RegExp, index: string])[] = [
        [/^select "id" from "sessions" where "refresh_expires_at" <= /, 'sessions_by_expiry'],
        [/^select \* from "sessions" where "user_id" = .* order by "last_seen_at"/, 'sessions_of_a_user'],
        [/^select "issued_at" from "sessions" where "issued_at" <= /, 'sessions_by_issue'],
        [/^select "id", "generation" from "sessions" where "issued_at" >= /, 'sessions_by_issue'],
        [/^select "id" from "revocations" where "until" <= /, 'revocations_by_end'],
        [/^select count.* from "revocations" where "user_id" = /, 'revocations_of_a_user'],
      ];
      for (const [pattern, index] of madeFor) {
        const sql = [...statements].find((each) => pattern.test(each));
        assert.ok(sql, String(pattern));
        assert.ok(
          place.plan(sql).some((line) => line.includes(index)),
          sql,
        );
      }
    });
  });
}

test('the greatest access life after any row of starts is no less than that of a token that may be alive', () => {
  let known = nextAccessLife(null, 60, 0);
  known = nextAccessLife(known, 30, 10);
  known = nextAccessLife(known, 20, 20);
  assert.equal(greatestAccessLife(known, 69), 60);
  assert.equal(greatestAccessLife(nextAccessLife(known, 90, 30), 31), 90);
});
