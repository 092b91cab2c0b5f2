import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recoveredAfter } from './recovery.ts';

const freeze = { atSeconds: 3.1, seconds: 0.3 };

/** A p99 for each second of the measure phase, after one second of warm-up and before one of drain. */
function resultOf(p99: readonly number[]) {
  const seconds = [-1, ...p99.keys(), p99.length];
  const series = { atSeconds: seconds, deliveryLatencyMsP99: [900, ...p99, 0] };
  return { series, workload: { durationSeconds: p99.length } } as unknown as Parameters<
    typeof recoveredAfter
  >[1];
}

test('time counts from the end of the freeze to the end of the last second that was above', () => {
  assert.equal(recoveredAfter(freeze, resultOf([20, 22, 21, 300, 250, 21, 20, 20])), 1.6);
  assert.equal(recoveredAfter(freeze, resultOf([20, 22, 21, 300, 21, 21, 20, 20])), 0.6);
});

test('a latency that was never above recovers at once; one that stays above never does', () => {
  assert.equal(recoveredAfter(freeze, resultOf([20, 22, 21, 29, 21, 20])), 0);
  assert.equal(recoveredAfter(freeze, resultOf([20, 22, 21, 300, 400, 500])), null);
});

test('a relapse counts: the latency must stay as it was', () => {
  assert.equal(recoveredAfter(freeze, resultOf([20, 20, 20, 300, 20, 200, 20, 20])), 2.6);
});

test('without a whole second before the freeze, or without a result, nothing is known', () => {
  assert.equal(recoveredAfter({ atSeconds: 0.5, seconds: 0.3 }, resultOf([300, 20, 20])), null);
  assert.equal(recoveredAfter(freeze, null), null);
});
