/** Capacity of a variant: a warm-up that also looks for the edge, then the search. */
import { boundOf } from '../../analysis/bottleneck.ts';
import { type SearchOutcome, searchCapacity } from '../../analysis/capacity-search.ts';
import { disturbanceOf } from '../../analysis/disturbance.ts';
import type { Bound, CapacityAnswer, CapacityMethod, TrialRecord } from '../../records/schema.ts';
import { recoverySecondsMax } from '../../trial/session.ts';
import type { TrialExtras } from '../load-trials.ts';
import { type WarmUpTrial, warmUp, warmUpAgain } from './warm-up.ts';

/** The simulator is sized for so many times the first load; above that, it connects anew. */
const scoutReach = 256;
/** Short trials say where the edge is only about so well. Chosen, not measured. */
const priorFactor = 2;
/** Short trials before a search, usually: for the first estimate of its duration. */
export const warmUpTrials = 6;
/** Time for which a server is started: a start, its warm-up and some trials. */
export const startSecondsMin = 35;

/** What a search is run by. */
export type SearchMeans = {
  trial: (load: number, extras: TrialExtras) => Promise<TrialRecord>;
  /** Stops the server; the next trial starts it. */
  stop: () => Promise<void>;
  /** Left out: the search has no time, only trials. */
  secondsLeft?: () => number;
};

/** Rejects when a trial or the stop does. */
export async function findCapacity(
  method: CapacityMethod,
  { trial, stop, secondsLeft = () => Number.POSITIVE_INFINITY }: SearchMeans,
): Promise<{ answer: CapacityAnswer; bound: Bound }> {
  const { loadMin, loadMax } = method;
  const reach = (load: number) => Math.min(loadMax, load * scoutReach);
  let highest = reach(method.start);
  const warmUpTrial: WarmUpTrial = (load, timing, withoutQuota) => {
    if (load > highest) highest = reach(load);
    return trial(load, { purpose: 'warm-up', timing, highest, withoutQuota });
  };
  const { held, broke } = await warmUp(method, warmUpTrial);
  const first = held ?? loadMin;
  const prior = { loadMin: first / priorFactor, loadMax: (broke ?? loadMax) * priorFactor };
  const trials: TrialRecord[] = [];
  const answer = await searchCapacity(
    { ...method, start: broke === null ? first : Math.sqrt(first * broke) },
    async (load, serverStart) => {
      const one = await trial(load, { purpose: 'search', highest, serverStart });
      trials.push(one);
      return outcomeOf(one);
    },
    {
      prior,
      isTimeUp: () => secondsLeft() <= 0,
      startAnew: async () => {
        if (secondsLeft() < startSecondsMin) return false;
        await stop();
        await warmUpAgain(method, first, warmUpTrial);
        return true;
      },
    },
  );
  const metastable = trials.flatMap(({ load, recoverySeconds }) =>
    recoverySeconds === null ? [{ load, seconds: recoverySecondsMax }] : [],
  );
  const bound: Bound =
    answer.end === 'disturbed' && answer.threshold === null
      ? { name: 'disturbance', evidence: trials.at(-1)!.reasons[0]! }
      : boundOf(answer, trials);
  return { answer: { ...answer, metastable }, bound };
}

/** The run throws where a trial was interrupted. */
function outcomeOf(trial: TrialRecord): SearchOutcome {
  if (isDisturbed(trial)) return 'disturbed';
  const isUndetermined = trial.outcome === 'void' && trial.loadtest?.verdict === 'undetermined';
  return isUndetermined ? 'undetermined' : (trial.outcome as SearchOutcome);
}

/** Void because of something else on the machine: that says nothing about this load. */
function isDisturbed({ outcome, server }: TrialRecord): boolean {
  return outcome === 'void' && server !== null && disturbanceOf(server) !== null;
}
