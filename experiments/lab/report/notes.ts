/** Sentences of every report of load trials: throttling, answers of /metrics, phases and caveats. Pure. */
import { instrumentCores } from '../analysis/cpu.ts';
import { shownTrials } from '../analysis/finding.ts';
import type { LoadRun, Run } from '../records/schema.ts';
import { formatMs, formatShare } from './format.ts';

/** CPU of other processes that is worth a caveat: less does not move a capacity. Chosen, not measured. */
const disturbingCores = 0.1;

/** The answer of a shape, followed by the notes that every run of load trials has. */
export function answerWithNotes(run: LoadRun, answer: readonly string[]): string[] {
  return [...interruptionNote(run), ...answer, ...throttlingNotes(run), ...metricsNotes(run)];
}

/** A sentence where the run was interrupted. */
export function interruptionNote({ record }: Run): string[] {
  return record.interrupted ? ['The run was interrupted: this report holds the results until then.'] : [];
}

/** Phases and limits of every trial. */
export function phasesNote({ record: { timing, limits } }: LoadRun): string {
  return `Each trial: a fresh server, ${timing.warmUpSeconds} s warm-up, ${timing.measureSeconds} s measured, up to ${timing.drainSeconds} s drain. Limits: ${limits.join(', ')}.`;
}

/** A CPU quota adds latency of its own; one sentence for each variant where it was in force. */
function throttlingNotes(run: LoadRun): string[] {
  return shownTrials(run).flatMap(({ variant, trial }) => {
    const share = trial.server?.throttledShare ?? 0;
    // Old results do not say the period; it was the engine's own.
    const { cpuCores: cores = null, cpuPeriodMs: given } = trial.observedLimits[0] ?? {};
    const periodMs = given ?? 100;
    if (share < 0.01 || cores === null) return [];
    const sleepMs = Math.round(periodMs * Math.max(0, 1 - cores));
    return `The latency floor of ${variant} is set by its CPU quota of ${cores} cores: the scheduler held it back ${formatShare(share)} of the time, and can make it sleep up to ${sleepMs} ms of every ${periodMs} ms.`;
  });
}

/** Whether /metrics was still answered under load, and how fast. */
function metricsNotes(run: LoadRun): string[] {
  const answers = shownTrials(run).flatMap(({ variant, trial }) => {
    const probe = trial.probes.find(({ path }) => path === '/metrics');
    if (probe === undefined || probe.answered === 0) return [];
    const failed = probe.failed === 0 ? '' : `, ${probe.failed} of ${probe.sent} times not at all`;
    const cpuMs = trial.server?.scrapeCpuMs;
    const cost = typeof cpuMs === 'number' ? `, for ${formatMs(cpuMs)} of CPU each` : '';
    const { p50, max } = probe.answerMs;
    return `${variant} p50 ${formatMs(p50)}, at most ${formatMs(max)}${cost}${failed}`;
  });
  return answers.length === 0 ? [] : [`/metrics was answered under these loads: ${answers.join('; ')}.`];
}

/** Restrictions of the validity of the numbers; the notes of the experiment come last. */
export function caveatsOf(run: LoadRun): string[] {
  const { record, trials } = run;
  const voids = trials.filter(({ outcome }) => outcome === 'void').length;
  const disturbed = Math.max(0, ...trials.map(({ server }) => server?.otherCpuCores ?? 0));
  const caveats = [
    isolationCaveat(run),
    'Loopback: no network latency, no packet loss, and segments of 64 kB. A network card and a real network add limits of their own.',
    `Trials measure ${record.timing.measureSeconds} s: leaks, long garbage collections and fragmentation need minutes to show, and do not show here.`,
  ];
  if (disturbed >= disturbingCores)
    caveats.push(
      `The machine was not quiet: processes outside the experiment used up to ${disturbed.toFixed(2)} cores during a trial. Repeat it on a quiet one.`,
    );
  if (voids > 0)
    caveats.push(
      `${voids} of ${trials.length} trials were void, because the simulator failed. They are in the table and, as △, in the plot of latency against load; no figure contains them.`,
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
    caveats.push(`The lab itself ran under a CPU quota of ${cgroupCpuCores} cores.`);
  return caveats;
}

function isolationCaveat(run: LoadRun): string {
  const { target, environment } = run.record;
  const used = shownTrials(run).map(({ trial: { loadtest } }) => loadtest && instrumentCores(loadtest));
  const most = `The simulator used up to ${Math.max(0, ...used.map((cores) => cores ?? 0)).toFixed(2)} cores.`;
  return target === 'process'
    ? `Process target: server and simulator were processes that shared ${environment.cpus} cores and the kernel with the rest of the machine. Only the pinned CPUs named above separated them. ${most}`
    : `Container target: the kernel enforced the limits, but server and simulator shared the ${environment.cpus} cores, the caches and the kernel of the machine. ${most}`;
}
