/** Before the search of a variant: a look for the edge, then a steady load until the code is compiled. */
import { deliveriesPerCpuSecond } from '../../analysis/cpu.ts';
import { type Edge, scoutEdge } from '../../analysis/edge-scout.ts';
import type { CapacityMethod, Timing, TrialRecord } from '../../records/schema.ts';

/** Short, because it judges nothing; a backlog of an overload stays small. */
const scoutTiming: Timing = { warmUpSeconds: 0.2, measureSeconds: 0.6, drainSeconds: 0.5 };
const steadyTiming: Timing = { warmUpSeconds: 0, measureSeconds: 1, drainSeconds: 0.5 };
/** Steady: two trials in a row whose cost per delivery differs by no more than this. Chosen, not measured. */
const steadyShare = 0.1;
const steadyTrialsMax = 4;
/** Of the load that held: near the edge, so that the same code runs, and safely below it. */
const steadyLoadShare = 0.7;

type WarmUpTrial = (load: number, timing: Timing) => Promise<TrialRecord>;

/** Resolves with the edge as far as it was seen. */
export async function warmUp(method: CapacityMethod, trial: WarmUpTrial): Promise<Edge> {
  const edge = await scoutEdge(method.start, method, async (load) => {
    const { fault, loadtest } = await trial(load, scoutTiming);
    // Whether something else disturbed it is no matter here, where nothing is judged.
    return fault === null && loadtest?.verdict === 'pass' ? 'pass' : 'fail';
  });
  if (edge.held === null) return edge;
  const load = Math.max(method.loadMin, Math.round(steadyLoadShare * edge.held));
  let before = Number.NaN;
  for (let count = 0; count < steadyTrialsMax; count++) {
    const now = deliveriesPerCpuSecond(await trial(load, steadyTiming)) ?? Number.NaN;
    if (Math.abs(now / before - 1) <= steadyShare) break;
    before = now;
  }
  return edge;
}
