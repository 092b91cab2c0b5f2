/** What a run says in words: its answer, how sure it is, and what would make it wrong. Pure. */

import type { BoundName } from '../analysis/bottleneck.ts';
import {
  type CapacityFinding,
  capacityFindings,
  type FixedFinding,
  fixedFindings,
  shownTrials,
} from '../analysis/finding.ts';
import { passShareAtLeast } from '../analysis/statistics.ts';
import type { Run } from '../records/schema.ts';
import { formatBytes, formatMagnitude, formatMs, formatNumber, formatShare } from './format.ts';
import { capacityText } from './summary.ts';

/** The answer first, one sentence for each thing worth saying. */
export function answerOf(run: Run): string[] {
  const sentences = run.record.method.kind === 'capacity' ? capacityAnswer(run) : fixedAnswer(run);
  if (run.record.interrupted)
    sentences.unshift('The run was interrupted: what follows is what was known until then.');
  return [...sentences, ...throttlingNotes(run), ...probeNotes(run)];
}

function capacityAnswer(run: Run): string[] {
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
  instrument: 'the simulator, not by itself',
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

/** What stalled readers cost, where there were any; else which loads each variant held. */
function fixedAnswer(run: Run): string[] {
  const findings = fixedFindings(run).filter(({ typical }) => typical?.loadtest != null);
  if (findings.length === 0) return ['No trial gave a result.'];
  if (run.trials.some(({ loadtest }) => (loadtest?.workload.stalledReaders ?? 0) > 0))
    return stalledAnswer(run, findings);
  return run.record.variants.map(({ name }) => {
    const ofVariant = findings.filter(({ variant }) => variant.name === name);
    return heldSentence(name, ofVariant, run.record.varied.unit);
  });
}

/** A load is held when all its trials passed; void trials say nothing. */
function heldSentence(name: string, findings: readonly FixedFinding[], unit: string): string {
  const judged = findings.flatMap(({ load, trials, typical }) => {
    const outcomes = trials.map(({ outcome }) => outcome).filter((outcome) => outcome !== 'void');
    if (outcomes.length === 0) return [];
    return [{ load, typical, held: outcomes.every((outcome) => outcome === 'passed') }];
  });
  if (judged.length === 0) return `${name}: every trial was void.`;
  const list = (wanted: boolean) =>
    judged
      .filter(({ held }) => held === wanted)
      .map(({ load, typical }) => {
        const { deliveryLatencyMs, audit } = typical!.loadtest!;
        const lost = audit.lost > 0 ? `, ${formatShare(audit.lost / audit.expected)} lost` : '';
        return `${formatNumber(load)} (p99 ${formatMs(deliveryLatencyMs.p99)}${lost})`;
      })
      .join(', ');
  const [held, broken] = [list(true), list(false)];
  const parts = [held && `held the limits at ${held}`, broken && `broke them at ${broken}`];
  return `${name} ${parts.filter(Boolean).join(' and ')} ${unit}.`;
}

/** At the highest load, because that is where variants differ; the table has the others. */
function stalledAnswer(run: Run, findings: readonly FixedFinding[]): string[] {
  const highest = Math.max(...findings.map(({ load }) => load));
  const atHighest = findings.filter(({ load }) => load === highest);
  const each = (figure: (finding: FixedFinding) => string) =>
    atHighest.map((finding) => `${figure(finding)} (${finding.variant.name})`).join(', ');
  return [
    `With ${formatNumber(highest)} ${run.record.varied.unit} the server’s memory grew by ${each(({ rssGrownBytes }) => formatBytes(rssGrownBytes ?? Number.NaN))}.`,
    `The p99 of everybody else’s deliveries was ${each(({ typical }) => formatMs(typical!.loadtest!.deliveryLatencyMs.p99))}.`,
    ...atHighest.flatMap(({ variant, typical }) => {
      const evictions = typical!.server?.evictions ?? 0;
      const lost = typical!.loadtest!.audit.lost;
      return [
        ...(evictions > 0 ? [`${variant.name} evicted ${formatNumber(evictions)} sessions.`] : []),
        ...(lost > 0
          ? [`${variant.name} lost ${formatNumber(lost)} deliveries to clients that did read.`]
          : []),
      ];
    }),
  ];
}

/** A quota makes its own latency: say so wherever it was in force. */
function throttlingNotes(run: Run): string[] {
  return shownTrials(run).flatMap(({ variant, trial }) => {
    const share = trial.server?.throttledShare ?? 0;
    const cores = trial.observedLimits[0]?.cpuCores ?? null;
    if (share < 0.01 || cores === null) return [];
    const sleepMs = Math.round(100 * Math.max(0, 1 - cores));
    return [
      `The latency floor of ${variant} is the scheduler’s: it was held back ${formatShare(share)} of the time, and a quota of ${cores} cores makes it sleep up to ${sleepMs} ms of every 100 ms once its share is used.`,
    ];
  });
}

/** Whether a server that is busy still answers who looks after it, and within what of a scraper's second. */
function probeNotes(run: Run): string[] {
  const answers = shownTrials(run).flatMap(({ variant, trial }) => {
    const probe = trial.probes.find(({ path }) => path === '/metrics');
    if (probe === undefined || probe.answered === 0) return [];
    const failed = probe.failed === 0 ? '' : `, ${probe.failed} of ${probe.sent} times not at all`;
    const cpuMs = trial.server?.scrapeCpuMs;
    const cost = typeof cpuMs === 'number' ? `, for ${formatMs(cpuMs)} of CPU each` : '';
    return [
      `${variant} p50 ${formatMs(probe.answerMs.p50)}, at most ${formatMs(probe.answerMs.max)}${cost}${failed}`,
    ];
  });
  return answers.length === 0 ? [] : [`/metrics answered under these loads: ${answers.join('; ')}.`];
}

/** How the intervals were made, and what they do not say. */
export function methodOf(run: Run): string[] {
  const { method, timing, limits } = run.record;
  const phases = `Each trial: a fresh server, ${timing.warmUpSeconds} s warm-up, ${timing.measureSeconds} s measured, up to ${timing.drainSeconds} s drain. Limits: ${limits.join(', ')}.`;
  if (method.kind === 'fixed') {
    return [
      phases,
      `Each load was tried ${method.repetitions === 1 ? 'once, so nothing is said about spread' : `${method.repetitions} times; shown is the trial with the median p99`}.`,
    ];
  }
  const share = formatShare(passShareAtLeast(method.confirmations));
  return [
    phases,
    `Capacity is found by steps of ×${method.growth}, then bisection until the loads that pass and fail are within ${formatShare(method.tolerance)} of each other, then ${method.confirmations} confirming trials that must all pass; if one does not, the load steps down and is confirmed anew.`,
    `“Edge between” is the zone of loads that the trials leave open, widened by any load that both passed and failed; it is a bracket, not a confidence interval. ${method.confirmations} of ${method.confirmations} passes say with 95 % confidence only that at least ${share} of such trials pass (Clopper–Pearson).`,
  ];
}

/** A tenth of a core moves a capacity by no more than the search resolves. Chosen, not measured. */
const disturbingCores = 0.1;

/** What a reader must know before believing a number; the report ends with it. */
export function caveatsOf(run: Run): string[] {
  const { record, trials } = run;
  const { environment, timing } = record;
  const voids = trials.filter(({ outcome }) => outcome === 'void').length;
  const busiest = Math.max(0, ...shownTrials(run).map(({ trial }) => instrumentCores(trial.loadtest)));
  const disturbed = Math.max(0, ...trials.map(({ server }) => server?.otherCpuCores ?? 0));
  const caveats = [
    record.target === 'process'
      ? `Process target: server and simulator were plain processes that shared ${environment.cpus} cores and the kernel; but for the CPUs pinned above nothing was isolated, and whatever else ran on the machine took part. The simulator used up to ${busiest.toFixed(2)} cores of it.`
      : `Container target: limits are enforced by the kernel, but server and simulator shared the machine’s ${environment.cpus} cores, caches and kernel. The simulator used up to ${busiest.toFixed(2)} cores.`,
    'Loopback: no network latency, no packet loss, and segments of 64 kB; a network card and a real network would add their own limits.',
    `Trials measure ${timing.measureSeconds} s: what needs minutes to show (leaks, long collections, fragmentation) does not show here.`,
  ];
  if (disturbed >= disturbingCores)
    caveats.push(
      `The machine was not quiet: processes that are no part of the experiment used up to ${disturbed.toFixed(2)} cores during a trial. Repeat it on a quiet one.`,
    );
  if (voids > 0)
    caveats.push(
      `${voids} of ${trials.length} trials were void, because the simulator was not well; they are in the table and, as △, in the plot of latency against load, and count in no figure.`,
    );
  if (environment.gitDirty)
    caveats.push('The working tree had uncommitted changes: the commit alone does not reproduce this run.');
  if (record.environment.cgroupCpuCores !== null)
    caveats.push(`The lab itself ran under a CPU quota of ${record.environment.cgroupCpuCores} cores.`);
  return [...caveats, ...record.notes];
}

function instrumentCores(loadtest: Run['trials'][number]['loadtest']): number {
  return loadtest === null ? 0 : loadtest.instrument.cpuSeconds / loadtest.workload.durationSeconds;
}
