import assert from 'node:assert/strict';
import { test } from 'node:test';
import { measureSlotOf, Recorder, secondSlotOf, type Timeline } from './recorder.ts';
import { Totals, type WorkerSample } from './totals.ts';

const timeline: Timeline = { warmUpUs: 1e6, measureUs: 2e6, drainUs: 1e6 };

function sample(cpuUs: number): WorkerSample {
  return {
    sessionsOpen: 5,
    duplicated: 1,
    reordered: 0,
    misrouted: 0,
    foreign: 0,
    corrupted: 0,
    cpuUs,
  };
}

/** A message of `room`, due at `dueUs`, was sent in time and reached so many recipients `latencyUs` later. */
function record(
  recorder: Recorder,
  room: number,
  dueUs: number,
  recipients: number,
  latencyUs: number,
): void {
  const slots = Int32Array.of(secondSlotOf(timeline, dueUs));
  const stream = { mask: 0, slots, dueUs: Int32Array.of(dueUs), sentUs: Int32Array.of(dueUs + 10) };
  recorder.sent(room, dueUs, 10);
  for (let i = 0; i < recipients; i++) recorder.delivered(stream, 0, 1, dueUs + latencyUs);
}

test('a warm-up of one and a half seconds takes two slots, and measuring begins a new one', () => {
  const odd = { ...timeline, warmUpUs: 1.5e6 };
  assert.equal(measureSlotOf(odd), 2);
  assert.deepEqual(
    [0, 499_999, 500_000, 1_499_999, 1_500_000, 2_500_000].map((atUs) => secondSlotOf(odd, atUs)),
    [0, 0, 1, 1, 2, 3],
  );
});

test('expected deliveries are the messages sent to each room times its recipients, over all workers', () => {
  const totals = new Totals(2, 2, timeline);
  totals.addRecipients(Uint32Array.of(3, 0));
  totals.addRecipients(Uint32Array.of(1, 2));
  const one = new Recorder(timeline, 2);
  const other = new Recorder(timeline, 2);
  record(one, 0, 1_500_000, 4, 2000);
  record(other, 1, 2_500_000, 1, 9000);
  totals.setSample(0, sample(0));
  totals.setSample(1, sample(0));
  assert.deepEqual(
    totals.addSecond(0, one.take(1), sample(500_000)),
    [],
    'the other worker may still report it',
  );
  const [second] = totals.addSecond(1, other.take(1), sample(250_000));
  assert.equal(second!.sent, 2);
  assert.equal(second!.deliveries, 5);
  assert.equal(second!.atSeconds, 0);
  assert.equal(second!.sessionsOpen, 10);
  assert.equal(second!.instrumentCpuCores, 0.75);
  assert.equal(second!.deliveryLatencyMsMax, 9.007, 'the bucket of 9 ms ends there');
  const { expected, delivered, lost, duplicated } = totals.audit();
  assert.deepEqual(
    { expected, delivered, lost, duplicated },
    { expected: 6, delivered: 5, lost: 1, duplicated: 2 },
  );
  assert.equal(totals.sent, 2);
});

test('a message of the warm-up counts for its second but not for the audit', () => {
  const totals = new Totals(1, 1, timeline);
  totals.addRecipients(Uint32Array.of(2));
  const recorder = new Recorder(timeline, 1);
  record(recorder, 0, 999_999, 1, 5_000_000);
  const [second] = totals.addSecond(0, recorder.take(4), sample(0));
  assert.equal(second!.deliveries, 1);
  assert.equal(second!.deliveryLatencyMsP99 > 4990, true);
  assert.equal(totals.audit().expected, 0);
  assert.equal(
    totals.delivery.reduce((sum, count) => sum + count, 0),
    0,
  );
});

test('while the run goes on, a delivery counts as lost only when the drain would no longer wait for it', () => {
  const totals = new Totals(1, 1, timeline);
  totals.addRecipients(Uint32Array.of(2));
  const recorder = new Recorder(timeline, 1);
  record(recorder, 0, 1_500_000, 1, 2000);
  totals.addSecond(0, recorder.take(1), sample(0));
  assert.equal(totals.lostBy(0), 0);
  assert.equal(totals.lostBy(1), 1);
});

test('the drain may end early only when nothing is missing and a duplicate has had time to arrive', () => {
  const totals = new Totals(1, 1, timeline);
  totals.addRecipients(Uint32Array.of(1));
  const recorder = new Recorder(timeline, 1);
  record(recorder, 0, 1_500_000, 1, 2000);
  totals.addSecond(0, recorder.take(2), sample(0));
  assert.equal(totals.settled, false);
  totals.addSecond(0, recorder.take(3), sample(0));
  assert.equal(totals.settled, true);
  recorder.sent(0, 1_600_000, 0);
  totals.addSecond(0, recorder.take(3), sample(0));
  assert.equal(totals.settled, false);
});
