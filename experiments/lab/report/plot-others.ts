/** What other clients felt at the highest given load: a row for each variant. */
import { outstandingMs } from '../../../loadtest/record/histogram.ts';
import { fixedFindings } from '../analysis/finding.ts';
import type { LoadRun } from '../records/schema.ts';
import { formatMs, formatNumber } from './format.ts';
import { latencyBoundsMs } from './limit-line.ts';
import { looksOf } from './look.ts';
import { page } from './palette.ts';
import type { Plot } from './plot.ts';
import { boundText, dotsPlot } from './plot-dots.ts';

/** A percentile that was outstanding is drawn this far beyond all others, as a factor. */
const beyond = 3;

/** Filled at the highest load, hollow at the lowest; null without both. */
export function othersPlot(run: LoadRun): Plot | null {
  const findings = fixedFindings(run).filter(({ result }) => result !== null);
  const loads = findings.map(({ load }) => load);
  const [lowest, highest] = [Math.min(...loads), Math.max(...loads)];
  if (findings.length === 0 || lowest === highest) return null;
  const looks = looksOf(run);
  const [bound] = latencyBoundsMs(run);
  const known = findings
    .map(({ result }) => result!.deliveryLatencyMs.p99)
    .filter((latency) => latency < outstandingMs);
  const end = beyond * Math.max(...known, bound ?? 0);
  const rows = run.record.variants.flatMap(({ name }) => {
    const colour = looks.get(name)!.colour;
    const at = (load: number) => {
      const finding = findings.find((one) => one.variant.name === name && one.load === load);
      return finding?.result?.deliveryLatencyMs.p99;
    };
    const [alone, beside] = [at(lowest), at(highest)];
    if (alone === undefined || beside === undefined) return [];
    return {
      ...{ name, colour, remarks: [] },
      figure: `${formatMs(alone)} → ${beside >= outstandingMs ? 'not all came' : formatMs(beside)}`,
      dots: [
        {
          value: Math.min(alone, end),
          look: { itemStyle: { color: page, borderColor: colour, borderWidth: 2 } },
        },
        { value: Math.min(beside, end) },
      ],
    };
  });
  if (rows.length === 0) return null;
  const { unit } = run.record.varied;
  return dotsPlot(
    rows,
    { name: 'p99 delivery latency', format: formatMs, scale: 'log', ...(bound && { bound }) },
    {
      title: `Latency of the other clients with ${formatNumber(highest)} ${unit}`,
      caption: `Hollow: with ${formatNumber(lowest)} ${unit}; filled: with ${formatNumber(highest)}. Deliveries that were outstanding when the drain ended are drawn at the right end.${boundText(bound)}`,
      file: 'latency',
    },
  );
}
