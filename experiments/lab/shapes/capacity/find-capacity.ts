/** Capacity of a variant: a warm-up that also looks for the edge, then the search. */
import { boundOf } from '../../analysis/bottleneck.ts';
import { searchCapacity } from '../../analysis/capacity-search.ts';
import { disturbanceOf } from '../../analysis/disturbance.ts';
import type { Bound, CapacityAnswer, CapacityMethod, TrialRecord } from '../../records/schema.ts';
import { recoverySecondsMax } from '../../trial/session.ts';
import type { TrialExtras } from '../load-trials.ts';
import { warmUp } from './warm-up.ts';

/** Repetitions of a trial that something else disturbed. Chosen, not measured. */
const repetitionsMax = 3;
/** How far above its start the look for the edge usually goes; the simulator is sized for it. */
const scoutReach = 64;
/** Short trials say where the edge is only about so well. Chosen, not measured. */
const priorFactor = 2;
/** Short trials before a search, usually: for the first estimate of its duration. */
export const warmUpTrials = 6;

/** Runs all its trials by `trial`, and rejects when that does. */
export async function findCapacity(
  method: CapacityMethod,
  trial: (load: number, extras: TrialExtras) => Promise<TrialRecord>,
  isTimeUp?: () => boolean,
): Promise<{ answer: CapacityAnswer; bound: Bound }> {
  const { loadMin, loadMax } = method;
  let highest = Math.min(loadMax, method.start * scoutReach);
  const { held, broke } = await warmUp(method, (load, timing) =>
    trial(load, { purpose: 'warm-up', timing, highest }),
  );
  const first = held ?? loadMin;
  const prior = { loadMin: first / priorFactor, loadMax: (broke ?? loadMax) * priorFactor };
  highest = Math.min(loadMax, (broke ?? first) * priorFactor);
  const trials: TrialRecord[] = [];
  const answer = await searchCapacity(
    { ...method, start: broke === null ? first : Math.sqrt(first * broke) },
    async (load) => {
      let one = await trial(load, { purpose: 'search', highest });
      for (let again = 0; again < repetitionsMax && isDisturbed(one); again++)
        one = await trial(load, { purpose: 'search', highest });
      trials.push(one);
      // The run throws where a trial was interrupted.
      return one.outcome as Exclude<TrialRecord['outcome'], 'interrupted'>;
    },
    isTimeUp === undefined ? { prior } : { prior, isTimeUp },
  );
  const metastable = trials.flatMap(({ load, recoverySeconds }) =>
    recoverySeconds === null ? [{ load, seconds: recoverySecondsMax }] : [],
  );
  return { answer: { ...answer, metastable }, bound: boundOf(answer, trials) };
}

/** Void because of something else on the machine: that says nothing about this load. */
function isDisturbed({ server }: TrialRecord): boolean {
  return server !== null && disturbanceOf(server) !== null;
}
