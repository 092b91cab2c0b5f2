import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../testing/until.ts';
import { FakeSession, Nodes } from './mailbox.fixture.ts';

const changesOf = (session: FakeSession) =>
  session.frames.flatMap((frame) => (frame.type === 'presence' && 'users' in frame ? [frame.users] : []));

test('who watches is told the state of everybody once, and then only what changes', async () => {
  await using nodes = await new Nodes({ count: 2 }).start();
  const [alice, bob] = [new FakeSession('alice'), new FakeSession('bob')];
  await nodes.enter(alice);
  await nodes.enter(bob, { node: 1 });
  nodes.send(alice, { type: 'watch', users: ['bob', 'carol', 'bob', 'nobody'] });
  await until(() => changesOf(alice).length > 0, 'told');
  assert.deepEqual(changesOf(alice), [{ bob: 'online', carol: 'away', nobody: 'away' }]);
  nodes.leave(bob);
  await until(() => changesOf(alice).length > 1, 'bob left');
  assert.deepEqual(changesOf(alice)[1], { bob: 'away' });
  const carol = new FakeSession('carol');
  await nodes.enter(carol);
  await until(() => changesOf(alice).length > 2, 'carol came');
  assert.deepEqual(changesOf(alice)[2], { carol: 'online' });
  nodes.send(alice, { type: 'watch', users: ['carol'] });
  nodes.leave(carol);
  await nodes.enter(new FakeSession('bob'));
  await until(() => changesOf(alice).length > 3, 'carol left');
  assert.deepEqual(changesOf(alice)[3], { carol: 'away' });
  const { values } = await nodes.meter.presenceChanges.get();
  assert.equal(values[0]!.value, 6);
});

test('a node that dies costs each watcher one frame, and none where people come back in time', async () => {
  await using nodes = await new Nodes({ count: 2, settings: { presenceIntervalMs: 5 } }).start();
  const alice = new FakeSession('alice');
  await nodes.enter(alice);
  const users = Array.from({ length: 90 }, (_, index) => `user-${index}`);
  const lease = { node: 'dead', token: 'x', ttlMs: 30_000 };
  for (const user of users) await nodes.store.arrive({ user, device: 'phone', lease });
  nodes.send(alice, { type: 'watch', users });
  await until(() => changesOf(alice).length > 0, 'told');
  const back = { node: 'alive', token: 'y', ttlMs: 60_000 };
  for (const user of users.slice(0, 30)) await nodes.store.arrive({ user, device: 'phone', lease: back });
  nodes.clock.nowMs += 31_000;
  await until(() => changesOf(alice).length > 1, 'the leases ended');
  let looks = 0;
  nodes.before = (name) => {
    if (name === 'online') looks++;
  };
  await until(() => looks > 2, 'and they were looked at again');
  assert.equal(changesOf(alice).length, 2);
  assert.deepEqual(Object.keys(changesOf(alice)[1]!).toSorted(), users.slice(30).toSorted());
});

test('people watched by a process are bounded, and released when their watchers leave', async () => {
  await using nodes = await new Nodes({ settings: { presenceWatchedMax: 2 } }).start();
  const [alice, bob] = [new FakeSession('alice'), new FakeSession('bob')];
  for (const one of [alice, bob]) await nodes.enter(one);
  nodes.send(alice, { type: 'watch', users: ['a', 'b', 'c'] });
  await until(() => changesOf(alice).length > 0, 'told');
  assert.deepEqual(Object.keys(changesOf(alice)[0]!), ['a', 'b']);
  nodes.leave(alice);
  nodes.send(bob, { type: 'watch', users: ['c'] });
  await until(() => changesOf(bob).length > 0, 'there is room');
});
