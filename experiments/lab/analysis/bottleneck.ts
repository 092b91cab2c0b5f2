/**
 * Names the resource that bounds a variant, from the trial that failed, with the figures that show it. Pure.
 */
import { parseLimit } from '../../../loadtest/result/limits.ts';
import type { Bound, BoundName, CapacityAnswer, TrialRecord } from '../records/schema.ts';

// Chosen, not measured: a loop busy for nine tenths of its core queues about ten times its service time
// (M/M/1).
const saturatedCores = 0.9;
const machineShare = 0.93;
const throttledShareMax = 0.05;
const memoryShare = 0.9;

/**
 * The bound of a variant, read from the lowest load that failed above its capacity: the trial nearest to the
 * edge.
 */
export function boundOf(answer: CapacityAnswer, trials: readonly TrialRecord[]): Bound {
  if (answer.ceiling === null) {
    return { name: 'nothing', evidence: `the highest load tried, ${answer.capacity ?? 'none'}, passed` };
  }
  const judged = trials.filter((trial) => trial.load === answer.ceiling && trial.outcome !== 'pass').at(-1);
  if (judged === undefined)
    return { name: 'another limit', evidence: 'the trial that failed is not in the files' };
  return boundOfTrial(judged);
}

/** The bound of one failed trial: a cause where there is one, else the symptom. */
export function boundOfTrial(trial: TrialRecord): Bound {
  const symptom = trial.reasons.join('; ');
  const because = (name: BoundName, evidence: string): Bound => ({
    name,
    evidence: symptom === '' ? evidence : `${evidence}; ${symptom}`,
  });
  if (trial.outcome === 'void') return { name: 'instrument', evidence: symptom };
  if (trial.fault !== null) return because(/memory|134/.test(trial.fault) ? 'memory' : 'crash', trial.fault);
  return resourceBound(trial, because) ?? symptomBound(trial, symptom);
}

type Because = (name: BoundName, evidence: string) => Bound;

function resourceBound(trial: TrialRecord, because: Because): Bound | null {
  const { server, loadtest } = trial;
  if (server === null) return null;
  const throttled = server.throttledShare;
  if (throttled !== null && throttled > throttledShareMax) {
    return because(
      'CPU quota',
      `throttled ${percent(throttled)} of the time at ${server.cpuCores.toFixed(2)} cores`,
    );
  }
  const memoryLimit = sumOrNull(trial.observedLimits.map((limits) => limits.memoryBytes));
  if (memoryLimit !== null && server.rssMaxBytes > memoryShare * memoryLimit) {
    return because('memory', `${percent(server.rssMaxBytes / memoryLimit)} of the memory limit used`);
  }
  const loops = server.eventLoops ?? 1;
  const pinned = trial.pinnedServerCores ?? null;
  if (pinned !== null && pinned < loops && server.cpuCores >= saturatedCores * pinned) {
    const used = `${server.cpuCores.toFixed(2)} of the ${pinned} core${pinned === 1 ? '' : 's'}`;
    return because('machine', `${used} that its ${loops} event loops share were busy at ${trial.load}`);
  }
  if (server.cpuCores >= saturatedCores * loops) {
    const busy = `${server.cpuCores.toFixed(2)} cores busy in ${loops} event loop${loops === 1 ? '' : 's'} at ${trial.load}`;
    return because('event loop', busy);
  }
  if (loadtest === null) return null;
  const seconds = loadtest.workload.durationSeconds;
  const used = server.cpuCores + server.serviceCpuCores + loadtest.instrument.cpuSeconds / seconds;
  if (pinned === null && used >= machineShare * loadtest.environment.cpus) {
    const cpus = loadtest.environment.cpus;
    return because('machine', `everything together used ${used.toFixed(2)} of ${cpus} cores`);
  }
  return null;
}

function symptomBound(trial: TrialRecord, symptom: string): Bound {
  const { loadtest } = trial;
  if (loadtest === null) return { name: 'another limit', evidence: symptom };
  const refused = Object.values(loadtest.connections.refused).reduce((total, count) => total + count, 0);
  if (refused > 0)
    return { name: 'refused connections', evidence: `${refused} connections refused; ${symptom}` };
  if (loadtest.audit.lost > 0) return { name: 'loss', evidence: symptom };
  const broken = loadtest.limits.find((limit) => !limit.held);
  return {
    name:
      broken !== undefined && /^(p\d+|max|mean)$/.test(parseLimit(broken.expression).metric)
        ? 'latency'
        : 'another limit',
    evidence: symptom,
  };
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function sumOrNull(values: readonly (number | null)[]): number | null {
  return values.length === 0 || values.includes(null)
    ? null
    : values.reduce<number>((sum, value) => sum + value!, 0);
}
