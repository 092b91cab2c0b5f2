/** Whether a limit of latency can no longer hold, however the rest of the measure phase goes. Pure. */
import { scheduleOf } from '../model/schedule.ts';
import { newCursor } from '../model/think-times.ts';
import { histogramSlots, slotOf, summarize } from '../record/histogram.ts';
import { timelineOf } from '../record/recorder.ts';
import { type ResolvedWorkload, recipientsOf } from '../workload.ts';
import type { Limit } from './limits.ts';

/** Share of the deliveries that may be above a bound, by the limit's percentile. */
const sharesAbove: Readonly<Record<string, number>> = {
  ...{ p50: 0.5, p90: 0.1, p95: 0.05, p99: 0.01, 'p99.9': 0.001, 'p99.99': 0.0001, max: 0 },
};

/** Messages that are due in the first `measuredUs` of the measure phase. Poisson arrivals are random. */
export function scheduledMessages(workload: ResolvedWorkload, measuredUs: number): number {
  const { warmUpUs } = timelineOf(workload);
  const schedule = newCursor(scheduleOf(workload, measuredUs));
  let messages = 0;
  for (; !schedule.ended; schedule.advance()) if (schedule.dueUs >= warmUpUs) messages++;
  return messages;
}

/**
 * A test of the deliveries until now, for a step with that workload. It is true once more of them are above a
 * bound than the limit allows in the whole phase, even with twice the p99 of the simulator's own turn taken
 * off: then the verdict is known, and it is no doubtful one.
 */
export function hopelessTest(limits: readonly Limit[], workload: ResolvedWorkload) {
  const recipientsMax = Math.ceil(recipientsOf(workload));
  const deliveries = scheduledMessages(workload, workload.durationSeconds * 1e6) * recipientsMax;
  const upper = limits.filter(({ metric, operator }) => metric in sharesAbove && operator.startsWith('<'));
  return ({ delivery, turn }: { delivery: Float64Array; turn: Float64Array }): boolean => {
    if (upper.length === 0) return false;
    const doubtUs = 2000 * summarize(turn).p99;
    return upper.some(({ metric, bound }) => {
      const from = slotOf(Math.min(2 ** 31 - 1, Math.ceil(bound * 1000 + doubtUs))) + 1;
      let above = 0;
      for (let slot = from; slot < histogramSlots; slot++) above += delivery[slot]!;
      return above > sharesAbove[metric]! * deliveries;
    });
  };
}
