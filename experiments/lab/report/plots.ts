/** All plots of load trials, loaded together, because the drawing library takes a noticeable time to load. */
import type { LoadRun } from '../records/schema.ts';
import type { Plot } from './plot.ts';
import { growthPlot } from './plot-growth.ts';
import { ladderPlot } from './plot-ladder.ts';
import { loadPlot, spectrumPlot } from './plot-latency.ts';
import { scalingPlot } from './plot-scaling.ts';
import { timelinePlot } from './plot-timeline.ts';

/** Those for which the run has data. */
export function plotsOf(run: LoadRun): Plot[] {
  const first = run.record.method.kind === 'capacity' ? ladderPlot(run) : growthPlot(run);
  return [first, scalingPlot(run), spectrumPlot(run), loadPlot(run), timelinePlot(run)].filter(
    (plot) => plot !== null,
  );
}
