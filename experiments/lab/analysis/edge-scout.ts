/**
 * A quick look for the edge, before the search: loads in large steps until one breaks, as a pure function
 * over a trial. It tells the search where to begin. Its trials are short, so that they judge nothing.
 */
import type { TrialOutcome } from '../records/schema.ts';
import type { LoadRange } from './threshold.ts';

/**
 * From one load to the next. Upwards the steps are smaller: the last load is an overload, and a server that
 * was asked for eight times what it can carry has taken 13 to 46 s to come back, in experiments/001-ladder.
 */
const strideUp = 3;
const strideDown = 8;

/** Highest load that held, and lowest that did not; null where there was none. */
export type Edge = { held: number | null; broke: number | null };

/** Goes up from `start` while the loads hold, or down until one holds; then halves that larger step once. */
export async function scoutEdge(
  start: number,
  { loadMin, loadMax }: LoadRange,
  trial: (load: number) => Promise<TrialOutcome>,
): Promise<Edge> {
  const edge: Edge = { held: null, broke: null };
  const within = (load: number) => Math.round(Math.min(loadMax, Math.max(loadMin, load)));
  const tryAt = async (load: number) => {
    const held = (await trial(load)) === 'pass';
    edge[held ? 'held' : 'broke'] = load;
    return held;
  };
  const isUp = await tryAt(within(start));
  const end = isUp ? loadMax : loadMin;
  let load = within(start);
  while (load !== end) {
    load = within(isUp ? load * strideUp : load / strideDown);
    if ((await tryAt(load)) !== isUp) break;
  }
  if (!isUp && edge.held !== null) await tryAt(within(Math.sqrt(edge.held * edge.broke!)));
  return edge;
}
