/** A comparison of two runs as text. */
import { type Comparison, comparisonMethod, type Unit } from '../analysis/compare.ts';
import { formatMagnitude, formatMs, formatNumber } from './format.ts';
import { left, right, tableOf, terminalTable } from './table.ts';

const formats = { ms: formatMs, magnitude: formatMagnitude, number: formatNumber };
const figure = (value: number | null, unit: Unit) => (value === null ? null : formats[unit](value));
const bound = (value: number) => (Number.isFinite(value) ? formatNumber(value) : '∞');

/** The table, and below it how its verdicts are found. */
export function comparisonReport(rows: readonly Comparison[]): string {
  const table = tableOf(rows, [
    left('variant', ({ variant }) => variant),
    left('metric', ({ metric }) => metric),
    right('a', ({ a, unit }) => figure(a, unit)),
    right('b', ({ b, unit }) => figure(b, unit)),
    right('b ÷ a', ({ ratio }) => ratio && formatNumber(ratio.middle)),
    right('bounds', ({ ratio }) => ratio && `${formatNumber(ratio.low)}–${bound(ratio.high)}`),
    left('verdict', ({ verdict, decides }) => (decides ? verdict : `(${verdict})`)),
  ]);
  const legend = 'Verdicts in parentheses only explain; the others decide the exit code.';
  return [terminalTable(table), '', ...comparisonMethod, legend].join('\n');
}
