/**
 * Reads schema 1, in which the committed results of 001 to 008 are written, as schema 2. Goes when they are
 * measured anew.
 */
import type { CapacityAnswer, LoadRunRecord, Run, RunRecord, TrialRecord } from './schema.ts';

const outcomes = { passed: 'pass', failed: 'fail', void: 'void', interrupted: 'interrupted' } as const;

type OldRun = { record: Omit<LoadRunRecord, 'shape'>; trials: TrialRecord[] };
type OldFault = { scenario: string; stage: string; nodes: number; about: string; darkMsMax: number } & Record<
  'lostSilently' | 'duplicated' | 'reordered',
  number
> & { wellAfterMs: number | null };
type OldFaults = Pick<RunRecord, 'run' | 'startedAt' | 'environment' | 'interrupted'> & {
  options: { repetitions: number; people: number; messagesPerSecond: number; reconnectWaitMsMax: number };
  redis: string | null;
  strikes: OldFault[];
  skipped: string[];
};

/** A run of either schema as one of schema 2; null where it is neither. */
export function upgradeRun(value: unknown): Run | null {
  if (typeof value !== 'object' || value === null) return null;
  if ('strikes' in value) return upgradeFaults(value as OldFaults);
  const { record, trials } = value as Partial<Run>;
  if (!Array.isArray(trials) || !Array.isArray(record?.variants)) return null;
  const version = record.schemaVersion as number;
  if (version === 1) return upgradeLoadRun(value as OldRun);
  return version === 2 ? (value as Run) : null;
}

function upgradeLoadRun({ record, trials }: OldRun): Run {
  const stalled = trials.some(({ loadtest }) => (loadtest?.workload.stalledReaders ?? 0) > 0);
  const emphasis = stalled ? ('cost' as const) : ('held' as const);
  const upgraded: LoadRunRecord = {
    ...record,
    schemaVersion: 2,
    shape: record.method.kind === 'capacity' ? 'capacity' : 'fixed-load',
    simulator: record.target,
    method: record.method.kind === 'capacity' ? record.method : { ...record.method, emphasis },
    variants: record.variants.map((variant) => ({ ...variant, answer: upgradeAnswer(variant.answer) })),
  };
  return {
    record: upgraded,
    trials: trials.map((trial) => ({ ...trial, outcome: outcomes[trial.outcome as keyof typeof outcomes] })),
  };
}

function upgradeAnswer(answer: CapacityAnswer | null): CapacityAnswer | null {
  if (answer === null) return null;
  const { passedOnce, ...rest } = answer as CapacityAnswer & { passedOnce: number | null };
  return { ...rest, highestPass: passedOnce };
}

/** 008 wrote one file of its own kind: its strikes become trials, its scenarios variants. */
function upgradeFaults(old: OldFaults): Run {
  const nameOf = ({ scenario, stage }: OldFault) => `${scenario} (${stage})`;
  const { options, redis } = old;
  const record = {
    schemaVersion: 2 as const,
    shape: 'faults',
    run: old.run,
    experiment: '008-kill',
    question: '',
    notes: [],
    limits: [],
    target: 'process' as const,
    simulator: null,
    seed: 1,
    startedAt: old.startedAt,
    seconds: 0,
    interrupted: old.interrupted,
    environment: old.environment,
    workload: {
      participants: options.people,
      messagesPerSecond: options.messagesPerSecond,
      reconnectWaitMsMax: options.reconnectWaitMsMax,
      repetitions: options.repetitions,
    },
    variants: [...new Map(old.strikes.map((fault) => [nameOf(fault), fault])).values()].map((fault) => ({
      name: nameOf(fault),
      stage: fault.stage,
      summary: fault.about,
      settings: {},
      nodes: fault.nodes,
      targetLimits: {},
      answer: null,
      bound: null,
      error: null,
    })),
    skipped: old.skipped.map((reason) => ({ name: 'a failure', reason, ways: [] })),
  };
  const trials = old.strikes.map(({ darkMsMax, wellAfterMs, ...fault }, index) => ({
    ...renamed(fault),
    detectionMsMax: darkMsMax,
    recoveredAfterMs: wellAfterMs,
    number: index + 1,
    variant: nameOf({ ...fault, darkMsMax, wellAfterMs }),
    purpose: 'fault' as const,
    outcome: 'pass' as const,
    reasons: [],
    seed: 1,
    startedAt: old.startedAt,
    facts: { redis: redis ?? 'none' },
  }));
  return { record, trials };
}

/** Counts of the audit under the names of today. */
function renamed<Old extends object>(old: Old) {
  const { people, stayed, said, missedAndTold, unheard, ...rest } = old as Old & {
    people: number;
    stayed: number;
    said: number;
    missedAndTold: number;
    unheard: number;
  };
  return {
    ...rest,
    participants: people,
    held: stayed,
    published: said,
    lostAndTold: missedAndTold,
    undelivered: unheard,
  };
}
