import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorkerSample } from '../record/counts.ts';
import { Recorder } from '../record/recorder.ts';
import { Totals } from '../record/totals.ts';
import type { StepOutcome } from '../run/outcome.ts';
import { defaultWorkload, type ResolvedWorkload } from '../workload.ts';
import { conclude } from './conclude.ts';
import type { Environment } from './environment.ts';
import { defaultHealthLimits } from './health.ts';
import { parseLimit, withDefaults } from './limits.ts';

const workload: ResolvedWorkload = {
  ...defaultWorkload,
  ...{ clients: 1, ratePerSecond: 100, sendersPerRoom: 1, warmUpSeconds: 0, durationSeconds: 1, workers: 1 },
};
const timeline = { warmUpUs: 0, measureUs: 1e6, drainUs: 2e6 };
const sample: WorkerSample = {
  ...{ sessionsOpen: 1, duplicated: 0, reordered: 0, misrouted: 0, foreign: 0, corrupted: 0 },
  ...{ late: 0, lastDeliveryUs: 1_200_000, cpuUs: 0 },
};

/** 100 messages to one recipient, of which the last `slow` took 300 ms and `lost` never came. */
function resultOf({ slow = 0, lost = 0, turnMs = 1 }) {
  const recorder = new Recorder(timeline);
  recorder.setRecipients(Uint32Array.of(1));
  for (let number = 0; number < 100; number++) recorder.sent(0, number * 10_000, 0);
  const stream = { mask: 0, slots: Int32Array.of(0), dueUs: Int32Array.of(0), sentUs: Int32Array.of(0) };
  for (let number = 0; number < 100 - lost; number++)
    recorder.delivered(stream, 0, 1, number < 100 - lost - slow ? 2000 : 300_000);
  recorder.turned(turnMs * 1000);
  const totals = new Totals(1, timeline);
  totals.addWindow(0, recorder.take(0), sample);
  const outcome: StepOutcome = {
    ...{
      workload,
      totals,
      startedAt: '',
      silent: 0,
      connectedRssBytes: 1,
      interrupted: false,
    },
    ...{ connections: [{ opened: 1, refused: {}, closedEarly: {}, open: 1, connectUs: [1] }] },
    ...{ recipientsByRoom: Uint32Array.of(1), measuredUs: 1e6 },
    reports: [
      {
        connections: { opened: 1, refused: {}, closedEarly: {}, open: 1, connectUs: [] },
        ...{ unsentClosed: 0, unsentBlocked: 0, unsentAbsent: 0, sentByRoom: recorder.sentByRoom },
        usage: { cpuUs: 1, threadCpuUs: 1, elapsedUs: 1e6, loopIdleUs: 9e5, rssBytes: 1, throttledUs: 0 },
        stalled: { opened: 0, closed: 0, closedAfterMs: [] },
        churn: { asked: 0, opened: 0, refused: {}, connectUs: [], present: 0 },
      },
    ],
  };
  return conclude(outcome, withDefaults([parseLimit('p99<250ms')]), defaultHealthLimits, {} as Environment);
}

test('a limit that broke by less than twice the turn of the simulator is undetermined', () => {
  const { verdict, reasons } = resultOf({ slow: 5, turnMs: 40 });
  assert.equal(verdict, 'undetermined');
  assert.match(reasons[0]!, /^p99 was 300 ms; the limit is p99<250ms$/);
  assert.match(reasons[1]!, /with twice the p99 of its own turn \(40(\.\d+)? ms\) taken off/);
  assert.equal(resultOf({ slow: 5, turnMs: 10 }).verdict, 'fail');
  assert.equal(resultOf({ turnMs: 40 }).verdict, 'pass');
});

test('what is outstanding when the drain ended fails the audit and the percentile, whatever the turn', () => {
  const { verdict, reasons, deliveryLatencyMs, recoveredSeconds } = resultOf({ lost: 5, turnMs: 40 });
  assert.equal(verdict, 'fail');
  assert.match(reasons.join('\n'), /^p99 was infinite, because 5 deliveries were outstanding/);
  assert.equal(deliveryLatencyMs.count, 100);
  assert.equal(recoveredSeconds, null);
  assert.equal(resultOf({ slow: 5, turnMs: 40 }).recoveredSeconds, 0.2);
});

test('ordered pairs are the messages of each sender but the first, times the recipients', () => {
  assert.equal(resultOf({}).orderedPairs, 99);
});
