/** A comparison of two runs as text. */
import { type Comparison, comparisonMethod } from '../analysis/compare.ts';
import { formatNumber } from './format.ts';
import { terminalTable } from './table.ts';

/** The table, and below it how its verdicts came about. */
export function comparisonReport(rows: readonly Comparison[]): string {
  const table = terminalTable({
    columns: [
      { title: 'variant', align: 'left' },
      { title: 'metric', align: 'left' },
      { title: 'a', align: 'right' },
      { title: 'b', align: 'right' },
      { title: 'b ÷ a', align: 'right' },
      { title: 'bounds', align: 'right' },
      { title: 'verdict', align: 'left' },
    ],
    rows: rows.map(({ variant, metric, a, b, ratio, verdict, decides }) => [
      variant,
      metric,
      a,
      b,
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
    'Verdicts in parentheses explain; only the others decide the exit code.',
  ].join('\n');
}
