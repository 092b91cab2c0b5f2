import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { BeforeMemory } from './before-memory.ts';
import { FakeConnection, setUp } from './fan-out.fixture.ts';
import { frameTexts } from './frame.ts';
import { Member } from './member.ts';

const frames = (...texts: string[]) => frameTexts(texts.map((text) => Buffer.from(text)));

test('who resumes receives what it missed first, and live messages behind it, although it reads slowly', async () => {
  const { fanOut } = setUp();
  const connection = new FakeConnection();
  connection.stalled = true;
  const member = new Member(connection, 'tea');
  const before = { pieces: [frames('joined'), frames('missed 1', 'missed 2')], messages: 2 };
  assert.equal(
    fanOut.join(member, () => before),
    undefined,
  );
  fanOut.deliver('tea', Buffer.from('live 1'));
  await turn();
  assert.equal(fanOut.flush(member), false, 'the kernel has not taken what it missed');
  connection.flush();
  await turn();
  fanOut.deliver('tea', Buffer.from('live 2'));
  await turn();
  await turn();
  assert.deepEqual(connection.payloads, ['joined', 'missed 1', 'missed 2', 'live 1', 'live 2']);
});

test('the missed messages are counted as deliveries, the frame before them is not', async () => {
  const { fanOut, metrics } = setUp();
  const member = new Member(new FakeConnection(), 'tea');
  fanOut.join(member, () => ({ pieces: [frames('joined', 'missed')], messages: 1 }));
  assert.equal((await metrics.deliveries.get()).values[0]?.value, 1);
});

test('members that were parted receive what was delivered before, and nothing after; who comes then does', async () => {
  const { fanOut, enter } = setUp();
  const [early, other] = [enter('tea'), enter('coffee')];
  fanOut.deliver('tea', Buffer.from('before'));
  assert.deepEqual(
    fanOut.part((room) => room === 'tea'),
    ['tea'],
  );
  assert.equal(fanOut.rooms, 1);
  const late = enter('tea');
  for (const room of ['tea', 'coffee']) fanOut.deliver(room, Buffer.from('after'));
  await turn();
  assert.equal(fanOut.flush(early.member), true);
  assert.deepEqual(early.connection.payloads, ['before']);
  assert.deepEqual(late.connection.payloads, ['after']);
  assert.deepEqual(other.connection.payloads, ['after']);
  fanOut.leave(early.member);
  assert.equal(fanOut.rooms, 2, 'the new room stays');
  fanOut.leave(late.member);
  fanOut.leave(other.member);
  assert.deepEqual([fanOut.rooms, fanOut.logBytes], [0, 0]);
});

test('nobody may resume while missed messages take more than their bound, others join as before', async () => {
  const { fanOut, enter } = setUp({ logBytesMax: 100 });
  let asked = 0;
  const join = (connection: FakeConnection, bytes: number) => {
    const before = { pieces: [frames('m'.repeat(bytes))], messages: 1 };
    return fanOut.join(new Member(connection, 'tea'), () => {
      asked++;
      return before;
    });
  };
  const slow = new FakeConnection();
  slow.stalled = true;
  assert.equal(join(slow, 120), undefined);
  assert.equal(join(new FakeConnection(), 1), 'missed_bytes');
  assert.equal(asked, 1, 'what somebody missed who cannot join is not looked up, and not counted');
  assert.equal(enter('tea').noPlace, undefined);
  slow.flush();
  await turn();
  assert.equal(join(new FakeConnection(), 1), undefined);
});

test('a piece that many wait for counts once, until the last of them has it', () => {
  const memory = new BeforeMemory(100);
  const [shared, own] = [Buffer.alloc(80), Buffer.alloc(30)];
  const released = [memory.keep([shared]), memory.keep([shared, own])];
  assert.deepEqual([memory.bytes, memory.fits], [110, false]);
  released[1]!();
  assert.deepEqual([memory.bytes, memory.fits], [80, true]);
  released[0]!();
  assert.equal(memory.bytes, 0);
});
