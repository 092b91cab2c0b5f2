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
  logins.remove(phone);
  assert.equal(logins.size, 3, 'the end of the older session does not end the newer one');
  for (const session of [again, tablet, other]) logins.remove(session);
  assert.equal(logins.size, 0);
});
