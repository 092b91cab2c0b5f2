/** Capacity against workers or nodes, with the fitted scaling law. */
import { type ScalingFinding, scalingFindings } from '../analysis/scaling-law.ts';
import type { LoadEstimate, LoadRun } from '../records/schema.ts';
import { formatNumber } from './format.ts';
import { type Look, looksBy } from './look.ts';
import { axisBelow, axisLeft, legendAbove, lineOf, type Plot, renderSvg } from './plot.ts';
import { whiskerSeries } from './whisker.ts';

const panelPixels = 330;
/** The law is drawn up to that many times the highest count that was measured. */
const beyond = 2;
const steps = 48;
const faint = { opacity: 0.4 };

/** Null where no group of the run has a law. */
export function scalingPlot(run: LoadRun): Plot | null {
  const findings = scalingFindings(run).filter(({ law }) => law !== null);
  if (findings.length === 0) return null;
  const looks = looksBy(
    findings.map(({ group, points }) => ({ name: group, stage: points[0]!.variant.stage })),
  );
  const last = beyond * Math.max(...findings.flatMap(countsOf));
  const whole = (value: number) => (Number.isInteger(value) ? formatNumber(value) : '');
  const { legend, pixels } = legendAbove(
    findings.map(({ group }) => ({ name: group, look: { icon: looks.get(group)!.symbol } })),
    12,
  );
  const svg = renderSvg('scaling', panelPixels + pixels, {
    grid: { left: 8, right: 20, top: 40 + pixels, bottom: 44, containLabel: true },
    legend,
    xAxis: axisBelow(findings[0]!.of, whole, { type: 'value', min: 0, max: last }),
    yAxis: axisLeft(run.record.varied.unit, formatNumber, { type: 'value', min: 0 }),
    series: findings.flatMap((finding) => seriesOf(finding, looks.get(finding.group)!, last)),
  });
  return {
    title: 'The scaling law',
    caption:
      'Marks are capacities with their 90 % interval. The line is C(N) = λN / (1 + σ(N − 1) + κN(N − 1)), fitted to them; faint beyond the highest N that was measured. Thin lines bound its 90 % interval.',
    svg,
    file: 'scaling',
  };
}

function seriesOf(finding: ScalingFinding, { colour, dash, symbol }: Look, last: number) {
  const { group, points, leftOut } = finding;
  const most = Math.max(...countsOf(finding));
  const between = (from: number, to: number, pick: keyof LoadEstimate) =>
    Array.from({ length: steps + 1 }, (_, step) => {
      const count = from + (step / steps) * (to - from);
      return [count, finding.law!.at(count)[pick]];
    });
  const lines = [
    lineOf(group, colour, 2.25, between(1, most, 'middle'), { type: dash }),
    lineOf('', colour, 2.25, between(most, last, 'middle'), { type: dash, ...faint }),
    lineOf('', colour, 1, between(1, last, 'low'), faint),
    lineOf('', colour, 1, between(1, last, 'high'), faint),
  ];
  const known = points.filter(({ count }) => !leftOut.includes(count));
  const whiskers = known.map(({ count, threshold }) => {
    const { low, middle, high } = threshold!.capacity;
    return { across: count, along: middle, low, high, colour, isOpen: false };
  });
  const marks = whiskers.map(({ across, along }) => [across, along]);
  return [
    ...lines.map((one) => ({ ...one, showSymbol: false })),
    whiskerSeries(whiskers, 'vertical'),
    { type: 'scatter', symbol, itemStyle: { color: colour, opacity: 1 }, symbolSize: 10, data: marks, z: 4 },
  ];
}

function countsOf({ points, leftOut }: ScalingFinding): number[] {
  return points.map(({ count }) => count).filter((count) => !leftOut.includes(count));
}
