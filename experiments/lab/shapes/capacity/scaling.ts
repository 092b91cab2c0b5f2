/** A capacity report about growth: the scaling law of each group, and the cost of a message. Pure. */
import type { CapacityFinding } from '../../analysis/finding.ts';
import { beyondShare, countsMin, type ScalingFinding, scalingFindings } from '../../analysis/scaling-law.ts';
import type { LoadEstimate, LoadRun } from '../../records/schema.ts';
import { formatNumber, formatShare } from '../../report/format.ts';
import { right } from '../../report/table.ts';

/** A peak that lies further beyond the highest measured count than this is no finding. Chosen. */
const farBeyond = 10;

/** A sentence for each group of variants that differ in their count; none where no variant has a scale. */
export function scalingSentences(run: LoadRun): string[] {
  return scalingFindings(run).map((finding) => {
    const { group, of, law, leftOut, points } = finding;
    const left =
      leftOut.length === 0 ? '' : `; left out, with no known capacity: ${leftOut.join(', ')} ${of}`;
    const counts = points.map(({ count }) => count).filter((count) => !leftOut.includes(count));
    const fitted = `${counts.join(', ')} ${of}${left}`;
    if (law === null) {
      const given = counts.length === 0 ? 'none is known' : `known: ${fitted}`;
      return `${group}: too few points for a scaling law: required the capacities of ${countsMin} numbers of ${of}; ${given}.`;
    }
    return `${group}: by the scaling law C(N) = λN / (1 + σ(N − 1) + κN(N − 1)), fitted to ${fitted}, one ${of.slice(0, -1)} carries λ = ${estimateText(law.lambda)} ${run.record.varied.unit}, contention σ is ${estimateText(law.sigma)}, coherence κ is ${estimateText(law.kappa)}; ${peakText(finding)}${beyondText(finding)}.`;
  });
}

/** Of which no law with σ and κ of 0 and more can tell; empty where there is none. */
function beyondText({ of, leftOut, points }: ScalingFinding): string {
  const known = points.filter(({ count }) => !leftOut.includes(count));
  const beyond = beyondShare(known).map(({ count, times }) => `${count} ${of} × ${estimateText(times)}`);
  if (beyond.length === 0) return '';
  const lowest = Math.min(...known.map(({ count }) => count));
  const base = `${lowest} ${lowest === 1 ? of.slice(0, -1) : of}`;
  return `; but growth is more than linear (${beyond.join(', ')} as much as ${base}), so that λ is not what one carries, and σ and κ say nothing`;
}

/** The columns of the table: the cost of a message to each of the workers or nodes. */
export function scalingColumns(run: LoadRun) {
  const of = run.record.variants.find(({ scale }) => scale)?.scale?.of;
  if (of === undefined) return [];
  const one = of.slice(0, -1);
  return [
    right<CapacityFinding>(`CPU µs per message and ${one}`, (finding) => figure(cpuUsPerMessage(finding))),
    right<CapacityFinding>(`messages read per ${one} for one said`, (finding) =>
      figure(readPerSaid(finding)),
    ),
    ...(of === 'nodes' ? [right<CapacityFinding>('read for nothing', unusedText)] : []),
  ];
}

/** CPU time of the servers ÷ messages ÷ workers or nodes; null where one of them is not known. */
export function cpuUsPerMessage({ variant: { scale }, server, result }: CapacityFinding): number | null {
  if (!scale || server === null || result === null || result.achievedPerSecond === 0) return null;
  return (1e6 * server.cpuCores) / result.achievedPerSecond / scale.count;
}

/** Messages read from the backplane for one said ÷ workers or nodes, by their own counters. */
export function readPerSaid({ variant: { scale }, server }: CapacityFinding): number | null {
  const read = server?.messagesReadPerSaid ?? null;
  return scale && read !== null ? read / scale.count : null;
}

/** Share of the entries of the logs that a node read without a session for them; null without such logs. */
function unusedText({ server }: CapacityFinding): string | null {
  const share = server?.unusedReadShare ?? null;
  return share === null ? null : formatShare(share);
}

function peakText({ of, law, points }: ScalingFinding): string {
  const { low, middle, high } = law!.peak;
  const most = Math.max(...points.map(({ count }) => count));
  if (low > farBeyond * most) return `no peak is predicted within ${formatNumber(farBeyond * most)} ${of}`;
  if (middle > farBeyond * most) return `no peak is predicted within ${formatNumber(low)} ${of}`;
  const upper = Number.isFinite(high) ? formatNumber(high) : '∞';
  return `the predicted peak is at ${formatNumber(middle)} ${of} (${formatNumber(low)}–${upper})`;
}

function estimateText({ low, middle, high }: LoadEstimate): string {
  return `${formatNumber(middle)} (${formatNumber(low)}–${formatNumber(high)})`;
}

function figure(value: number | null): string | null {
  return value === null ? null : formatNumber(value);
}
