/** All plots of load trials, loaded together, because the drawing library takes a noticeable time to load. */
import type { LoadRun } from '../records/schema.ts';
import type { Plot } from './plot.ts';
import { loadPlot, spectrumPlot } from './plot-latency.ts';

export { growthPlot } from './plot-growth.ts';
export { ladderPlot } from './plot-ladder.ts';
export { timelinePlot } from './plot-timeline.ts';

/** Both plots of latency; null where a run has no data for one. */
export function latencyPlots(run: LoadRun): (Plot | null)[] {
  return [spectrumPlot(run), loadPlot(run)];
}
