/**
 * Before the search of a variant: load until the code is compiled, a look for the edge, then a steady load.
 */
import { parseLimit } from '../../../../loadtest/result/limits.ts';
import type { LoadtestResult } from '../../../../loadtest/result/schema.ts';
import { deliveriesPerCpuSecond } from '../../analysis/cpu.ts';
import { type Edge, type Look, scoutEdge } from '../../analysis/edge-scout.ts';
import type { CapacityMethod, Timing, TrialRecord } from '../../records/schema.ts';

/** Short, because it judges nothing; a backlog of an overload stays small. */
const scoutTiming: Timing = { warmUpSeconds: 0.2, measureSeconds: 0.6, drainSeconds: 0.5 };
/**
 * Without its quota, at a load that it can carry then: in half of a core, compilers and the growing heap need
 * half a minute of load. Seen with 03 in 0.5 CPU: 5,500 messages/s in the first 30 s, 7,500 after them.
 */
const compileTiming: Timing = { warmUpSeconds: 0, measureSeconds: 3.5, drainSeconds: 0.5 };
const steadyTiming: Timing = { warmUpSeconds: 0.3, measureSeconds: 1.2, drainSeconds: 0.5 };
/**
 * Steady: two trials in a row whose cost per delivery and whose median latency differ by no more than this. A
 * server that writes in rounds uses all its CPU at any load; then the latency shows what a round costs.
 * Chosen, not measured.
 */
const steadyShare = 0.15;
const steadyTrialsMax = 3;
/** So many times the first load, code is run that it did not reach. Chosen, not measured. */
const compiledReach = 8;

export type WarmUpTrial = (load: number, timing: Timing, withoutQuota: boolean) => Promise<TrialRecord>;

/** Resolves with the edge as far as it was seen. */
export async function warmUp(method: CapacityMethod, trial: WarmUpTrial): Promise<Edge> {
  // First of all: in a part of a core, code that is not compiled fails at loads far below the edge.
  await trial(method.start, compileTiming, true);
  const edge = await scoutEdge(method.start, method, async (load) => {
    const one = await trial(load, scoutTiming, false);
    // A simulator that has just started, or that comes from an overload, sends late: that says nothing about
    // the server. A look taken as broken by mistake leads the search down, to where it only climbs.
    return lookOf(one.loadtest?.verdict === 'void' ? await trial(load, scoutTiming, false) : one);
  });
  if (edge.held !== null) await settle(method, edge.held, trial);
  return edge;
}

/** For a further start of a server, of which a load is known that it holds. */
export async function warmUpAgain(method: CapacityMethod, held: number, trial: WarmUpTrial): Promise<void> {
  await trial(method.start, compileTiming, true);
  await settle(method, held, trial);
}

/** At a load that it holds in its box: one that broke there may overload a whole core for half a minute. */
async function settle({ start }: CapacityMethod, held: number, trial: WarmUpTrial): Promise<void> {
  if (held > compiledReach * start) await trial(held, compileTiming, true);
  let before: TrialRecord | null = null;
  for (let count = 0; count < steadyTrialsMax; count++) {
    const now = await trial(held, steadyTiming, false);
    if (before !== null && isAlike(now, before)) break;
    before = now;
  }
}

/** Whether something else disturbed it is no matter here, where nothing is judged. */
function lookOf({ fault, loadtest }: TrialRecord): Look {
  if (fault !== null || loadtest?.verdict !== 'pass') return 'broke';
  return loadtest.limits.some(isHalfUsed) ? 'near' : 'held';
}

function isHalfUsed({ expression, observed }: LoadtestResult['limits'][number]): boolean {
  const { operator, bound } = parseLimit(expression);
  return (operator === '<' || operator === '<=') && bound > 0 && observed > bound / 2;
}

function isAlike(now: TrialRecord, before: TrialRecord): boolean {
  const figures: ((trial: TrialRecord) => number | null | undefined)[] = [
    deliveriesPerCpuSecond,
    ({ loadtest }) => loadtest?.deliveryLatencyMs.p50,
  ];
  return figures.every((of) => Math.abs((of(now) ?? 1) / (of(before) ?? 1) - 1) <= steadyShare);
}
