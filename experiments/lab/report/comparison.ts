/** A comparison of two runs as text. */
import { type Comparison, comparisonMethod, type Unit } from '../analysis/compare.ts';
import { formatMagnitude, formatMs, formatNumber } from './format.ts';
import { left, right, terminalTable } from './table.ts';

/** The table, and below it how its verdicts are found. */
export function comparisonReport(rows: readonly Comparison[]): string {
  const table = terminalTable({
    columns: [
      left('variant'),
      left('metric'),
      right('a'),
      right('b'),
      right('b ÷ a'),
      right('bounds'),
      left('verdict'),
    ],
    rows: rows.map(({ variant, metric, unit, a, b, ratio, verdict, decides }) => [
      variant,
      metric,
      figure(a, unit),
      figure(b, unit),
      ratio === null ? '–' : formatNumber(ratio.middle),
      ratio === null
        ? '–'
        : `${formatNumber(ratio.low)}–${Number.isFinite(ratio.high) ? formatNumber(ratio.high) : '∞'}`,
      decides ? verdict : `(${verdict})`,
    ]),
  });
  return [
    table,
    '',
    ...comparisonMethod,
    'Verdicts in parentheses only explain; the others decide the exit code.',
  ].join('\n');
}

const formats = { ms: formatMs, magnitude: formatMagnitude, number: formatNumber };

function figure(value: number | null, unit: Unit): string {
  return value === null ? '–' : formats[unit](value);
}
