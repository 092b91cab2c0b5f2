/** The report of a capacity search. Pure. */
import { cpuByNode, deliveriesPerCpuSecond } from '../../analysis/cpu.ts';
import { type CapacityFinding, capacityFindings } from '../../analysis/finding.ts';
import { passShareAtLeast } from '../../analysis/statistics.ts';
import type { BoundName, CapacityMethod, LoadRun, TrialRecord } from '../../records/schema.ts';
import { capacityText } from '../../report/capacity-text.ts';
import type { ReportContent } from '../../report/content.ts';
import { formatBytes, formatMagnitude, formatMs, formatNumber, formatShare } from '../../report/format.ts';
import { answerWithNotes, caveatsOf, phasesNote } from '../../report/notes.ts';
import { left, right, type Table } from '../../report/table.ts';
import { environmentRows, trialsTable } from '../../report/trials.ts';

const none = '–';

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
  const first = findings.find(({ capacity }) => capacity !== null)?.capacity ?? null;
  return {
    columns: [
      left('stage'),
      left('its one change'),
      right(run.record.varied.unit),
      right('deliveries/s'),
      right('p99'),
      right(`× ${findings[0]?.variant.name ?? ''}`),
      left('stopped by'),
    ],
    rows: findings.map((finding) => {
      const { variant, capacity, typical } = finding;
      const result = typical?.loadtest ?? null;
      return [
        `**${variant.name}**`,
        variant.summary,
        capacityText(finding),
        result === null ? '–' : formatMagnitude(result.deliveriesPerSecond),
        result === null ? '–' : formatMs(result.deliveryLatencyMs.p99),
        capacity === null || first === null
          ? '–'
          : String(Number((capacity / first).toPrecision(capacity / first < 10 ? 2 : 3))),
        variant.bound?.name ?? '–',
      ];
    }),
  };
}

function capacityAnswer(run: LoadRun): string[] {
  const { unit } = run.record.varied;
  const found = capacityFindings(run).filter(({ capacity }) => capacity !== null);
  const best = found.toSorted((a, b) => b.capacity! - a.capacity!)[0];
  if (best === undefined) return ['No variant held the limits at any load that was tried.'];
  const first = found[0]!;
  const deliveries = formatMagnitude(best.typical!.loadtest!.deliveriesPerSecond);
  const times = best.capacity! / first.capacity!;
  const ratio =
    first === best
      ? ''
      : `, ${times >= 10 ? Math.round(times) : times.toFixed(1)} times the ${capacityText(first)} of ${first.variant.name}`;
  return [
    `${best.variant.name} carries ${capacityText(best)} ${unit}, which is ${deliveries} deliveries/s${ratio}.`,
    ...capacityFindings(run).map(boundSentence),
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

function searchNotes(method: CapacityMethod): string[] {
  const share = formatShare(passShareAtLeast(method.confirmations));
  return [
    `The search steps up or down, first by ×${method.growth}, until one load passes and a higher one fails. It then bisects until the loads that pass and fail are within ${formatShare(method.tolerance)} of each other. Then ${method.confirmations} confirming trials must all pass; if one does not, the load steps down and is confirmed anew.`,
    `“Edge between” is the zone of loads that the trials leave open, widened by any load that both passed and failed. It is a bracket, not a confidence interval. ${method.confirmations} of ${method.confirmations} passes show with 95 % confidence only that at least ${share} of such trials pass (Clopper–Pearson).`,
  ];
}

function capacityTable(run: LoadRun): Table {
  const { unit } = run.record.varied;
  return {
    columns: [
      left('variant'),
      right(unit),
      right('edge between'),
      right('deliveries/s'),
      right('p50'),
      right('p99 (all)'),
      right('CPU cores'),
      right('per CPU s'),
      right('memory'),
      right('B/session'),
      left('bound by'),
    ],
    rows: capacityFindings(run).map((finding) => {
      const { typical, variant } = finding;
      const latency = typical?.loadtest?.deliveryLatencyMs;
      return [
        variant.name,
        capacityText(finding),
        zoneText(finding),
        deliveriesText(finding),
        latency === undefined ? none : formatMs(latency.p50),
        latency === undefined ? none : `${formatMs(latency.p99)} (${p99Range(finding)})`,
        typical === null ? none : cpuText(typical),
        typical === null ? none : formatMagnitude(deliveriesPerCpuSecond(typical) ?? Number.NaN),
        typical?.server ? formatBytes(typical.server.rssMaxBytes) : none,
        finding.rssBytesPerSession === null ? none : formatBytes(finding.rssBytesPerSession),
        variant.error !== null ? 'not run' : (variant.bound?.name ?? 'interrupted'),
      ];
    }),
  };
}

/** Of all servers together, and of each node and service where there are several. */
function cpuText(trial: TrialRecord): string {
  if (trial.server === null) return none;
  const total = trial.server.cpuCores.toFixed(2);
  return trial.nodes.length > 1 ? `${total} (${cpuByNode(trial)})` : total;
}

/** With the half width of its 95 % interval over the confirming trials. */
function deliveriesText({ typical, deliveriesPerSecond }: CapacityFinding): string {
  if (typical === null) return none;
  const value = formatMagnitude(typical.loadtest!.deliveriesPerSecond);
  if (deliveriesPerSecond === null) return value;
  const share = (deliveriesPerSecond.high - deliveriesPerSecond.mean) / deliveriesPerSecond.mean;
  // A server that keeps up delivers exactly the offered messages, with no spread.
  return share < 0.001 ? value : `${value} ± ${formatShare(share)}`;
}

/** Lowest and highest of the confirming trials, in ms. */
function p99Range({ confirmed }: CapacityFinding): string {
  const values = confirmed.map((trial) => trial.loadtest!.deliveryLatencyMs.p99);
  return `${formatNumber(Math.min(...values))}–${formatNumber(Math.max(...values))}`;
}

/** `107–118`, or the ceiling's kind where the edge was not reached. */
function zoneText(finding: CapacityFinding): string {
  if (finding.zone === null) return none;
  return `${formatNumber(finding.zone.low)}–${formatNumber(finding.zone.high)}`;
}
