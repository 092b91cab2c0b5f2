import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorkerSample } from './counts.ts';
import { measureSlotOf, Recorder, slotAt, type Timeline } from './recorder.ts';
import { Totals } from './totals.ts';

const timeline: Timeline = { warmUpUs: 1e6, measureUs: 2e6, drainUs: 1e6 };

function sample(cpuUs: number): WorkerSample {
  return {
    sessionsOpen: 5,
    duplicated: 1,
    reordered: 0,
    misrouted: 0,
    foreign: 0,
    late: 0,
    lastDeliveryUs: 0,
    corrupted: 0,
    cpuUs,
  };
}

/** A recorder whose rooms have so many recipients each. */
function newRecorder(...recipients: number[]): Recorder {
  const recorder = new Recorder(timeline);
  recorder.setRecipients(Uint32Array.from(recipients));
  return recorder;
}

/** A message of `room`, due at `dueUs`, was sent in time and reached so many recipients `latencyUs` later. */
function record(
  recorder: Recorder,
  room: number,
  dueUs: number,
  recipients: number,
  latencyUs: number,
): void {
  const slots = Int32Array.of(slotAt(timeline, dueUs));
  const stream = { mask: 0, slots, dueUs: Int32Array.of(dueUs), sentUs: Int32Array.of(dueUs + 10) };
  recorder.sent(room, dueUs, 10);
  for (let i = 0; i < recipients; i++) recorder.delivered(stream, 0, 1, dueUs + latencyUs);
}

test('a warm-up of 0.6 s takes three slots, and measuring begins a new one', () => {
  const odd = { ...timeline, warmUpUs: 600_000 };
  assert.equal(measureSlotOf(odd), 3);
  assert.deepEqual(
    [0, 99_999, 100_000, 599_999, 600_000, 850_000].map((atUs) => slotAt(odd, atUs)),
    [0, 0, 1, 2, 3, 4],
  );
});

test('expected deliveries are the messages sent to each room times its recipients, over all workers', () => {
  const totals = new Totals(2, timeline);
  const one = newRecorder(4, 2);
  const other = newRecorder(4, 2);
  record(one, 0, 1_500_000, 4, 2000);
  record(other, 1, 2_500_000, 1, 9000);
  totals.setSample(0, sample(0));
  totals.setSample(1, sample(0));
  assert.deepEqual(
    totals.addWindow(0, one.take(7), sample(500_000)),
    [],
    'the other worker may still report it',
  );
  const [second] = totals.addWindow(1, other.take(7), sample(250_000));
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
  const totals = new Totals(1, timeline);
  const recorder = newRecorder(2);
  record(recorder, 0, 999_999, 1, 5_000_000);
  const [second] = totals.addWindow(0, recorder.take(19), sample(0));
  assert.equal(second!.deliveries, 1);
  assert.equal(second!.deliveryLatencyMsP99 > 4990, true);
  assert.equal(totals.audit().expected, 0);
  assert.equal(
    totals.delivery.reduce((sum, count) => sum + count, 0),
    0,
  );
});

test('a second is complete when all workers have reported its last window', () => {
  const totals = new Totals(2, timeline);
  const report = (worker: number, slot: number) =>
    totals.addWindow(worker, newRecorder(0).take(slot), sample(0)).map((second) => second.atSeconds);
  assert.deepEqual([report(0, 0), report(1, 3)], [[], []]);
  assert.deepEqual([report(0, 2), report(0, 3), report(0, 7)], [[], [-1], []]);
  assert.deepEqual(report(1, 8), [0]);
});

test('while the step goes on, a delivery counts as lost only when the drain would no longer wait for it', () => {
  const totals = new Totals(1, timeline);
  const recorder = newRecorder(2);
  record(recorder, 0, 1_500_000, 1, 2000);
  totals.addWindow(0, recorder.take(7), sample(0));
  assert.equal(totals.lostBy(0), 0);
  assert.equal(totals.lostBy(1), 1);
});

test('a step has settled when a window after the measure phase is reported and nothing is outstanding', () => {
  const totals = new Totals(1, timeline);
  const recorder = newRecorder(1);
  record(recorder, 0, 1_500_000, 1, 2000);
  const report = (slot: number, lastDeliveryUs: number) =>
    totals.addWindow(0, recorder.take(slot), { ...sample(0), lastDeliveryUs });
  report(11, 1_502_000);
  assert.equal(totals.settled, false);
  report(12, 1_502_000);
  assert.equal(totals.settled, true);
  assert.equal(totals.recoveredSeconds, 0);
  recorder.sent(0, 2_600_000, 0);
  report(12, 1_502_000);
  assert.equal(totals.settled, false);
  assert.equal(totals.recoveredSeconds, null);
  const stream = { mask: 0, slots: Int32Array.of(10), dueUs: Int32Array.of(0), sentUs: Int32Array.of(0) };
  recorder.delivered(stream, 0, 1, 3_400_000);
  report(13, 3_400_000);
  assert.equal(totals.recoveredSeconds, 0.4);
});

test('saturation is the share of the time in which one worker was never idle and read for long', () => {
  const totals = new Totals(2, timeline);
  const report = (worker: number, slot: number, busyShare: number, turnUs: number) => {
    const load = { elapsedUs: 250_000, busyShare, openTurnUs: turnUs };
    totals.addWindow(worker, newRecorder(0).take(slot, load), sample(0));
  };
  report(0, 0, 1, 90_000); // Warm-up.
  report(0, 4, 0.97, 30_000);
  report(0, 5, 0.97, 20_000);
  report(0, 6, 0.9, 30_000);
  report(0, 7, 0.5, 10_000);
  report(1, 4, 0.5, 10_000);
  assert.equal(totals.saturatedShare(0.95, 25), 0.25);
});

test('of a step that was stopped, only what was outstanding for a whole drain is lost', () => {
  const totals = new Totals(1, timeline);
  const recorder = newRecorder(4);
  record(recorder, 0, 1_000_000, 3, 2000);
  record(recorder, 0, 2_100_000, 1, 2000);
  totals.setSample(0, sample(0));
  totals.addWindow(0, recorder.take(8), sample(0));
  const counts = (measuredUs: number) => {
    const { expected, delivered, lost } = totals.auditOfStopped(measuredUs);
    return { expected, delivered, lost };
  };
  assert.deepEqual(counts(1_250_000), { expected: 5, delivered: 4, lost: 1 });
  assert.deepEqual(counts(900_000), { expected: 4, delivered: 4, lost: 0 });
});
