/** Reads schema 1, the committed results of 001 to 008, as schema 2. Goes when they are measured anew. */
import type { CapacityAnswer, FixedMethod, LoadRunRecord, Run, RunRecord, TrialRecord } from './schema.ts';

const outcomes = { passed: 'pass', failed: 'fail', void: 'void', interrupted: 'interrupted' } as const;
/** Fields of a fault trial under their names of today. */
const faultFields: Record<string, string> = {
  people: 'participants',
  stayed: 'held',
  said: 'published',
  missedAndTold: 'lostAndTold',
  unheard: 'undelivered',
  darkMsMax: 'detectionMsMax',
  wellAfterMs: 'recoveredAfterMs',
};

type OldRun = { record: Omit<LoadRunRecord, 'shape'>; trials: TrialRecord[] };
type OldFaults = Pick<RunRecord, 'run' | 'startedAt' | 'environment' | 'interrupted'> & {
  options: Record<'repetitions' | 'people' | 'messagesPerSecond' | 'reconnectWaitMsMax', number>;
  redis: string | null;
  strikes: { scenario: string; stage: string; nodes: number; about: string }[];
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
  const { method } = record;
  const upgraded: LoadRunRecord = {
    ...record,
    schemaVersion: 2,
    shape: method.kind === 'capacity' ? 'capacity' : 'fixed-load',
    simulator: record.target,
    method:
      method.kind === 'capacity'
        ? method
        : { ...(method as FixedMethod), emphasis: stalled ? 'cost' : 'held' },
    variants: record.variants.map((variant) => ({ ...variant, answer: upgradeAnswer(variant.answer) })),
  };
  return {
    record: upgraded,
    trials: trials.map((trial) => ({ ...trial, outcome: outcomes[trial.outcome as keyof typeof outcomes] })),
  };
}

/** Of the old answer only its end is read: reports make the threshold from the trials. */
function upgradeAnswer(answer: CapacityAnswer | null): CapacityAnswer | null {
  if (answer === null) return null;
  return { ...answer, end: String(answer.end) === 'confirmed' ? 'precise' : answer.end };
}

/** 008 wrote one file of its own kind: its strikes become trials, its scenarios variants. */
function upgradeFaults({ strikes, skipped, redis, options, ...kept }: OldFaults): Run {
  const { people: participants, ...load } = options;
  const named = strikes.map((strike) => ({ ...strike, variant: `${strike.scenario} (${strike.stage})` }));
  const record = {
    ...kept,
    schemaVersion: 2 as const,
    ...{ shape: 'faults', experiment: '008-kill', question: '', notes: [], limits: [] },
    ...{ target: 'process' as const, simulator: null, seed: 1, seconds: 0 },
    workload: { participants, ...load },
    variants: [...new Map(named.map((strike) => [strike.variant, strike])).values()].map((strike) => ({
      ...{ name: strike.variant, stage: strike.stage, summary: strike.about, nodes: strike.nodes },
      ...{ settings: {}, targetLimits: {}, answer: null, bound: null, error: null },
    })),
    skipped: skipped.map((reason) => ({ name: 'a failure', reason, ways: [] })),
  };
  const trials = named.map((strike, index) => ({
    ...renamed(strike),
    ...{ number: index + 1, variant: strike.variant, stage: strike.stage, purpose: 'fault' as const },
    ...{ outcome: 'pass' as const, reasons: [], seed: 1, startedAt: kept.startedAt },
    facts: { redis: redis ?? 'none' },
  }));
  return { record, trials };
}

function renamed(strike: object): object {
  return Object.fromEntries(
    Object.entries(strike).map(([field, value]) => [faultFields[field] ?? field, value]),
  );
}
