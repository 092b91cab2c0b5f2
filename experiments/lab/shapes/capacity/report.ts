/** The report of a capacity search. Pure. */
import { cpuByNode, deliveriesPerCpuSecond } from '../../analysis/cpu.ts';
import { type CapacityFinding, capacityFindings } from '../../analysis/finding.ts';
import { ratioOf } from '../../analysis/threshold.ts';
import type { BoundName, CapacityMethod, LoadRun } from '../../records/schema.ts';
import { capacityText, intervalText } from '../../report/capacity-text.ts';
import { formatBytes, formatMagnitude, formatMs, formatNumber, formatShare } from '../../report/format.ts';
import { answerWithNotes, caveatsOf, phasesNote } from '../../report/notes.ts';
import { left, type ReportContent, right, type Table, tableOf } from '../../report/table.ts';
import { environmentRows, trialsTable } from '../../report/trials.ts';
import { scalingColumns, scalingSentences } from './scaling.ts';

/** One row for each variant. */
export function reportCapacity(run: LoadRun): ReportContent {
  return {
    answer: answerWithNotes(run, capacityAnswer(run)),
    summary: capacityTable(run),
    method: [phasesNote(run), ...searchNotes(run.record.method as CapacityMethod)],
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
    right(run.record.varied.unit, capacityText),
    right('90 % interval', capacityInterval),
    right('deliveries/s', ({ result }) => result && formatMagnitude(result.deliveriesPerSecond)),
    right('p99', ({ result }) => result && formatMs(result.deliveryLatencyMs.p99)),
    right(`× ${findings[0]?.variant.name ?? ''}`, (finding) => first && timesText(finding, first)),
    left('stopped by', ({ variant }) => variant.bound?.name),
  ]);
}

function capacityAnswer(run: LoadRun): string[] {
  const { unit } = run.record.varied;
  const findings = capacityFindings(run);
  const held = ({ threshold, atLeast }: CapacityFinding) => atLeast ?? threshold?.capacity.middle ?? 0;
  const [best] = findings.toSorted((a, b) => held(b) - held(a));
  const first = findings.find(({ threshold }) => threshold !== null);
  if (best === undefined || first === undefined)
    return ['No variant held the limits at any load that was tried.'];
  const interval = capacityInterval(best);
  const sure = interval === null ? '' : ` (90 % interval ${interval})`;
  const ratio = `, ${timesText(best, first)} times the ${capacityText(first)} of ${first.variant.name}`;
  const safe = interval === null ? '' : ` Nine of ten trials hold ${safeLoadText(best)}.`;
  return [
    `${best.variant.name} carries ${capacityText(best)} ${unit}${sure}${first === best ? '' : ratio}.${safe}`,
    ...scalingSentences(run),
    ...findings.map(boundSentence),
  ];
}

function capacityInterval({ threshold, atLeast }: CapacityFinding): string | null {
  return threshold === null || atLeast !== null ? null : intervalText(threshold.capacity);
}

function safeLoadText({ threshold, atLeast }: CapacityFinding): string | null {
  return threshold === null || atLeast !== null ? null : formatNumber(threshold.safeLoad.middle);
}

/** How many times as much as the first, with the 90 % interval of the ratio. */
function timesText(finding: CapacityFinding, first: CapacityFinding): string | null {
  const { threshold, atLeast } = finding;
  if (threshold === null || finding === first) return threshold && '1';
  const round = (times: number) => String(Number(times.toPrecision(times < 10 ? 2 : 3)));
  if (atLeast !== null) return `≥ ${round(atLeast / first.threshold!.capacity.high)}`;
  const { low, middle, high } = ratioOf(first.posterior, finding.posterior);
  return `${round(middle)} (${round(low)}–${round(high)})`;
}

function boundSentence({ variant, threshold }: CapacityFinding): string {
  if (variant.error !== null) return `${variant.name} could not be tried: ${variant.error}`;
  if (variant.bound === null) return `${variant.name} was not finished.`;
  const reached = threshold === null ? 'held the limits at no load, stopped' : 'is bound';
  return `${variant.name} ${reached} by ${boundPhrase[variant.bound.name]}: ${variant.bound.evidence}.`;
}

const boundPhrase: Record<BoundName, string> = {
  instrument: 'the simulator, not by the server',
  memory: 'memory',
  crash: 'a crash',
  'refused connections': 'refused connections',
  'CPU quota': 'its CPU quota',
  'event loop': 'its event loop',
  machine: 'the machine’s cores',
  Redis: 'Redis',
  'garbage collection': 'garbage collection',
  loss: 'lost deliveries',
  'not known': 'something that is not known',
  latency: 'latency, with no resource used up',
  'another limit': 'another limit',
  nothing: 'nothing that was tried',
};

function searchNotes({ trialsMax, precision = 0 }: CapacityMethod): string[] {
  return [
    'Near the edge, whether a trial passes is a matter of probability: P(pass | load) = 0.98 / (1 + e^((ln load − θ) / s)). The capacity is the load e^θ, which half of the trials hold; the safe load is the one that 9 of 10 hold. Both have a 90 % credible interval, from the posterior of (θ, s) over all judged trials. Void trials count for nothing.',
    ...(precision === 0
      ? []
      : [
          `Each load is the one that teaches most about θ and s (the Ψ method, Kontsevich and Tyler 1999). A search ends when the interval is no wider than ± ${formatShare(precision)}, or after ${trialsMax} trials.`,
        ]),
    'A capacity with “≥” is a load that was held: no trial failed because of the server, so that it may carry more.',
  ];
}

function capacityTable(run: LoadRun): Table {
  return tableOf(capacityFindings(run), [
    left('variant', ({ variant }) => variant.name),
    right(run.record.varied.unit, capacityText),
    right('90 % interval', capacityInterval),
    right('safe load', safeLoadText),
    right('deliveries/s', ({ result }) => result && formatMagnitude(result.deliveriesPerSecond)),
    right('p50', ({ result }) => result && formatMs(result.deliveryLatencyMs.p50)),
    right('p99', ({ result }) => result && formatMs(result.deliveryLatencyMs.p99)),
    right('CPU cores', cpuText),
    right('per CPU s', ({ typical }) => {
      return typical && formatMagnitude(deliveriesPerCpuSecond(typical) ?? Number.NaN);
    }),
    ...scalingColumns(run),
    right('memory', ({ server }) => server && formatBytes(server.rssMaxBytes)),
    right('B/session', ({ rssBytesPerSession: bytes }) => (bytes === null ? null : formatBytes(bytes))),
    left('bound by', ({ variant: { error, bound } }) =>
      error === null ? (bound?.name ?? 'interrupted') : 'not run',
    ),
  ]);
}

/** Of all servers together, and of each node and service where there are several. */
function cpuText({ typical, server }: CapacityFinding): string | null {
  if (typical === null || server === null) return null;
  const total = server.cpuCores.toFixed(2);
  return typical.nodes.length > 1 ? `${total} (${cpuByNode(typical)})` : total;
}
