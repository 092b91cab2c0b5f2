/** What A/A runs showed, as text. Pure. */
import type { NoiseFigure } from '../records/noise-file.ts';
import { formatNumber, formatShare } from './format.ts';
import { left, right, tableOf, terminalTable } from './table.ts';

/** The table, and how to read it. */
export function noiseReport(figures: readonly NoiseFigure[], worse: number, comparisons: number): string {
  const table = tableOf(figures, [
    left('variant', ({ variant }) => variant),
    left('metric', ({ metric }) => metric),
    right('max ÷ min', ({ spread }) => formatNumber(spread)),
    right('smallest ratio', ({ resolvable }) => formatNumber(resolvable)),
    right('margin', ({ margin }) => formatShare(margin)),
  ]);
  return [
    terminalTable(table),
    '',
    'Smallest ratio: two single runs that differ by less are alike, in 9 of 10 cases. Margin: what two runs differ by beyond their own intervals; compare takes it from here.',
    `Without a margin, ${worse} of ${comparisons} A/A comparisons said worse.`,
  ].join('\n');
}
