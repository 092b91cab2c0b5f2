/** Names the resource that bounds a variant, with the figures of the failed trial that show it. Pure. */
import { parseLimit } from '../../../loadtest/result/limits.ts';
import type { Bound, CapacityAnswer, TrialRecord } from '../records/schema.ts';
import { instrumentCores } from './cpu.ts';

// Chosen, not measured: at nine tenths of its core a loop queues about ten times its service time (M/M/1).
const saturatedCores = 0.9;
const machineShare = 0.93;
const throttledShareMax = 0.05;
const memoryShare = 0.9;

/** The bound of a variant: of the failed trial nearest to its capacity, or of the instrument that failed. */
export function boundOf({ end, threshold }: CapacityAnswer, trials: readonly TrialRecord[]): Bound {
  const capacity = threshold?.capacity.middle ?? 1;
  const outcome = end === 'instrument' ? 'void' : 'fail';
  const distance = ({ load }: TrialRecord) => Math.abs(Math.log(load / capacity));
  const [nearest] = trials
    .filter((trial) => trial.outcome === outcome)
    .toSorted((a, b) => distance(a) - distance(b));
  if (nearest !== undefined) return boundOfTrial(nearest);
  const highest = Math.max(...trials.map(({ load }) => load));
  return { name: 'nothing', evidence: `the highest load tried, ${highest}, passed` };
}

/** The bound of one failed trial: a cause where there is one, else the symptom. */
export function boundOfTrial(trial: TrialRecord): Bound {
  const symptom = trial.reasons.join('; ');
  if (trial.outcome === 'void') return { name: 'instrument', evidence: symptom };
  const cause = causeOf(trial);
  if (cause === null) return symptomBound(trial.loadtest, symptom);
  return symptom === '' ? cause : { ...cause, evidence: `${cause.evidence}; ${symptom}` };
}

function causeOf(trial: TrialRecord): Bound | null {
  const { server, loadtest, fault, faultKind, load } = trial;
  if (fault !== null) return { name: faultKind === 'memory' ? 'memory' : 'crash', evidence: fault };
  if (server === null) return null;
  const { cpuCores, throttledShare, rssMaxBytes, eventLoops: loops = 1 } = server;
  const used = cpuCores.toFixed(2);
  if (throttledShare !== null && throttledShare > throttledShareMax)
    return {
      name: 'CPU quota',
      evidence: `throttled ${percent(throttledShare)} of the time at ${used} cores`,
    };
  const limitBytes = sumOrNull(trial.observedLimits.map(({ memoryBytes }) => memoryBytes));
  if (limitBytes !== null && rssMaxBytes > memoryShare * limitBytes)
    return { name: 'memory', evidence: `${percent(rssMaxBytes / limitBytes)} of the memory limit used` };
  const pinned = trial.pinnedServerCores ?? null;
  if (pinned !== null && pinned < loops && cpuCores >= saturatedCores * pinned) {
    const shared = `of the ${pinned} core${pinned === 1 ? '' : 's'} that its ${loops} event loops share`;
    return { name: 'machine', evidence: `${used} ${shared} were busy at ${load}` };
  }
  if (cpuCores >= saturatedCores * loops) {
    const where = `${loops} event loop${loops === 1 ? '' : 's'}`;
    return { name: 'event loop', evidence: `${used} cores busy in ${where} at ${load}` };
  }
  if (loadtest === null || pinned !== null) return null;
  const { cpus } = loadtest.environment;
  const all = cpuCores + server.serviceCpuCores + instrumentCores(loadtest);
  if (all < machineShare * cpus) return null;
  return { name: 'machine', evidence: `everything together used ${all.toFixed(2)} of ${cpus} cores` };
}

function symptomBound(loadtest: TrialRecord['loadtest'], symptom: string): Bound {
  if (loadtest === null) return { name: 'another limit', evidence: symptom };
  const refused = Object.values(loadtest.connections.refused).reduce((total, count) => total + count, 0);
  if (refused > 0)
    return { name: 'refused connections', evidence: `${refused} connections refused; ${symptom}` };
  if (loadtest.audit.lost > 0) return { name: 'loss', evidence: symptom };
  const broken = loadtest.limits.find(({ held }) => !held);
  const isLatency = broken && /^(p\d+|max|mean)$/.test(parseLimit(broken.expression).metric);
  return { name: isLatency ? 'latency' : 'another limit', evidence: symptom };
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function sumOrNull(values: readonly (number | null)[]): number | null {
  if (values.length === 0) return null;
  return values.reduce((sum, value) => (sum === null || value === null ? null : sum + value), 0);
}
