/**
 * A quick look for the edge, before the search: loads in large steps until one breaks, as a pure function
 * over a trial. It tells the search where to begin. Its trials are short, so that they judge nothing.
 */
import { type LoadRange, wholeLoad } from './threshold.ts';

/**
 * From one load to the next. Upwards the steps are smaller: the last load is an overload, and a server that
 * was asked for eight times what it can carry has taken 13 to 46 s to come back, in experiments/001-ladder.
 */
const strideUp = 3;
/** After a load that came near a limit: three times that has left a server without an answer for 20 s. */
const strideNear = 1.5;
const strideDown = 8;

/** `near`: it held, and used up more than half of a limit. What cannot be judged counts as `broke`. */
export type Look = 'held' | 'near' | 'broke';

/** Highest load that held, and lowest that did not; null where there was none. */
export type Edge = { held: number | null; broke: number | null };

/** Goes up from `start` while the loads hold, or down until one holds; then halves that larger step once. */
export async function scoutEdge(
  start: number,
  { loadMin, loadMax }: LoadRange,
  look: (load: number) => Promise<Look>,
): Promise<Edge> {
  const edge: Edge = { held: null, broke: null };
  const within = (load: number) => wholeLoad(load, loadMin, loadMax);
  const lookAt = async (load: number) => {
    const seen = await look(load);
    edge[seen === 'broke' ? 'broke' : 'held'] = load;
    return seen;
  };
  let load = within(start);
  let seen = await lookAt(load);
  const isUp = seen !== 'broke';
  const end = isUp ? loadMax : loadMin;
  while (load !== end) {
    load = within(isUp ? load * (seen === 'near' ? strideNear : strideUp) : load / strideDown);
    seen = await lookAt(load);
    if ((seen !== 'broke') !== isUp) break;
  }
  if (!isUp && edge.held !== null) await lookAt(within(Math.sqrt(edge.held * edge.broke!)));
  return edge;
}
