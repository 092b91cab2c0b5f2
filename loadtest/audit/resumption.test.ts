import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeJoined } from '#protocol';
import { Resumption } from './resumption.ts';

/** A user of room tea, and what becomes of its absences. */
function newUser() {
  const seen: string[] = [];
  const user = new Resumption(3, 'tea', {
    connected: (_user, afterUs) => seen.push(`connected ${afterUs}`),
    caughtUp: (_user, afterUs) => seen.push(`caught up ${afterUs}`),
    recovered: () => seen.push('recovered'),
    gap: (_user, isUnable) => seen.push(isUnable ? 'unable' : 'gap'),
    misannounced: () => seen.push('misannounced'),
    late: (messages) => seen.push(`late ${messages}`),
  });
  const joined = (offset: number, recovered: boolean, epoch = 'e1', room = 'tea') =>
    encodeJoined({ room, epoch, offset, recovered });
  return { user, seen, joined };
}

const stream = {
  mask: 3,
  sentUs: Int32Array.of(10, 20, 30, 40),
  slots: new Int32Array(4),
  dueUs: new Int32Array(4),
};

test('it comes back with its position, and has caught up when a message of later comes', () => {
  const { user, seen, joined } = newUser();
  assert.equal(user.after, '');
  user.opened(0);
  assert.equal(user.first(joined(7, false), 0, 0), true);
  assert.equal(user.left(1000, 5, false), true);
  assert.equal(user.after, 'e1.12');
  user.opened(1500);
  user.first(joined(12, true), 1600, 30);
  user.catchUp(stream, 0, 1, 1700);
  user.catchUp(stream, 1, 4, 1800);
  assert.equal(user.isCatchingUp, false);
  assert.deepEqual(seen, ['connected 500', 'recovered', 'late 1', 'late 1', 'caught up 800']);
});

test('where nothing was missed it has caught up with the answer', () => {
  const { user, seen, joined } = newUser();
  user.opened(0);
  user.first(joined(7, false), 0, 0);
  user.left(1000, 0, true);
  user.opened(1500);
  user.first(joined(7, true), 1600, 30);
  user.begin();
  assert.deepEqual(seen, ['connected 500', 'recovered', 'caught up 600']);
});

test('who is closed again before it has caught up is on its way since it left first', () => {
  const { user, seen, joined } = newUser();
  user.opened(0);
  user.first(joined(7, false), 0, 0);
  assert.equal(user.left(1000, 0, false), true);
  user.opened(1500);
  assert.equal(user.left(1600, 0, false), false, 'closed before the first frame');
  user.opened(1700);
  user.first(joined(7, true), 1800, 30);
  user.catchUp(stream, 0, 1, 1850);
  assert.equal(user.left(1900, 1, false), false, 'closed while it caught up');
  assert.equal(user.after, 'e1.8');
  user.opened(2000);
  user.first(joined(8, true), 2100, 40);
  user.catchUp(stream, 3, 4, 2200);
  assert.deepEqual(seen, ['connected 500', 'recovered', 'late 1', 'recovered', 'caught up 1100']);
});

test('a gap is told by the answer, or by a server that keeps no log', () => {
  const told = newUser();
  told.user.opened(0);
  told.user.first(told.joined(7, false), 0, 0);
  told.user.left(1000, 2, false);
  told.user.opened(1500);
  told.user.first(told.joined(1, false, 'e2'), 1600, 30);
  assert.equal(told.user.after, 'e2.1', 'the offset belongs to its epoch');
  assert.deepEqual(told.seen, ['connected 500', 'gap', 'caught up 600']);
  const unable = newUser();
  unable.user.opened(0);
  assert.equal(unable.user.first('{"clientId":"a","Message":"b"}', 0, 0), false);
  unable.user.left(1000, 2, false);
  assert.equal(unable.user.after, '');
  unable.user.opened(1500);
  assert.deepEqual(unable.seen, ['connected 500', 'unable', 'caught up 500']);
});

test('an answer that contradicts the question is a fault', () => {
  const wrong: ((joined: ReturnType<typeof newUser>['joined']) => string)[] = [
    (joined) => joined(8, true),
    (joined) => joined(7, true, 'e2'),
    (joined) => joined(7, true, 'e1', 'coffee'),
    (joined) => joined(9, false, 'e1', 'coffee'),
  ];
  for (const answer of wrong) {
    const { user, seen, joined } = newUser();
    user.opened(0);
    user.first(joined(7, false), 0, 0);
    user.left(1000, 0, false);
    user.opened(1500);
    user.first(answer(joined), 1600, 30);
    assert.ok(seen.includes('misannounced'), answer(joined));
  }
  const { user, seen, joined } = newUser();
  user.opened(0);
  user.first(joined(7, true), 0, 0);
  assert.deepEqual(seen, ['misannounced'], 'nothing was asked for');
});
