/**
 * What `--curve` adds after the search of a variant: latency at shares of its capacity, with constant and
 * with Poisson arrival, and at the capacities of the variants before it; then recovery from a freeze.
 */
import { wholeLoad } from '../../analysis/threshold.ts';
import type { TrialRecord } from '../../records/schema.ts';
import type { TrialExtras } from '../load-trials.ts';

const shares = [0.1, 0.25, 0.5, 0.75, 0.9, 1] as const;
const arrivals = ['constant', 'poisson'] as const;
const freezeShares = [0.5, 0.8, 0.95] as const;
/** Whole seconds before the freeze say what is usual; those after it, whether that has come back. */
const freeze = { atSeconds: 3, seconds: 0.3 };
const freezeTiming = { warmUpSeconds: 1, measureSeconds: 10, drainSeconds: 2 };

/** Number of its trials, without those at the capacities of other variants. */
export const curveTrials = shares.length * arrivals.length + freezeShares.length;

/** `earlier`: the capacities of the variants before, which are tried where they are below this one. */
export async function runCurve(
  capacity: number,
  earlier: readonly number[],
  trial: (load: number, extras: TrialExtras) => Promise<TrialRecord>,
): Promise<void> {
  const at = (share: number) => wholeLoad(share * capacity);
  for (const arrival of arrivals)
    for (const share of shares)
      await trial(at(share), { purpose: 'curve', share, workload: { arrival }, recover: true });
  for (const load of earlier.filter((one) => one < capacity)) {
    const share = Number((load / capacity).toPrecision(3));
    await trial(wholeLoad(load), { purpose: 'curve', share, recover: true });
  }
  for (const share of freezeShares)
    await trial(at(share), { purpose: 'freeze', share, freeze, timing: freezeTiming, recover: true });
}
