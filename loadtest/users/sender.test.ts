import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Schedule } from '../model/schedule.ts';
import { MessageFormat, readStamp, type Stamp, stampAt } from '../model/stamp.ts';
import type { Clock } from '../record/clock.ts';
import { lowestOf, slotOf } from '../record/histogram.ts';
import { Recorder } from '../record/recorder.ts';
import { clientFrameBytes, clientHeaderBytes } from '../wire/client-frame.ts';
import { Sender } from './sender.ts';
import type { VirtualUser } from './virtual-user.ts';

const payloadBytes = 128;
const frameBytes = clientFrameBytes(payloadBytes);
const timeline = { warmUpUs: 0, measureUs: 10e6, drainUs: 0 };

function newUser(index: number) {
  const writes: Buffer[] = [];
  return { index, state: 'open', bufferedBytes: 0, writes, send: (frames: Buffer) => writes.push(frames) };
}

/** A sender of 1,000 messages/s by these users in turn, with a clock that the test moves. */
function newSender(users: (ReturnType<typeof newUser> | undefined)[], endUs = 10e6) {
  const time = { nowUs: 5_000_000 };
  const recorder = new Recorder(timeline);
  const sender = new Sender({
    runId: 2,
    format: new MessageFormat(payloadBytes, [1, 2]),
    schedule: new Schedule({ ratePerSecond: 1000, arrival: 'constant', rooms: 1, seed: 1, rampUs: 0, endUs }),
    clock: { nowUs: () => time.nowUs } as unknown as Clock,
    recorder,
    measureFromUs: 0,
    userOf: (_room, number) => users[number % users.length] as unknown as VirtualUser | undefined,
  });
  sender.start(time.nowUs);
  const advance = (us: number) => {
    time.nowUs += us;
    sender.pump();
  };
  const sent = () => recorder.take(0).sentBySlot.reduce((sum, [, messages]) => sum + messages, 0);
  return { sender, advance, recorder, sent };
}

/** The stamps of the frames of a write. */
function stampsOf(write: Buffer): Stamp[] {
  return Array.from({ length: write.length / frameBytes }, (_, i) => {
    const frame = write.subarray(i * frameBytes, (i + 1) * frameBytes);
    const at = clientHeaderBytes(payloadBytes);
    const payload = frame.subarray(at).map((byte, k) => byte ^ frame[at - 4 + (k & 3)]!);
    const stamp = { runId: 0, room: 0, number: 0, dueUs: 0, lagUs: 0 };
    assert.ok(readStamp(payload, stampAt, stamp));
    return stamp;
  });
}

test('sends a message when it is due, not before, with its lag', () => {
  const user = newUser(0);
  const { advance } = newSender([user]);
  advance(0);
  advance(999);
  assert.equal(user.writes.length, 1);
  advance(41);
  assert.deepEqual(stampsOf(user.writes[1]!), [{ runId: 2, room: 0, number: 1, dueUs: 1000, lagUs: 40 }]);
});

test('a late turn sends all due messages, each with its own lag', () => {
  const user = newUser(0);
  const { advance } = newSender([user]);
  advance(4500);
  assert.equal(user.writes.length, 1, 'one sender, one write');
  const lags = stampsOf(user.writes[0]!).map(({ number, lagUs }) => `${number}: ${lagUs}`);
  assert.deepEqual(lags, ['0: 4500', '1: 3500', '2: 2500', '3: 1500', '4: 500']);
});

test('each frame has a mask of its own', () => {
  const user = newUser(0);
  newSender([user]).advance(99_000);
  const keys = Array.from({ length: 100 }, (_, i) =>
    user.writes[0]!.readUInt32LE(i * frameBytes + clientHeaderBytes(payloadBytes) - 4),
  );
  assert.equal(new Set(keys).size, 100);
});

test('a turn sends a bounded number of messages, and the rest stays due', () => {
  const user = newUser(0);
  const { advance, sender, sent } = newSender([user]);
  advance(1_000_000);
  assert.equal(sent(), 256);
  assert.equal(sender.nextDueUs, 5_256_000);
  advance(0);
  assert.equal(sent(), 256);
});

test('messages of closed or blocked users are counted, and the others go on', () => {
  const [open, closed, blocked] = [newUser(0), newUser(1), newUser(2)];
  closed.state = 'closed';
  blocked.bufferedBytes = 2 ** 21;
  const { advance, sender, sent } = newSender([open, closed, blocked]);
  advance(8500);
  assert.equal(sent(), 3);
  assert.equal(sender.unsentClosed, 3);
  assert.equal(sender.unsentBlocked, 3);
});

test('sends only for the users of its own worker, and nothing after the end of the schedule or a stop', () => {
  const user = newUser(1);
  const { advance, sender } = newSender([undefined, user], 4000);
  assert.equal(sender.nextDueUs, 5_001_000);
  advance(10_000);
  const numbers = user.writes.flatMap(stampsOf).map(({ number }) => number);
  assert.deepEqual(numbers, [1, 3]);
  assert.equal(sender.nextDueUs, Number.POSITIVE_INFINITY);
  const other = newSender([user]);
  other.sender.stop();
  other.advance(10_000);
  assert.equal(other.sent(), 0);
});

test('messages that are due when the sender stops are not sent, and their lag counts', () => {
  const user = newUser(0);
  const { advance, sender, recorder } = newSender([user], 400_000);
  advance(1_000_000);
  sender.stop();
  advance(1000);
  const { lag, sentBySlot } = recorder.take(0);
  assert.equal(
    sentBySlot.reduce((sum, [, messages]) => sum + messages, 0),
    256,
  );
  assert.equal(
    lag.counts.reduce((sum, count) => sum + count, 0),
    400,
  );
  // The last message was due at 399 ms.
  assert.equal(lowestOf(lag.from), slotStart(601_000));
});

/** The lowest value of the counter of this value. */
function slotStart(us: number): number {
  return lowestOf(slotOf(us));
}
