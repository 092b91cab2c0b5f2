/** What devices get, and when: the known mistakes of those who built such mailboxes before are tests here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../testing/until.ts';
import { FakeSession, range, setUp, testSettings, turns } from './mailbox.fixture.ts';
import type { Arrival } from './mailbox-store.ts';

test('what comes while a page is read, and between reading and acknowledging, is not lost', async () => {
  await using nodes = await setUp();
  const [alice, bob] = [new FakeSession('alice'), new FakeSession('bob')];
  await nodes.enter(alice);
  nodes.say(alice, 'bob', 'before');
  await turns();
  const gate = Promise.withResolvers<void>();
  nodes.before = (name) => (name === 'page' ? gate.promise : undefined);
  await nodes.enter(bob);
  await turns();
  nodes.say(alice, 'bob', 'meanwhile');
  await turns();
  gate.resolve();
  await turns();
  nodes.say(alice, 'bob', 'then');
  nodes.send(bob, { type: 'received', upTo: 2 });
  await turns();
  assert.deepEqual(bob.seqs, [1, 2, 3]);
  nodes.leave(bob);
  const again = new FakeSession('bob');
  assert.equal(await nodes.enter(again, { upTo: 2 }), 1, 'what was not acknowledged stays');
  await turns();
  assert.deepEqual(again.seqs, [3]);
});

test('at most a window is on its way; the rest follows as it is acknowledged, in order', async () => {
  await using nodes = await setUp();
  const alice = new FakeSession('alice');
  await nodes.enter(alice);
  for (let n = 0; n < 350; n++) nodes.say(alice, 'bob');
  await turns();
  const bob = new FakeSession('bob');
  let countMax = 0;
  nodes.before = (name, [, , count]) => {
    if (name === 'page') countMax = Math.max(countMax, Number(count));
  };
  assert.equal(await nodes.enter(bob), 350);
  await turns();
  assert.deepEqual(bob.seqs, range(1, 100));
  nodes.say(alice, 'bob');
  await turns();
  assert.equal(bob.seqs.length, 100, 'a new one waits behind the others');
  nodes.send(bob, { type: 'received', upTo: 30 });
  await turns();
  assert.equal(bob.seqs.length, 100, 'it is read again when there is room for many');
  for (let upTo = 100; upTo <= 300; upTo += 100) {
    nodes.send(bob, { type: 'received', upTo });
    await turns();
  }
  assert.deepEqual(bob.seqs, range(1, 351));
  assert.equal(countMax, 100, 'never the whole mailbox');
});

test('an acknowledgement beyond what was sent counts up to what was sent, and none goes back', async () => {
  await using nodes = await setUp();
  const [alice, bob] = [new FakeSession('alice'), new FakeSession('bob')];
  for (const one of [alice, bob]) await nodes.enter(one);
  await turns();
  nodes.say(alice, 'bob');
  await turns();
  nodes.send(bob, { type: 'received', upTo: 99 });
  nodes.send(bob, { type: 'received', upTo: 0 });
  await turns();
  assert.deepEqual(alice.receipts, [{ type: 'received', by: 'bob', upTo: 1, version: 1 }]);
  nodes.say(alice, 'bob');
  await turns();
  assert.deepEqual(bob.seqs, [1, 2]);
  nodes.leave(bob);
  assert.equal(await nodes.enter(new FakeSession('bob')), 1);
});

test('a store that says nothing is there is not asked in a loop', async () => {
  await using nodes = await setUp();
  const bob = new FakeSession('bob');
  await nodes.enter(bob);
  await turns();
  let pages = 0;
  nodes.before = (name) => {
    if (name === 'page') pages++;
  };
  nodes.signals.publish('@bob', Buffer.from('other m 7 '));
  await turns(50);
  assert.equal(pages, 1);
  const alice = new FakeSession('alice');
  await nodes.enter(alice);
  nodes.say(alice, 'bob');
  await turns();
  assert.deepEqual(bob.seqs, [1], 'and what comes then arrives');
});

test('somebody who leaves while anything is under way gets nothing more, and nobody asks for them', async () => {
  for (const during of ['arrive', 'page', 'receipts', 'received'] as const) {
    await using nodes = await setUp();
    const [alice, bob] = [new FakeSession('alice'), new FakeSession('bob')];
    await nodes.enter(alice);
    nodes.say(alice, 'bob');
    await turns();
    await nodes.store.receipt('bob', 'alice', 'read', 1);
    const gate = Promise.withResolvers<void>();
    const calls: string[] = [];
    nodes.before = (name, [first]) => {
      calls.push(name);
      const takesLease = name !== 'arrive' || (first as Arrival).lease !== undefined;
      return name === during && takesLease ? gate.promise : undefined;
    };
    await nodes.enter(bob);
    await turns();
    if (during === 'received') nodes.send(bob, { type: 'received', upTo: 1 });
    assert.ok(calls.includes(during));
    nodes.leave(bob);
    const frames = bob.frames.length;
    gate.resolve();
    await turns();
    calls.length = 0;
    await turns(50);
    assert.equal(bob.frames.length, frames, during);
    assert.deepEqual(
      calls.filter((name) => name === 'page' || name === 'received'),
      [],
      'nobody asks again',
    );
    assert.deepEqual(await nodes.store.online(['bob']), [false], 'and the lease is given back');
  }
});

test('a reader that is stuck costs nobody else, and goes on where it was', async () => {
  await using nodes = await setUp();
  const [alice, bob, carol] = ['alice', 'bob', 'carol'].map((user) => new FakeSession(user));
  for (const one of [alice!, bob!, carol!]) await nodes.enter(one);
  await turns();
  bob!.bufferedBytes = 1024 ** 2;
  for (const to of ['bob', 'carol', 'bob', 'carol']) nodes.say(alice!, to);
  await turns();
  assert.deepEqual([bob!.seqs, carol!.seqs], [[], [1, 2]]);
  bob!.drain();
  await turns();
  assert.deepEqual(bob!.seqs, [1, 2]);
});

test('a wake that was lost is made up for by the renewal of the lease', async () => {
  await using nodes = await setUp({ count: 2 });
  const [alice, bob] = [new FakeSession('alice'), new FakeSession('bob')];
  await nodes.enter(alice);
  await nodes.enter(bob, { node: 1 });
  await turns();
  nodes.isDeaf = true;
  nodes.say(alice, 'bob');
  await turns();
  assert.deepEqual(bob.seqs, []);
  await until(() => bob.seqs.length === 1, 'it arrived');
});

test('after a gap of the signals the store is read at once', async () => {
  await using nodes = await setUp({ count: 2, settings: { presenceLeaseMs: 600_000 } });
  const [alice, bob] = [new FakeSession('alice'), new FakeSession('bob')];
  await nodes.enter(alice);
  await nodes.enter(bob, { node: 1 });
  await turns();
  nodes.isDeaf = true;
  nodes.say(alice, 'bob');
  await turns();
  nodes.signals.break(() => true);
  await turns();
  assert.deepEqual(bob.seqs, [1]);
});

test('wakes that come early, late or twice change nothing of the order', async () => {
  await using nodes = await setUp();
  const bob = new FakeSession('bob');
  await nodes.enter(bob);
  await turns();
  for (const id of ['1', '2', '3'])
    await nodes.store.store({ to: 'bob', from: 'alice', id, body: bodyOf(id) });
  for (const seq of [3, 1, 2, 2])
    nodes.signals.publish('@bob', Buffer.from(`other m ${seq} ${frameOf(seq)}`));
  await turns();
  assert.deepEqual(bob.seqs, [1, 2, 3]);
});

test('a device that comes back behind the retention is told of the gap', async () => {
  await using nodes = await setUp();
  const [alice, bob] = [new FakeSession('alice'), new FakeSession('bob')];
  await nodes.enter(bob);
  nodes.leave(bob);
  await nodes.enter(alice);
  for (let n = 0; n < 3; n++) nodes.say(alice, 'bob');
  await turns();
  nodes.clock.nowMs += testSettings.mailboxAgeMs;
  const again = new FakeSession('bob');
  assert.equal(await nodes.enter(again), 0);
  nodes.say(alice, 'bob');
  await turns();
  assert.deepEqual(again.gaps, [{ type: 'gap', from: 1, to: 3 }]);
  assert.deepEqual(again.seqs, [4]);
  nodes.send(again, { type: 'received', upTo: 4 });
  await turns();
  assert.equal(alice.receipts.at(-1)!.upTo, 4);
});

const bodyOf = (id: string) => `{"type":"message","from":"alice","id":"${id}","Message":""`;
const frameOf = (seq: number) => `${bodyOf(String(seq))},"seq":${seq},"sentAtMs":0}`;
