/** The report of a capacity search. Pure. */
import { cpuByNode, deliveriesPerCpuSecond } from '../../analysis/cpu.ts';
import { type CapacityFinding, capacityFindings } from '../../analysis/finding.ts';
import { passShareAtLeast } from '../../analysis/statistics.ts';
import type { BoundName, CapacityMethod, LoadRun } from '../../records/schema.ts';
import { capacityText } from '../../report/capacity-text.ts';
import { formatBytes, formatMagnitude, formatMs, formatNumber, formatShare } from '../../report/format.ts';
import { answerWithNotes, caveatsOf, phasesNote } from '../../report/notes.ts';
import { left, type ReportContent, right, type Table, tableOf } from '../../report/table.ts';
import { environmentRows, trialsTable } from '../../report/trials.ts';

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
  const first = findings.find(({ capacity }) => capacity !== null)?.capacity;
  const timesFirst = (capacity: number) => {
    const times = capacity / first!;
    return String(Number(times.toPrecision(times < 10 ? 2 : 3)));
  };
  return tableOf(findings, [
    left('stage', ({ variant }) => `**${variant.name}**`),
    left('its one change', ({ variant }) => variant.summary),
    right(run.record.varied.unit, capacityText),
    right('deliveries/s', ({ result }) => result && formatMagnitude(result.deliveriesPerSecond)),
    right('p99', ({ result }) => result && formatMs(result.deliveryLatencyMs.p99)),
    right(`× ${findings[0]?.variant.name ?? ''}`, ({ capacity }) =>
      capacity === null ? null : timesFirst(capacity),
    ),
    left('stopped by', ({ variant }) => variant.bound?.name),
  ]);
}

function capacityAnswer(run: LoadRun): string[] {
  const { unit } = run.record.varied;
  const findings = capacityFindings(run);
  const found = findings.filter(({ capacity }) => capacity !== null);
  const best = found.toSorted((a, b) => b.capacity! - a.capacity!)[0];
  if (best === undefined) return ['No variant held the limits at any load that was tried.'];
  const first = found[0]!;
  const deliveries = formatMagnitude(best.result!.deliveriesPerSecond);
  const times = best.capacity! / first.capacity!;
  const rounded = times >= 10 ? Math.round(times) : times.toFixed(1);
  const ratio =
    first === best ? '' : `, ${rounded} times the ${capacityText(first)} of ${first.variant.name}`;
  return [
    `${best.variant.name} carries ${capacityText(best)} ${unit}, which is ${deliveries} deliveries/s${ratio}.`,
    ...findings.map(boundSentence),
  ];
}

function boundSentence({ variant, capacity }: CapacityFinding): string {
  if (variant.error !== null) return `${variant.name} could not be tried: ${variant.error}`;
  if (variant.bound === null) return `${variant.name} was not finished.`;
  const reached = capacity === null ? 'held the limits at no load, stopped' : 'is bound';
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
  loss: 'lost deliveries',
  latency: 'latency, with no resource used up',
  'another limit': 'another limit',
  nothing: 'nothing that was tried',
};

function searchNotes({ growth, tolerance, confirmations }: CapacityMethod): string[] {
  const share = formatShare(passShareAtLeast(confirmations));
  return [
    `The search steps up or down, first by ×${growth}, until one load passes and a higher one fails. It then bisects until the loads that pass and fail are within ${formatShare(tolerance)} of each other. Then ${confirmations} confirming trials must all pass; if one does not, the load steps down and is confirmed anew.`,
    `“Edge between” is the zone of loads that the trials leave open, widened by any load that both passed and failed. It is a bracket, not a confidence interval. ${confirmations} of ${confirmations} passes show with 95 % confidence only that at least ${share} of such trials pass (Clopper–Pearson).`,
  ];
}

function capacityTable(run: LoadRun): Table {
  return tableOf(capacityFindings(run), [
    left('variant', ({ variant }) => variant.name),
    right(run.record.varied.unit, capacityText),
    right('edge between', ({ zone }) => zone && `${formatNumber(zone.low)}–${formatNumber(zone.high)}`),
    right('deliveries/s', deliveriesText),
    right('p50', ({ result }) => result && formatMs(result.deliveryLatencyMs.p50)),
    right('p99 (all)', p99Text),
    right('CPU cores', cpuText),
    right('per CPU s', ({ typical }) => {
      return typical && formatMagnitude(deliveriesPerCpuSecond(typical) ?? Number.NaN);
    }),
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

/** With the half width of its 95 % interval over the confirming trials. */
function deliveriesText({ result, deliveriesPerSecond }: CapacityFinding): string | null {
  if (result === null) return null;
  const value = formatMagnitude(result.deliveriesPerSecond);
  if (deliveriesPerSecond === null) return value;
  const share = (deliveriesPerSecond.high - deliveriesPerSecond.mean) / deliveriesPerSecond.mean;
  // A server that keeps up delivers exactly the offered messages, with no spread.
  return share < 0.001 ? value : `${value} ± ${formatShare(share)}`;
}

/** With the lowest and highest of the confirming trials, in ms. */
function p99Text({ result, confirmed }: CapacityFinding): string | null {
  if (result === null) return null;
  const values = confirmed.map(({ loadtest }) => loadtest!.deliveryLatencyMs.p99);
  const range = `${formatNumber(Math.min(...values))}–${formatNumber(Math.max(...values))}`;
  return `${formatMs(result.deliveryLatencyMs.p99)} (${range})`;
}
