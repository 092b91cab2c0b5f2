/** The report of a capacity search. Pure. */
import { trialsPerStart } from '../../analysis/capacity-search.ts';
import { cpuByNode, deliveriesPerCpuSecond } from '../../analysis/cpu.ts';
import { type CapacityFinding, capacityFindings } from '../../analysis/finding.ts';
import type { CapacityMethod, LoadRun } from '../../records/schema.ts';
import { boxOf, capacityCell, claimCell, claimOf, effortCell, safeLoadCell } from '../../report/claims.ts';
import { freezeTable } from '../../report/curve.ts';
import { formatBytes, formatMagnitude, formatMs, formatShare } from '../../report/format.ts';
import { answerWithNotes, caveatsOf, phasesNote } from '../../report/notes.ts';
import { familiesOf } from '../../report/parameter.ts';
import { detail, left, type ReportContent, right, type Table, tableOf } from '../../report/table.ts';
import { environmentRows, trialsTable } from '../../report/trials.ts';
import { capacityAnswer } from './answer.ts';
import { scalingColumns } from './scaling.ts';

/** One row for each variant. */
export function reportCapacity(run: LoadRun): ReportContent {
  const freezes = freezeTable(run);
  return {
    answer: answerWithNotes(run, capacityAnswer(run)),
    summary: capacityTable(run),
    more: freezes === null ? [] : [freezes],
    method: [phasesNote(run), ...searchNotes(run)],
    environment: environmentRows(run),
    caveats: caveatsOf(run),
    trials: trialsTable(run),
  };
}

/** The finding in short: one row for each variant, the one change of its stage, and its bound. */
export function findingTable(run: LoadRun): Table {
  const findings = capacityFindings(run);
  const first = findings.find(({ threshold }) => threshold !== null);
  return tableOf(findings, [
    left('stage', ({ variant }) => `**${variant.name}**`),
    left('its one change', ({ variant }) => variant.summary),
    right(`${run.record.varied.unit} (90 %)`, capacityCell),
    right(`× ${first?.variant.name ?? ''}`, (finding) => first && timesCell(finding, first)),
    right('deliveries/s', ({ result }) => result && formatMagnitude(result.deliveriesPerSecond)),
    right('trials (void)', ({ trials }) => effortCell(trials)),
    left('stopped by', ({ variant }) => variant.bound?.name),
  ]);
}

/** How many times as much as the first, with its box where that is another one. */
function timesCell(finding: CapacityFinding, first: CapacityFinding): string | null {
  if (finding.threshold === null || finding === first) return finding.threshold && '1';
  const [box, firstBox] = [boxOf(finding), boxOf(first)];
  const claim = claimCell(claimOf(finding, first));
  return box === firstBox || box === null || claim === '–' ? claim : `${claim}, from ${box}`;
}

function endText({ method, variants }: LoadRun['record']): string {
  const { precision, trialsMax } = method as CapacityMethod;
  if (precision === 0) return 'when its time is spent';
  const isTimed = variants.some(({ answer }) => answer?.end === 'time-max');
  const otherwise = isTimed ? 'when its time is spent' : `after ${trialsMax} trials`;
  return `when the interval is no wider than ± ${formatShare(precision)}, or ${otherwise}`;
}

function searchNotes({ record, trials }: LoadRun): string[] {
  const isOfSeveralStarts = trials.some(({ serverStart = 1 }) => serverStart > 1);
  const isCurve = trials.some(({ purpose }) => purpose === 'curve');
  return [
    'Near the edge, whether a trial passes is a matter of probability: P(pass | load) = 0.98 / (1 + e^((ln load − θ) / s)). The capacity is the load e^θ, which half of the trials hold; the safe load is the one that 9 of 10 hold. Both have a 90 % credible interval, from the posterior of (θ, s) over all judged trials. Void trials count for nothing.',
    `Each load is the one that teaches most about θ and s (the Ψ method, Kontsevich and Tyler 1999). A search ends ${endText(record)}.`,
    ...(isOfSeveralStarts
      ? [
          `A long search starts the server anew every ${trialsPerStart} trials, because starts differ: each has a θ of its own, normally spread around the one that is reported, with a deviation that follows from the trials.`,
        ]
      : []),
    'A capacity with “≥” is a load that was held: no trial failed because of the server, so that it may carry more. One with “~” lies above or below all loads that were judged: it follows from the shape that is assumed of an edge, and a trial there may show another one. “Not told apart” means that the 90 % intervals overlap.',
    'Latency, CPU and memory of a variant are those of the highest load up to its capacity that passed.',
    ...(isCurve
      ? [
          'Latency against load is measured by trials of its own, at shares of the capacity; they do not decide it.',
        ]
      : []),
  ];
}

function capacityTable(run: LoadRun): Table {
  const findings = capacityFindings(run);
  const { title, baseOf } = baseline(findings);
  return tableOf(findings, [
    left('variant', ({ variant }) => variant.name),
    right(`${run.record.varied.unit} (90 %)`, capacityCell),
    right('safe load (90 %)', safeLoadCell),
    right(title, (finding) => {
      const base = baseOf(finding);
      return base && timesCell(finding, base);
    }),
    right('deliveries per CPU s', ({ typical }) => {
      return typical && formatMagnitude(deliveriesPerCpuSecond(typical) ?? Number.NaN);
    }),
    right('trials (void)', ({ trials }) => effortCell(trials)),
    ...scalingColumns(run).map(detail),
    left('bound by', ({ variant: { error, bound } }) =>
      error === null ? (bound?.name ?? 'interrupted') : 'not run',
    ),
    detail(right('deliveries/s', ({ result }) => result && formatMagnitude(result.deliveriesPerSecond))),
    detail(right('p50', ({ result }) => result && formatMs(result.deliveryLatencyMs.p50))),
    detail(right('p99', ({ result }) => result && formatMs(result.deliveryLatencyMs.p99))),
    detail(left('box', boxOf)),
    detail(right('CPU cores', cpuText)),
    detail(right('memory', ({ server }) => server && formatBytes(server.rssMaxBytes))),
    detail(
      right('per session', ({ rssBytesPerSession: bytes }) => (bytes === null ? null : formatBytes(bytes))),
    ),
  ]);
}

/** What a variant is compared with: the first of its family, else the first that has a capacity. */
function baseline(findings: readonly CapacityFinding[]) {
  const series = familiesOf(findings);
  const first = findings.find(({ threshold }) => threshold !== null);
  if (series === null) return { title: `× ${first?.variant.name ?? 'first'}`, baseOf: () => first };
  const { parameter, families } = series;
  const long = families.filter(({ points }) => points.length > 1);
  const baseOf = (finding: CapacityFinding) =>
    long.find(({ points }) => points.some((point) => point.finding === finding))?.points[0]?.finding;
  return { title: `× ${parameter.text(long[0]!.points[0]!.value)}`, baseOf };
}

/** Of all servers together, and of each node and service where there are several. */
function cpuText({ typical, server }: CapacityFinding): string | null {
  if (typical === null || server === null) return null;
  const total = server.cpuCores.toFixed(2);
  return typical.nodes.length > 1 ? `${total} (${cpuByNode(typical)})` : total;
}
