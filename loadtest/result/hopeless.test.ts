import assert from 'node:assert/strict';
import { test } from 'node:test';
import { histogramSlots, slotOf } from '../record/histogram.ts';
import { defaultWorkload, type ResolvedWorkload } from '../workload.ts';
import { hopelessTest } from './hopeless.ts';
import { parseLimit } from './limits.ts';

/** 100 messages to 10 clients each: 1,000 deliveries. */
const workload: ResolvedWorkload = {
  ...defaultWorkload,
  ...{ clients: 10, ratePerSecond: 50, durationSeconds: 2, workers: 1, sendersPerRoom: 10 },
};
const isHopeless = hopelessTest([parseLimit('p99<250ms'), parseLimit('lost=0')], workload);

function seen(late: number, lateMs: number, turnMs = 0) {
  const delivery = new Float64Array(histogramSlots);
  delivery[slotOf(20_000)] = 500;
  delivery[slotOf(lateMs * 1000)] = late;
  const turn = new Float64Array(histogramSlots);
  turn[slotOf(turnMs * 1000)] = 1;
  return { delivery, turn };
}

test('as many late deliveries as the limit allows in the whole phase leave hope, one more does not', () => {
  assert.equal(isHopeless(seen(10, 300)), false);
  assert.equal(isHopeless(seen(11, 300)), true);
  assert.equal(isHopeless(seen(500, 240)), false);
});

test('a lateness that the simulator itself may have caused leaves hope', () => {
  assert.equal(isHopeless(seen(500, 300, 30)), false);
  assert.equal(isHopeless(seen(500, 320, 30)), true);
});

test('without an upper limit of a latency there is always hope', () => {
  const others = ['lost=0', 'p99>1ms', 'achieved>10/s'].map(parseLimit);
  assert.equal(hopelessTest(others, workload)(seen(500, 9000)), false);
});
