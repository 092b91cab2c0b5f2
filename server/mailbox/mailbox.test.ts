/** Messages between people, their receipts, and what a session is told. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../testing/until.ts';
import { FakeSession, range, setUp, turns } from './mailbox.fixture.ts';

test('a message is acknowledged only when it is stored, and delivered with the same number', async () => {
  await using nodes = await setUp();
  const [alice, bob] = [new FakeSession('alice'), new FakeSession('bob')];
  for (const one of [alice, bob]) await nodes.enter(one);
  await turns();
  const gate = Promise.withResolvers<void>();
  nodes.before = (name) => (name === 'store' ? gate.promise : undefined);
  nodes.say(alice, 'bob', 'one');
  await turns();
  assert.deepEqual([alice.frames, bob.frames], [[], []], 'nothing before it is stored');
  gate.resolve();
  await turns();
  assert.deepEqual(alice.acks, [{ type: 'server_ack', id: 'one', to: 'bob', result: 'ok', seq: 1 }]);
  const [{ sentAtMs, ...message }] = bob.messages as [(typeof bob.messages)[0]];
  assert.deepEqual(message, { type: 'message', from: 'alice', id: 'one', seq: 1, Message: 'one said' });
  assert.equal(sentAtMs, nodes.clock.nowMs);
  const counts = (await nodes.meter.stored.get()).values;
  assert.deepEqual(counts, [{ labels: { result: 'ok' }, value: 1 }]);
});

test('a message that is sent again has the same number, and is delivered once', async () => {
  await using nodes = await setUp();
  const [alice, bob] = [new FakeSession('alice'), new FakeSession('bob')];
  for (const one of [alice, bob]) await nodes.enter(one);
  await turns();
  for (let n = 0; n < 3; n++) nodes.say(alice, 'bob', 'same');
  await turns();
  assert.deepEqual(
    alice.acks.map(({ seq }) => seq),
    [1, 1, 1],
  );
  assert.deepEqual(bob.seqs, [1]);
});

test('the first messages to somebody stay in order, however late the answers of the store come', async () => {
  await using nodes = await setUp();
  const alice = new FakeSession('alice');
  await nodes.enter(alice);
  const late = Promise.withResolvers<void>();
  nodes.after = (name, [message]) =>
    name === 'store' && (message as { id: string }).id === 'two' ? late.promise : undefined;
  for (const id of ['one', 'two']) nodes.say(alice, 'bob', id);
  await turns(1);
  nodes.say(alice, 'bob', 'three');
  await turns();
  nodes.say(alice, 'bob', 'four');
  await turns();
  late.resolve();
  await turns();
  const bob = new FakeSession('bob');
  await nodes.enter(bob);
  await turns();
  assert.deepEqual(
    bob.messages.map(({ id }) => id),
    ['one', 'two', 'three', 'four'],
  );
});

test('full, unknown and busy are told to the sender, and nothing that was refused arrives', async () => {
  await using nodes = await setUp({ settings: { mailboxMessagesMax: 3 } });
  const alice = new FakeSession('alice');
  await nodes.enter(alice);
  for (let n = 0; n < 4; n++) nodes.say(alice, 'bob');
  nodes.say(alice, 'nobody');
  await turns();
  const results = alice.acks.map(({ result }) => result).toSorted();
  assert.deepEqual(results, ['full', 'ok', 'ok', 'ok', 'unknown']);
  nodes.before = (name) => {
    if (name === 'store') throw new Error('no answer');
  };
  nodes.say(alice, 'bob');
  await turns();
  assert.equal(alice.acks.at(-1)!.result, 'busy');
  nodes.before = () => {};
  const bob = new FakeSession('bob');
  assert.equal(await nodes.enter(bob), 3);
  await turns();
  assert.deepEqual(bob.seqs, [1, 2, 3]);
});

test('messages to somebody who has no mailbox yet stay in order, whatever the look-up takes', async () => {
  await using nodes = await setUp();
  const alice = new FakeSession('alice');
  await nodes.enter(alice);
  for (const id of ['1', '2']) nodes.say(alice, 'bob', id);
  await turns(1);
  for (const id of ['3', '4']) nodes.say(alice, 'bob', id);
  await turns();
  const acks = alice.acks.map(({ id, seq }) => `${id} ${seq}`);
  assert.deepEqual(acks, ['1 1', '2 2', '3 3', '4 4']);
});

test('what a session gets in one turn is one write', async () => {
  await using nodes = await setUp();
  const [alice, bob] = [new FakeSession('alice'), new FakeSession('bob')];
  for (const one of [alice, bob]) await nodes.enter(one);
  await turns();
  for (let n = 0; n < 50; n++) nodes.say(alice, 'bob');
  await turns();
  assert.deepEqual([alice.acks.length, bob.seqs.length], [50, 50]);
  assert.ok(alice.writes <= 4 && bob.writes <= 4, `${alice.writes} and ${bob.writes} writes`);
});

test('the sender is told who received and read, live and at the next login', async () => {
  await using nodes = await setUp({ count: 2 });
  const [alice, bob] = [new FakeSession('alice'), new FakeSession('bob')];
  await nodes.enter(alice);
  await nodes.enter(bob, { node: 1 });
  await turns();
  nodes.say(alice, 'bob');
  nodes.say(alice, 'bob');
  await turns();
  nodes.send(bob, { type: 'received', upTo: 2 });
  await turns();
  const received = { type: 'received', by: 'bob', upTo: 2, version: 1 } as const;
  assert.deepEqual(alice.receipts, [received]);
  nodes.leave(alice);
  nodes.send(bob, { type: 'read', peer: 'alice', upTo: 2 });
  nodes.send(bob, { type: 'read', peer: 'alice', upTo: 1 });
  nodes.send(bob, { type: 'read', peer: 'carol', upTo: 2 });
  await turns();
  const read = { type: 'read', by: 'bob', upTo: 2, version: 2 } as const;
  const [again, other] = [new FakeSession('alice'), new FakeSession('alice', 'laptop')];
  await nodes.enter(again, { node: 1, receiptsAfter: 1 });
  await nodes.enter(other);
  await turns();
  assert.deepEqual(again.receipts, [read]);
  assert.deepEqual(other.receipts, [received, read]);
});

test('a receipt that was lost between the two mailboxes is told when the lease is renewed', async () => {
  await using nodes = await setUp();
  const [alice, bob] = [new FakeSession('alice'), new FakeSession('bob')];
  for (const one of [alice, bob]) await nodes.enter(one);
  await turns();
  nodes.say(alice, 'bob');
  await turns();
  let failures = 0;
  nodes.before = (name) => {
    if (name === 'receipt' && failures++ < 2) throw new Error('crashed');
  };
  nodes.send(bob, { type: 'received', upTo: 1 });
  await until(() => alice.receipts.length === 1, 'told');
  assert.equal(failures, 3);
  await until(async () => (await nodes.store.arrive(bob.person)).owed.length === 0, 'settled');
});

test('a newer session of the same device closes the one before, on another node too', async () => {
  await using nodes = await setUp({ count: 2 });
  const [older, newer] = [new FakeSession('bob'), new FakeSession('bob')];
  await nodes.enter(older);
  await turns();
  await nodes.enter(newer, { node: 1 });
  await turns();
  assert.deepEqual([older.closeCode, newer.open], [4013, true]);
  const third = new FakeSession('bob');
  nodes.isDeaf = true;
  await nodes.enter(third);
  await until(() => newer.closeCode === 4013, 'it is told when it renews its lease');
  assert.ok(third.open);
});

test('typing reaches the devices that are there, and is never stored', async () => {
  await using nodes = await setUp({ count: 2 });
  const [alice, bob] = [new FakeSession('alice'), new FakeSession('bob')];
  await nodes.enter(alice);
  await nodes.enter(bob, { node: 1 });
  await turns();
  for (let n = 0; n < 3; n++) nodes.send(alice, { type: 'presence', to: 'bob', state: 'typing' });
  await turns();
  assert.deepEqual(bob.frames, [{ type: 'presence', from: 'alice', state: 'typing' }]);
  nodes.leave(bob);
  const again = new FakeSession('bob');
  await nodes.enter(again);
  await turns();
  assert.deepEqual(again.frames, []);
});

test('a frame that breaks the rules closes the session', async () => {
  await using nodes = await setUp();
  for (const [frame, code] of [
    [{ type: 'message', to: 'Bob', id: '1', Message: '' }, 1007],
    [{ type: 'message', to: 'bob', id: '', Message: '' }, 1007],
    [{ type: 'message', to: 'bob', id: 'a\u0000', Message: '' }, 1007],
    [{ type: 'message', to: 'bob', id: '1', Message: '€'.repeat(1366) }, 1009],
    [{ type: 'received', upTo: -1 }, 1007],
    [{ type: 'received', upTo: 1.5 }, 1007],
    [{ type: 'read', upTo: 1 }, 1007],
    [{ type: 'presence', to: 'bob', state: 'sleeping' }, 1007],
    [{ type: 'watch', users: range(1, 101).map((n) => `u${n}`) }, 1007],
    [{ type: 'watch', users: ['*'] }, 1007],
  ] as const) {
    const session = new FakeSession('alice');
    await nodes.enter(session);
    nodes.send(session, frame);
    assert.equal(session.closeCode, code, JSON.stringify(frame));
    nodes.leave(session);
  }
});
