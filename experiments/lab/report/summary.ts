/** The table that answers the question: the same figures on the terminal, in Markdown and in HTML. */

import { cpuByNode, deliveriesPerCpuSecond } from '../analysis/cpu.ts';
import {
  type CapacityFinding,
  capacityFindings,
  type FixedFinding,
  fixedFindings,
} from '../analysis/finding.ts';
import type { Run, TrialRecord } from '../records/schema.ts';
import { formatBytes, formatMagnitude, formatMs, formatNumber, formatShare } from './format.ts';
import type { Table } from './table.ts';

const none = '–';

/** One row for each variant, or for each variant and load where loads are fixed. */
export function summaryTable(run: Run): Table {
  const { method, varied } = run.record;
  return method.kind === 'capacity'
    ? capacityTable(capacityFindings(run), varied.unit)
    : fixedTable(fixedFindings(run), varied.unit);
}

function capacityTable(findings: readonly CapacityFinding[], unit: string): Table {
  return {
    columns: [
      { title: 'variant', align: 'left' },
      { title: unit, align: 'right' },
      { title: 'edge between', align: 'right' },
      { title: 'deliveries/s', align: 'right' },
      { title: 'p50', align: 'right' },
      { title: 'p99 (all)', align: 'right' },
      { title: 'CPU cores', align: 'right' },
      { title: 'per CPU s', align: 'right' },
      { title: 'memory', align: 'right' },
      { title: 'B/session', align: 'right' },
      { title: 'bound by', align: 'left' },
    ],
    rows: findings.map((finding) => {
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
  // A server that kept up delivers exactly what was offered, and there is no spread to speak of.
  return share < 0.001 ? value : `${value} ± ${formatShare(share)}`;
}

/** Lowest and highest of the confirming trials, in ms. */
function p99Range({ confirmed }: CapacityFinding): string {
  const values = confirmed.map((trial) => trial.loadtest!.deliveryLatencyMs.p99);
  return `${formatNumber(Math.min(...values))}–${formatNumber(Math.max(...values))}`;
}

/** `≥` where nothing above it failed for a reason of the server's own; an unconfirmed load in parentheses. */
export function capacityText({ capacity, variant }: CapacityFinding): string {
  const { answer } = variant;
  if (capacity !== null) return `${answer?.end === 'confirmed' ? '' : '≥ '}${formatNumber(capacity)}`;
  return answer?.passedOnce == null ? 'none' : `none (${formatNumber(answer.passedOnce)} once)`;
}

/** `107–118`, or the ceiling's kind where the edge was not reached. */
export function zoneText(finding: CapacityFinding): string {
  if (finding.zone === null) return none;
  return `${formatNumber(finding.zone.low)}–${formatNumber(finding.zone.high)}`;
}

function fixedTable(findings: readonly FixedFinding[], unit: string): Table {
  return {
    columns: [
      { title: 'variant', align: 'left' },
      { title: unit, align: 'right' },
      { title: 'outcome', align: 'left' },
      { title: 'p50', align: 'right' },
      { title: 'p99', align: 'right' },
      { title: 'lost', align: 'right' },
      { title: 'CPU cores', align: 'right' },
      { title: 'memory before', align: 'right' },
      { title: 'memory max', align: 'right' },
      { title: 'grown', align: 'right' },
      { title: 'evicted', align: 'right' },
    ],
    rows: findings.map(({ variant, load, typical, rssGrownBytes }) => {
      const result = typical?.loadtest ?? null;
      const server = typical?.server ?? null;
      return [
        variant.name,
        formatNumber(load),
        typical?.outcome ?? none,
        result === null ? none : formatMs(result.deliveryLatencyMs.p50),
        result === null ? none : formatMs(result.deliveryLatencyMs.p99),
        result === null ? none : formatNumber(result.audit.lost),
        server === null ? none : server.cpuCores.toFixed(2),
        server === null ? none : formatBytes(server.rssIdleBytes),
        server === null ? none : formatBytes(server.rssMaxBytes),
        rssGrownBytes === null ? none : formatBytes(rssGrownBytes),
        server === null ? none : formatNumber(server.evictions),
      ];
    }),
  };
}
