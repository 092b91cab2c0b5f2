/** All plots of load trials, loaded together, because the drawing library takes a noticeable time to load. */
import type { LoadRun } from '../records/schema.ts';
import type { Plot } from './plot.ts';
import { capacityPlots } from './plot-capacity.ts';
import { absolutePlot, sharePlot } from './plot-curve.ts';
import { edgePlot } from './plot-edge.ts';
import { growthPlot } from './plot-growth.ts';
import { loadPlot, spectrumPlot, stormPlot } from './plot-latency.ts';
import { othersPlot } from './plot-others.ts';
import { resizePlots } from './plot-resize.ts';
import { scalingPlot } from './plot-scaling.ts';
import { timelinePlot } from './plot-timeline.ts';

/** Those for which the run has data. */
export function plotsOf(run: LoadRun): Plot[] {
  const { method } = run.record;
  const latency = loadPlot(run);
  const first =
    method.kind === 'capacity'
      ? [...capacityPlots(run), scalingPlot(run), sharePlot(run), absolutePlot(run), edgePlot(run), latency]
      : method.kind === 'fixed' && method.emphasis === 'held'
        ? [named(latency, 'latency'), growthPlot(run)]
        : method.kind === 'fixed' && method.emphasis === 'storm'
          ? [named(stormPlot(run), 'storm')]
          : method.kind === 'fixed' && method.emphasis === 'resize'
            ? resizePlots(run)
            : [named(growthPlot(run), 'memory'), othersPlot(run), latency];
  return [...first, spectrumPlot(run), timelinePlot(run)].filter((plot) => plot !== null);
}

/** The picture that answers a question about given loads. */
function named(plot: Plot | null, file: string): Plot | null {
  return plot && { ...plot, file };
}
