/** The guarantees of every store of mailboxes, as one suite; each implementation's test runs it. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import type { MailboxLimits, MailboxStore } from './mailbox-store.ts';

const dayMs = 86_400_000;

/** Small bounds, so that tests reach them. */
export const smallLimits: MailboxLimits = {
  mailboxMessagesMax: 5,
  mailboxBytesMax: 100,
  mailboxAgeMs: 90 * dayMs,
  mailboxHoldMs: 7 * dayMs,
  mailboxDevicesMax: 3,
  mailboxMemoryMax: 16,
};

type MakeStore = (limits: MailboxLimits, nowMs: () => number) => MailboxStore;

/** A store with a clock that the test moves, and people of its own. */
function setUp(make: MakeStore, limits: Partial<MailboxLimits> = {}) {
  const clock = { nowMs: Date.now() };
  const store = make({ ...smallLimits, ...limits }, () => clock.nowMs);
  const suffix = randomUUID().slice(0, 8);
  const [alice, bob, carol] = ['alice', 'bob', 'carol'].map((name) => `${name}-${suffix}`) as [
    string,
    string,
    string,
  ];
  const lease = (token: string, node = 'n1') => ({ node, token, ttlMs: 30_000 });
  const arrive = (user: string, device: string, upTo?: number) =>
    store.arrive({ user, device, ...(upTo !== undefined && { upTo }), lease: lease(device) });
  const say = (id: string, { from = alice, to = bob, body = id } = {}) => store.store({ to, from, id, body });
  const seqs = async (user: string, after = 0, count = 100) =>
    (await store.page(user, after, count)).messages.map(({ seq }) => seq);
  const seqOf = async (id: string) => {
    const stored = await say(id);
    assert.equal(stored.result, 'ok');
    return stored.result === 'ok' ? stored.seq : 0;
  };
  return { clock, store, alice, bob, carol, lease, arrive, say, seqs, seqOf };
}

/** `nowMs`: the clock that the store must use. */
export function mailboxStoreContract(name: string, make: MakeStore): void {
  describe(`mailboxes in ${name}`, () => {
    it('stores in order, and answers the same id with the same place, also after it was removed', async () => {
      const { store, bob, alice, carol, say, seqs, arrive } = setUp(make);
      const first = await say('a');
      assert.deepEqual(await say('b', { body: 'second' }), { ...first, seq: 2 });
      assert.deepEqual(await say('a', { body: 'other' }), first);
      assert.equal(((await say('a', { from: carol })) as { seq?: number }).seq, 3, 'an id is of its sender');
      const { messages, last } = await store.page(bob, 0, 2);
      assert.deepEqual([messages.map(({ body }) => body), last], [['a', 'second'], 3]);
      await arrive(bob, 'phone');
      await store.received(bob, 'phone', 3, []);
      assert.deepEqual(await seqs(bob), []);
      const again = await say('a', { from: alice });
      assert.deepEqual({ ...again, nodes: [] }, first);
      assert.deepEqual(await seqs(bob), [], 'and it does not come back');
    });

    it('forgets no id before as many others came, and not all of them after', async () => {
      const { seqOf, arrive, store, bob } = setUp(make);
      await arrive(bob, 'phone');
      for (let number = 1; number <= 16; number++) {
        assert.equal(await seqOf(`id ${number}`), number);
        await store.received(bob, 'phone', number, []);
      }
      assert.equal(await seqOf('id 1'), 1);
      for (let number = 17; number <= 40; number++) {
        assert.equal(await seqOf(`id ${number}`), number);
        await store.received(bob, 'phone', number, []);
      }
      assert.equal(await seqOf('id 1'), 41);
    });

    it('makes a mailbox for the first message, and not for a receipt', async () => {
      const { store, alice, bob } = setUp(make);
      const message = { to: bob, from: alice, id: '1', body: '' };
      assert.equal((await store.store(message)).result, 'ok');
      assert.deepEqual(await store.receipt('nobody-at-all', bob, 'read', 1), { version: 0, nodes: [] });
    });

    it('is full at its bounds of messages and of bytes, and takes more when there is room', async () => {
      const { store, bob, say, arrive, seqs } = setUp(make);
      for (let number = 1; number <= 5; number++) assert.equal((await say(`${number}`)).result, 'ok');
      assert.equal((await say('6')).result, 'full');
      assert.equal((await say('5')).result, 'ok', 'what is stored already is no more');
      await arrive(bob, 'phone');
      await store.received(bob, 'phone', 1, []);
      assert.equal((await say('6')).result, 'ok');
      assert.equal((await say('7')).result, 'full');
      await store.received(bob, 'phone', 6, []);
      const half = '€'.repeat(17);
      assert.equal((await say('8', { body: half })).result, 'ok');
      assert.equal((await say('9', { body: half })).result, 'full', '2 × 51 bytes of UTF-8');
      assert.equal((await say('10', { body: 'x'.repeat(49) })).result, 'ok');
      assert.deepEqual(await seqs(bob), [7, 8]);
    });

    it('removes what every device has, and a new device begins at the oldest that is there', async () => {
      const { store, bob, arrive, say, seqs } = setUp(make);
      await arrive(bob, 'phone');
      await arrive(bob, 'laptop');
      for (const id of ['1', '2', '3']) await say(id);
      await store.received(bob, 'phone', 3, []);
      assert.deepEqual(await seqs(bob), [1, 2, 3]);
      await store.received(bob, 'laptop', 2, []);
      assert.deepEqual(await seqs(bob), [3]);
      const { cursor, last, waiting } = await arrive(bob, 'tablet');
      assert.deepEqual({ cursor, last, waiting }, { cursor: 2, last: 3, waiting: 1 });
      assert.equal((await arrive(bob, 'phone')).waiting, 0);
    });

    it('moves no cursor back, nor beyond what is stored', async () => {
      const { store, bob, arrive, say } = setUp(make);
      await arrive(bob, 'phone');
      for (const id of ['1', '2', '3']) await say(id);
      await store.received(bob, 'phone', 99, []);
      await store.received(bob, 'phone', 1, []);
      assert.equal((await arrive(bob, 'phone', 0)).cursor, 3);
      await say('4');
      assert.equal((await arrive(bob, 'phone')).waiting, 1);
    });

    it('takes at most so many devices: the one that was silent for longest gives way', async () => {
      const { clock, bob, arrive, store, say, seqs } = setUp(make);
      for (const device of ['one', 'two', 'three']) {
        await arrive(bob, device);
        clock.nowMs += 1000;
      }
      for (const device of ['two', 'three']) {
        await store.leave(bob, device, device, []);
        clock.nowMs += 1000;
      }
      await arrive(bob, 'four');
      await say('1');
      for (const device of ['one', 'three', 'four']) await store.received(bob, device, 1, []);
      assert.deepEqual(await seqs(bob), [], 'nobody waits for the second');
    });

    it('removes what is too old, counts it, and tells a device of a place behind it', async () => {
      const { clock, store, bob, arrive, say } = setUp(make);
      await arrive(bob, 'phone');
      await say('1');
      clock.nowMs += dayMs;
      await say('2');
      clock.nowMs += 89 * dayMs;
      await say('3');
      const { messages, expired } = await store.page(bob, 0, 100);
      assert.deepEqual([messages.map(({ seq }) => seq), expired], [[2, 3], { age: 1, room: 0 }]);
      const arrived = await arrive(bob, 'phone');
      assert.deepEqual([arrived.cursor, arrived.waiting], [0, 2]);
      clock.nowMs += 91 * dayMs;
      assert.deepEqual((await arrive(bob, 'phone')).expired, { age: 2, room: 0 });
      assert.equal(((await say('4')) as { seq?: number }).seq, 4, 'numbers go on');
    });

    it('does not let a device that is silent for too long keep what the others have', async () => {
      const { clock, store, bob, arrive, say, seqs } = setUp(make);
      await arrive(bob, 'phone');
      await arrive(bob, 'laptop');
      for (let number = 1; number <= 5; number++) await say(`${number}`);
      await store.received(bob, 'laptop', 4, []);
      assert.equal((await say('6')).result, 'full', 'the phone may come back');
      clock.nowMs += 8 * dayMs;
      await arrive(bob, 'laptop');
      const stored = await say('6');
      assert.deepEqual(stored.result === 'ok' && [stored.seq, stored.expired], [6, { age: 0, room: 4 }]);
      assert.deepEqual(await seqs(bob), [5, 6], 'nobody has the fifth');
      assert.deepEqual((await arrive(bob, 'phone')).cursor, 0);
      clock.nowMs += 91 * dayMs;
      await arrive(bob, 'laptop');
      assert.equal((await say('7')).result, 'ok');
      await store.received(bob, 'laptop', 7, []);
      assert.deepEqual(await seqs(bob), [], 'a device that was not here within the retention waits for none');
    });

    it('owes the senders a receipt until it is settled', async () => {
      const { store, alice, bob, carol, arrive, say } = setUp(make);
      await arrive(bob, 'phone');
      await arrive(bob, 'laptop');
      await say('1');
      await say('2', { from: carol });
      await say('3');
      const ofAlice = { kind: 'received', peer: alice, seq: 3 } as const;
      const ofCarol = { kind: 'received', peer: carol, seq: 2 } as const;
      assert.deepEqual((await store.received(bob, 'phone', 3, [])).owed, [ofAlice, ofCarol]);
      assert.deepEqual((await store.received(bob, 'laptop', 3, [])).owed, [], 'the first device counts');
      await store.received(bob, 'phone', 3, [{ ...ofAlice, seq: 2 }, ofCarol]);
      assert.deepEqual((await arrive(bob, 'phone')).owed, [ofAlice], 'an older one settles nothing');
      await store.leave(bob, 'phone', 'phone', [ofAlice]);
      assert.deepEqual((await arrive(bob, 'phone')).owed, []);
      await say('4');
      await arrive(bob, 'phone', 4);
      assert.deepEqual((await arrive(bob, 'phone')).owed, [{ ...ofAlice, seq: 4 }], 'a login counts as well');
    });

    it('takes a read only up to what the peer has sent, and never back', async () => {
      const { store, alice, bob, carol, arrive, say } = setUp(make);
      await arrive(bob, 'phone');
      await say('1');
      await say('2', { from: carol });
      assert.deepEqual((await store.read(bob, 'nobody', 2)).owed, []);
      assert.deepEqual((await store.read(bob, alice, 2)).owed, [{ kind: 'read', peer: alice, seq: 1 }]);
      assert.deepEqual((await store.read(bob, alice, 1)).owed, []);
      await store.received(bob, 'phone', 2, []);
      await say('3');
      assert.deepEqual((await store.read(bob, alice, 3)).owed, [{ kind: 'read', peer: alice, seq: 3 }]);
    });

    it('gives receipts rising versions, keeps the newest of each, and none goes back', async () => {
      const { store, alice, bob, carol, arrive } = setUp(make);
      await arrive(alice, 'phone');
      assert.deepEqual(await store.receipt(alice, bob, 'received', 5), { version: 1, nodes: ['n1'] });
      assert.equal((await store.receipt(alice, bob, 'received', 4)).version, 0);
      assert.equal((await store.receipt(alice, bob, 'received', 5)).version, 0);
      assert.equal((await store.receipt(alice, carol, 'received', 1)).version, 2);
      assert.equal((await store.receipt(alice, bob, 'read', 4)).version, 3);
      assert.equal((await store.receipt(alice, bob, 'received', 7)).version, 4);
      const carols = { kind: 'received', by: carol, upTo: 1, version: 2 };
      const read = { kind: 'read', by: bob, upTo: 4, version: 3 };
      const received = { kind: 'received', by: bob, upTo: 7, version: 4 };
      assert.deepEqual(await store.receipts(alice, 0), { receipts: [carols, read, received], version: 4 });
      assert.deepEqual(await store.receipts(alice, 3), { receipts: [received], version: 4 });
      assert.deepEqual(await store.receipts(alice, 4), { receipts: [], version: 4 });
      assert.equal((await arrive(alice, 'phone')).receiptVersion, 4);
    });

    it('gives the lease to who arrives, renews it for its holder only, and ends it by itself', async () => {
      const { clock, store, alice, bob, lease, say } = setUp(make);
      const at = (token: string, node: string, renews = false) =>
        store.arrive({ user: bob, device: 'phone', lease: lease(token, node), renews });
      const nodes = async (id: string) => ((await say(id)) as { nodes?: readonly string[] }).nodes;
      assert.deepEqual((await at('a', 'n1')).other, undefined);
      assert.deepEqual(await store.online([bob, alice]), [true, false]);
      assert.deepEqual(await nodes('1'), ['n1']);
      const second = await at('b', 'n2');
      assert.deepEqual([second.other, second.isHolder], [{ node: 'n1', token: 'a' }, true]);
      const first = await at('a', 'n1', true);
      assert.deepEqual([first.other, first.isHolder], [{ node: 'n2', token: 'b' }, false]);
      await store.leave(bob, 'phone', 'a', []);
      assert.deepEqual(await nodes('2'), ['n2'], 'who lost the lease ends nothing');
      clock.nowMs += 20_000;
      assert.equal((await at('b', 'n2', true)).isHolder, true);
      clock.nowMs += 20_000;
      assert.deepEqual(await store.online([bob]), [true]);
      clock.nowMs += 20_000;
      assert.deepEqual([await store.online([bob]), await nodes('3')], [[false], []]);
      assert.equal((await at('a', 'n1', true)).isHolder, true, 'nobody has it');
      await store.leave(bob, 'phone', 'a', []);
      assert.deepEqual(await store.online([bob]), [false]);
    });

    it('gives no number twice where a client knows a higher one', async () => {
      const { store, bob, arrive, say, seqs } = setUp(make);
      await say('1');
      const arrived = await store.arrive({ user: bob, device: 'phone', upTo: 40, receiptsAfter: 7 });
      assert.deepEqual([arrived.cursor, arrived.last, arrived.receiptVersion], [40, 40, 7]);
      assert.equal(((await say('2')) as { seq?: number }).seq, 41);
      await arrive(bob, 'laptop', 2 ** 52);
      assert.equal(((await say('3')) as { seq?: number }).seq, 42, 'beyond all reason it is not believed');
      assert.deepEqual(await seqs(bob, 40), [41, 42]);
    });
  });
}
