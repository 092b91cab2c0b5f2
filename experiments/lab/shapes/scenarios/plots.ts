/** What neighbours felt, and what the server took, in all scenarios of each stage. */
import { medianOf } from '../../analysis/statistics.ts';
import { formatBytes, formatMs } from '../../report/format.ts';
import { crossed, looksBy } from '../../report/look.ts';
import type { Plot } from '../../report/plot.ts';
import { boundText, dotsPlot } from '../../report/plot-dots.ts';
import type { ScenarioRun, ScenarioTrial } from './record.ts';

/** Those for which the run has figures. */
export function plotsOfScenarios(run: ScenarioRun): Plot[] {
  const bounds = run.trials.flatMap(({ neighbours }) => neighbours.p99MsMax ?? []);
  const bound = bounds.length === 0 ? undefined : medianOf(bounds);
  const p99 = stagePlot(
    run,
    ({ neighbours }) => neighbours.p99Ms,
    { name: 'p99 of the neighbours', format: formatMs, scale: 'log', ...(bound && { bound }) },
    {
      title: 'What neighbours felt',
      caption: `A dot for each scenario: the p99 of the deliveries between healthy clients beside it. A cross: the scenario does not hold. The figures are the median and the highest.${boundText(bound)}`,
      file: 'neighbours',
    },
  );
  const memory = stagePlot(
    run,
    ({ memoryBytesMax }) => memoryBytesMax,
    { name: 'resident memory of the server, the most', format: formatBytes, scale: 'log' },
    {
      title: 'Memory of the server',
      caption:
        'A dot for each scenario: the most resident memory that was seen meanwhile. A cross: the scenario does not hold. The figures are the median and the highest.',
      file: 'memory',
    },
  );
  return [p99, memory].filter((plot) => plot !== null);
}

function stagePlot(
  { record, trials }: ScenarioRun,
  figureOf: (trial: ScenarioTrial) => number | null,
  axis: Parameters<typeof dotsPlot>[1],
  plot: Parameters<typeof dotsPlot>[2],
): Plot | null {
  const looks = looksBy(record.variants);
  const rows = record.variants.flatMap(({ name }) => {
    const { colour } = looks.get(name)!;
    const known = trials.flatMap((trial) => {
      const value = trial.variant === name ? figureOf(trial) : null;
      return value === null || value <= 0 ? [] : { value, outcome: trial.outcome };
    });
    if (known.length === 0) return [];
    const values = known.map(({ value }) => value);
    return {
      ...{ name, colour, figure: axis.format(medianOf(values)) },
      remarks: [`up to ${axis.format(Math.max(...values))}`],
      dots: known.map(({ value, outcome }) =>
        outcome === 'pass' ? { value, look: { symbolSize: 9 } } : { value, look: crossed(colour) },
      ),
    };
  });
  return rows.length === 0 ? null : dotsPlot(rows, axis, plot);
}
