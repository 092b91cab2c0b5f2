/** `--quick`: a first answer in about a minute, from the two ends of a ladder and a short search. Pure. */
import { isOneProcess, type StageInfo } from '../../deployment/list-stages.ts';
import { InputError } from '../../input-error.ts';
import type { CapacityMethod } from '../../records/schema.ts';
import type { LoadExperiment } from '../load-trials.ts';
import type { RunOptions } from '../run-plan.ts';

/** Chosen, not measured: enough to tell a factor of two, and about half a minute for each stage. */
const precision = 0.3;
const trialsMax = 6;
const timing = { warmUpSeconds: 0.5, measureSeconds: 1.2, drainSeconds: 0.5 };

/**
 * The experiment and its options with a short search. Without a choice of stages it asks the first stage of
 * one process and the last, which contains the changes of those between; where the experiment has none, all
 * of its stages. What the options name stays as they name it. Throws an `InputError` beside `--loads`.
 */
export function quickened<Asked extends LoadExperiment & { method: CapacityMethod }>(
  experiment: Asked,
  stages: readonly StageInfo[],
  options: RunOptions,
): { experiment: Asked; options: RunOptions } {
  if (options.quick !== true) return { experiment, options };
  if (options.loads !== undefined)
    throw new InputError(['Leave out --quick: required a search, which it shortens; given --loads.']);
  const asked = experiment.variants(stages).map(({ stage }) => stage);
  const single = asked.filter(isOneProcess).map(({ name }) => name);
  const ends = [...new Set([...single.slice(0, 1), ...single.slice(-1)])];
  return {
    experiment: { ...experiment, timing, method: { ...experiment.method, precision, trialsMax } },
    options: { ...options, stages: options.stages.length === 0 ? ends : options.stages },
  };
}
