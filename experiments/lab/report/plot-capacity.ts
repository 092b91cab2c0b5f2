/** Capacity of every variant: a dot with its interval in a row of its own, and the trials below it. */
import { type CapacityFinding, capacityFindings } from '../analysis/finding.ts';
import type { LoadRun } from '../records/schema.ts';
import { boxOf, capacityText, claimCell, claimOf } from './claims.ts';
import { formatNumber } from './format.ts';
import { looksOf, markOf, marksExplained } from './look.ts';
import { familiesOf } from './parameter.ts';
import { axisBelow, logRange, type Plot, renderSvg } from './plot.ts';
import { labelledFamiliesMax, parameterPlot } from './plot-parameter.ts';
import { type RowText, rowPixels, rowsAxis, rowTexts } from './rows.ts';
import { whiskerSeries } from './whisker.ts';

/** Room for the arrow of a lower bound, as a factor of its load. */
const arrowRoom = 1.25;
/** Height of capacity and trials within a row, from its top. */
const level = { capacity: 0.52, trials: 0.8 };
/** Of a row without trials. */
const bareRowPixels = 54;
const bareLevel = 0.66;

/**
 * Against the quantity that the experiment varies, a picture for each stage where one would have too many
 * series; else a row for each variant. None without a capacity.
 */
export function capacityPlots(run: LoadRun): Plot[] {
  const all = capacityFindings(run);
  const findings = all.filter(({ threshold }) => threshold !== null);
  if (findings.length === 0) return [];
  const series = familiesOf(all);
  if (series === null) return [rowsPlot(run, findings)];
  const stages = new Set(findings.map(({ variant }) => variant.stage));
  if (series.families.length <= labelledFamiliesMax || stages.size === 1) return [parameterPlot(run, series)];
  return [...stages].map((stage) => parameterPlot(run, series, stage));
}

/** A row for each variant without its trials, for the top of the README; null without a capacity. */
export function findingPlot(run: LoadRun): Plot | null {
  const findings = capacityFindings(run).filter(({ threshold }) => threshold !== null);
  if (findings.length === 0) return null;
  return { ...rowsPlot(run, findings, false), title: 'Capacity of every stage' };
}

function rowsPlot(run: LoadRun, findings: readonly CapacityFinding[], withTrials = true): Plot {
  const { unit } = run.record.varied;
  const looks = looksOf(run);
  const rows = findings.map((finding, row) => {
    const { colour } = looks.get(finding.variant.name)!;
    const { low, middle, high } = finding.threshold!.capacity;
    const isOpen = finding.atLeast !== null;
    const whisker = {
      across: row + (withTrials ? level.capacity : bareLevel),
      along: finding.atLeast ?? middle,
      low,
      high,
      colour,
      isOpen,
    };
    const marks = (withTrials ? finding.trials : []).map(({ load, outcome }) => ({
      value: [load, row + level.trials] as const,
      ...markOf(outcome, colour, 7),
    }));
    return { whisker, marks };
  });
  const whiskers = rows.map(({ whisker }) => whisker);
  const ends = whiskers.flatMap(({ isOpen, along, low, high }) =>
    isOpen ? [along, arrowRoom * along] : [low, high],
  );
  const loads = rows.flatMap(({ marks }) => marks.map(({ value }) => value[0]));
  const range = logRange([...ends, ...loads], 'across');
  const first = findings[0]!;
  const texts = findings.map((finding) => textOf(finding, first));
  const svg = renderSvg('capacity', findings.length * (withTrials ? rowPixels : bareRowPixels) + 54, {
    grid: { left: 8, right: 12, top: 4, bottom: 50 },
    xAxis: axisBelow(`${unit}, logarithmic`, formatNumber, range),
    yAxis: rowsAxis(findings.length),
    series: [
      whiskerSeries(whiskers, 'horizontal'),
      {
        type: 'scatter',
        z: 4,
        data: whiskers.map(({ along, across, colour }) => {
          return { value: [along, across], symbolSize: 13, itemStyle: { color: colour, opacity: 1 } };
        }),
      },
      { type: 'scatter', z: 2, data: rows.flatMap(({ marks }) => marks) },
      ...rowTexts(texts, [range.min, range.max]),
    ],
  });
  const against = findings.length === 1 ? '' : ` ×: against ${first.variant.name}.`;
  return {
    title: `Capacity in ${unit}`,
    caption: `The dot is the load that half of the trials hold, the whisker its 90 % interval, an arrow a lower bound.${against}${withTrials ? ` Below it each trial: ${marksExplained}.` : ''}`,
    svg,
    file: 'capacity',
  };
}

/** The capacity, how many times the first it is, and its box where that is another one. */
function textOf(finding: CapacityFinding, first: CapacityFinding): RowText {
  const claim = claimCell(claimOf(finding, first));
  const factor = finding === first || claim === '–' ? [] : [/\d/.test(claim) ? `× ${claim}` : claim];
  const [box, firstBox] = [boxOf(finding), boxOf(first)];
  const remarks = [...factor, ...(box === firstBox || box === null ? [] : [box])];
  return { name: finding.variant.name, figure: capacityText(finding), remarks };
}
