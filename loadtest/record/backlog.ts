/** Whether the deliveries that are under way become more while a step is measured. Pure. */
import { windowUs } from './recorder.ts';

/** Windows in each third of the measure phase, at least: with fewer, a stall is the median. Chosen. */
const windowsPerThirdMin = 3;

/**
 * By how much the backlog grew through the measure phase, in milliseconds of its load; null if the phase is
 * too short to say. `due` and `arrived` hold deliveries for each window of the step: by the window in which
 * the message was due, and by the window in which it arrived. Deliveries that never came are in neither.
 *
 * The backlog at the end of a window is what was due until then and came later. Its growth is the median of
 * the last third of the windows less the median of the first third, so that a stall does not count as growth.
 * It is 0 if the median of the middle third is above that of the last: then the backlog was being worked off.
 */
export function backlogGrowthMs(
  due: readonly number[],
  arrived: readonly number[],
  measureSlot: number,
  measureUs: number,
): number | null {
  const windows = Math.floor(measureUs / windowUs);
  const third = Math.floor(windows / 3);
  if (third < windowsPerThirdMin) return null;
  let backlog = 0;
  let measured = 0;
  const backlogs: number[] = [];
  for (let slot = 0; slot < measureSlot + windows; slot++) {
    backlog += (due[slot] ?? 0) - (arrived[slot] ?? 0);
    if (slot < measureSlot) continue;
    backlogs.push(backlog);
    measured += due[slot] ?? 0;
  }
  const first = median(backlogs.slice(0, third));
  const middle = median(backlogs.slice(third, windows - third));
  const last = median(backlogs.slice(windows - third));
  if (measured === 0 || last <= first || last < middle) return 0;
  return Math.round(((last - first) / measured) * windows * (windowUs / 1000) * 1000) / 1000;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}
