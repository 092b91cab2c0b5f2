import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeviceLogins } from './device-logins.ts';
import { FakeSession } from './person-session.fixture.ts';

test('a login closes the older session of the same device, and no other', () => {
  const logins = new DeviceLogins();
  const [phone, tablet, other] = [
    new FakeSession('bob'),
    new FakeSession('bob', 'tablet'),
    new FakeSession('eve'),
  ];
  for (const session of [phone, tablet, other]) logins.add(session);
  const again = new FakeSession('bob');
  logins.add(again);
  assert.deepEqual(
    [phone, tablet, other, again].map(({ closedWith }) => closedWith),
    [4013, undefined, undefined, undefined],
  );
  assert.equal(logins.loginIdOf(phone), undefined);
  logins.remove(phone);
  assert.ok(logins.loginIdOf(again), 'the end of the older session does not end the newer one');
  for (const session of [again, tablet, other]) logins.remove(session);
  assert.equal(logins.size, 0);
});

/** Two nodes with one device each; every node hears of both logins in the given order. */
function hear(order: readonly (0 | 1)[]) {
  const nodes = [new DeviceLogins(), new DeviceLogins()];
  const sessions = nodes.map(() => new FakeSession('bob'));
  nodes.forEach((node, index) => {
    node.add(sessions[index]!);
  });
  const ids = nodes.map((node, index) => node.loginIdOf(sessions[index]!)!);
  for (const login of order) for (const node of nodes) node.heard('bob', 'phone', ids[login]!);
  return sessions.map(({ closedWith }) => closedWith);
}

test('of two nodes the one whose login is told last keeps its session, whichever it is', () => {
  assert.deepEqual(hear([0, 1]), [4013, undefined]);
  assert.deepEqual(hear([1, 0]), [undefined, 4013]);
});

test('its own login, told twice, and logins of other devices close nothing', () => {
  assert.deepEqual(hear([0, 0]), [undefined, undefined]);
  const logins = new DeviceLogins();
  const session = new FakeSession('bob');
  logins.add(session);
  logins.heard('bob', 'phone', logins.loginIdOf(session)!);
  logins.heard('bob', 'tablet', 'another');
  logins.heard('eve', 'phone', 'another');
  assert.equal(session.closedWith, undefined);
});
