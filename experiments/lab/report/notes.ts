/** Sentences of every report of load trials: throttling, answers of /metrics, phases and caveats. Pure. */
import { instrumentCores } from '../analysis/cpu.ts';
import { shownTrials } from '../analysis/finding.ts';
import type { LoadRun, Run } from '../records/schema.ts';
import { effortText, voidsOf } from './claims.ts';
import { formatCores, formatMs, formatNumber, formatShare } from './format.ts';

/** CPU of other processes that is worth a caveat: less does not move a capacity. Chosen, not measured. */
const disturbingCores = 0.1;

/** Idle share of the simulator's CPU below which it may slow what it measures. Chosen, not measured. */
const headroomMin = 0.4;
/** Period of a CPU quota where the result does not say: the default of Linux. */
const quotaPeriodMs = 100;

/** The two sentences of a shape and its own notes, then the notes that every run of load trials has. */
export function answerWithNotes(run: LoadRun, [first = '', ...rest]: readonly string[]): string[] {
  const opening = [...interruptionNote(run), first].join(' ');
  return [opening, ...rest, ...headroomNotes(run), ...throttlingNotes(run), ...metricsNotes(run)];
}

/** A sentence where the run was interrupted. */
export function interruptionNote({ record }: Run): string[] {
  return record.interrupted ? ['The run was interrupted: this report holds the results until then.'] : [];
}

/** Phases and limits of every trial. */
export function phasesNote({ record: { timing, limits }, trials }: LoadRun): string {
  const isFresh = trials.every(({ phases }) => phases.some(({ phase }) => phase === 'start'));
  const server = isFresh ? 'a fresh server, ' : '';
  return `Each trial: ${server}${formatNumber(timing.warmUpSeconds)} s warm-up, ${formatNumber(timing.measureSeconds)} s measured, up to ${formatNumber(timing.drainSeconds)} s drain. Limits: ${limits.join(', ')}.`;
}

/** Idle share of the simulator's CPU, 0 to 1, in the pass that left it the least; null without a pass. */
function headroomOf({ record, trials }: LoadRun) {
  const cpusOf = new Map(record.variants.map(({ name, targetLimits }) => [name, targetLimits.loadtestCpus]));
  const known = trials.flatMap(({ variant, load, purpose, outcome, loadtest }) => {
    // A warm-up runs without the CPU quota of the server.
    if (outcome !== 'pass' || loadtest === null || purpose === 'warm-up') return [];
    const cpus = cpusOf.get(variant) ?? record.environment.cpus;
    return { variant, load, cpus, idleShare: Math.max(0, 1 - instrumentCores(loadtest) / cpus) };
  });
  return known.toSorted((a, b) => a.idleShare - b.idleShare)[0] ?? null;
}

function headroomNotes(run: LoadRun): string[] {
  const headroom = headroomOf(run);
  if (headroom === null) return [];
  const { variant, load, cpus, idleShare } = headroom;
  const where = `${variant}, ${formatNumber(load)} ${run.record.varied.unit}`;
  return [
    `Headroom of the simulator: in every trial that passed, at least ${formatShare(idleShare)} of its ${formatCores(cpus)} was idle (least: ${where}).`,
  ];
}

/** A CPU quota adds latency of its own; one sentence for each box in which it was in force. */
function throttlingNotes(run: LoadRun): string[] {
  const throttled = shownTrials(run).flatMap(({ variant, trial }) => {
    const share = trial.server?.throttledShare ?? 0;
    const [limits] = trial.observedLimits;
    const cores = limits?.cpuCores ?? null;
    const periodMs = limits?.cpuPeriodMs ?? quotaPeriodMs;
    return share < 0.01 || cores === null ? [] : { variant, share, cores, periodMs };
  });
  const boxes = Map.groupBy(throttled, ({ cores, periodMs }) => `${cores} ${periodMs}`);
  return [...boxes.values()].map((members) => {
    const [{ cores, periodMs }] = members as [(typeof throttled)[number]];
    const shares = members.map(({ variant, share }) => `${variant} ${formatShare(share)}`).join(', ');
    const sleepMs = formatNumber(periodMs * Math.max(0, 1 - cores));
    return `The CPU quota of ${formatCores(cores)} sets a floor of latency: the scheduler held the server back (${shares} of the time), and can make it sleep up to ${sleepMs} ms of every ${formatNumber(periodMs)} ms.`;
  });
}

/** Whether /metrics was still answered under load, and how fast. */
function metricsNotes(run: LoadRun): string[] {
  const answers = shownTrials(run).flatMap(({ variant, trial }) => {
    const probe = trial.probes.find(({ path }) => path === '/metrics');
    return probe === undefined || probe.answered === 0 ? [] : { variant, probe, server: trial.server };
  });
  const [slowest] = answers.toSorted((a, b) => b.probe.answerMs.max - a.probe.answerMs.max);
  if (slowest === undefined) return [];
  const costs = answers.flatMap(({ server }) => server?.scrapeCpuMs ?? []);
  const cost = costs.length === 0 ? '' : `, for at most ${formatMs(Math.max(...costs))} of CPU`;
  const failed = answers.filter(({ probe }) => probe.failed > 0).map(({ variant }) => variant);
  const silent = failed.length === 0 ? '' : ` It failed at times on ${failed.join(', ')}.`;
  return [
    `Under these loads /metrics was answered within ${formatMs(slowest.probe.answerMs.max)} (slowest: ${slowest.variant})${cost}.${silent}`,
  ];
}

/** Restrictions of the validity of the numbers; the notes of the experiment come last. */
export function caveatsOf(run: LoadRun): string[] {
  const { record, trials } = run;
  const voids = voidsOf(trials);
  const headroom = headroomOf(run);
  const disturbed = Math.max(0, ...trials.map(({ server }) => server?.otherCpuCores ?? 0));
  const caveats = [
    isolationCaveat(run),
    'Loopback: no network latency, no packet loss, and segments of 64 kB. A network card and a real network add limits of their own.',
    `Trials measure ${formatNumber(record.timing.measureSeconds)} s: leaks, long garbage collections and fragmentation need minutes to show, and do not show here.`,
  ];
  if (headroom !== null && headroom.idleShare < headroomMin)
    caveats.push(
      `The simulator had little headroom: ${formatShare(headroom.idleShare)} of its CPU was idle with ${headroom.variant}. Below ${formatShare(headroomMin)} it may slow what it measures, and the figures of that variant may be too low.`,
    );
  if (disturbed >= disturbingCores)
    caveats.push(
      `The machine was not quiet: processes outside the experiment used up to ${disturbed.toFixed(2)} cores during a trial. Repeat it on a quiet one.`,
    );
  if (voids > 0)
    caveats.push(
      `Of ${effortText(trials)}: the instrument failed in those, and they count for nothing. They stand in the table of trials with their reasons, and as △ in the pictures.`,
    );
  return [...caveats, ...codeCaveats(run), ...record.notes];
}

/** Caveats about code and machine that hold for every shape. */
export function codeCaveats({ record: { environment } }: Run): string[] {
  const { gitDirty, cgroupCpuCores } = environment;
  const caveats: string[] = [];
  if (gitDirty)
    caveats.push('The working tree had uncommitted changes: the commit alone does not reproduce this run.');
  if (cgroupCpuCores !== null)
    caveats.push(`The lab itself ran under a CPU quota of ${formatCores(cgroupCpuCores)}.`);
  return caveats;
}

function isolationCaveat(run: LoadRun): string {
  const { target, environment } = run.record;
  const used = shownTrials(run).map(({ trial: { loadtest } }) => loadtest && instrumentCores(loadtest));
  const most = `The simulator used up to ${Math.max(0, ...used.map((cores) => cores ?? 0)).toFixed(2)} cores.`;
  return target === 'process'
    ? `Process target: server and simulator were processes that shared ${formatCores(environment.cpus)} and the kernel with the rest of the machine. Only the pinned CPUs named above separated them. ${most}`
    : `Container target: the kernel enforced the limits, but server and simulator shared the ${formatCores(environment.cpus)}, the caches and the kernel of the machine. ${most}`;
}
