/** Capacity against workers or nodes, with the fitted scaling law. */
import { type ScalingFinding, scalingFindings } from '../analysis/scaling-law.ts';
import type { LoadEstimate, LoadRun } from '../records/schema.ts';
import { formatNumber } from './format.ts';
import { axisBelow, axisLeft, coloursOf, legendOf, lineOf, type Plot, renderSvg } from './plot.ts';

const height = 400;
/** The law is drawn up to that many times the highest count that was measured. */
const beyond = 2;
const steps = 48;

/** Null where no group of the run has a law. */
export function scalingPlot(run: LoadRun): Plot | null {
  const findings = scalingFindings(run).filter(({ law }) => law !== null);
  if (findings.length === 0) return null;
  const colours = coloursOf(run);
  const last = beyond * Math.max(...findings.flatMap(countsOf));
  const whole = (value: number) => (Number.isInteger(value) ? formatNumber(value) : '');
  const svg = renderSvg('scaling', height, {
    grid: { left: 16, right: 48, top: 64, bottom: 40, containLabel: true },
    legend: legendOf(findings.map(({ group }) => group)),
    xAxis: axisBelow(findings[0]!.of, whole, { type: 'value', min: 0, max: last }),
    yAxis: axisLeft(run.record.varied.unit, formatNumber, { type: 'value', min: 0 }),
    series: findings.flatMap((finding) => {
      return seriesOf(finding, colours.get(finding.points[0]!.variant.name)!, last);
    }),
  });
  return {
    title: 'The scaling law',
    caption: `Marks are capacities with their 90 % interval. The line is C(N) = λN / (1 + σ(N − 1) + κN(N − 1)), fitted to them; dashed beyond the highest N that was measured. Thin lines bound its 90 % interval.`,
    svg,
  };
}

function seriesOf(finding: ScalingFinding, colour: string, last: number) {
  const { group, points } = finding;
  const most = Math.max(...countsOf(finding));
  const between = (from: number, to: number, pick: keyof LoadEstimate) =>
    Array.from({ length: steps + 1 }, (_, step) => {
      const count = from + (step / steps) * (to - from);
      return [count, finding.law!.at(count)[pick]];
    });
  const lines = [
    lineOf(group, colour, 2.25, between(1, most, 'middle')),
    dashed(lineOf(group, colour, 2.25, between(most, last, 'middle'))),
    lineOf(group, colour, 1, between(1, last, 'low'), 0.5),
    lineOf(group, colour, 1, between(1, last, 'high'), 0.5),
  ];
  const known = points.filter(({ count }) => !finding.leftOut.includes(count));
  const marks = known.map(({ count, threshold }) => [count, threshold!.capacity.middle]);
  const whiskers = known.map(({ count, threshold }) => {
    const { low, high } = threshold!.capacity;
    return lineOf(group, colour, 1.5, [
      [count, low],
      [count, high],
    ]);
  });
  return [
    ...[...lines, ...whiskers].map((one) => ({ ...one, showSymbol: false })),
    { type: 'scatter', name: group, itemStyle: { color: colour }, symbolSize: 8, data: marks, z: 4 },
  ];
}

function countsOf({ points, leftOut }: ScalingFinding): number[] {
  return points.map(({ count }) => count).filter((count) => !leftOut.includes(count));
}

function dashed<Line extends { lineStyle: object }>(line: Line) {
  return { ...line, lineStyle: { ...line.lineStyle, type: 'dashed' } };
}
