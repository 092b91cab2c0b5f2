/** The exit code of a run. */
import type { Run } from '../records/schema.ts';

/** 0 all limits held, 1 a limit broke, 3 void, 130 interrupted. Limits hold at a capacity that was found. */
export function exitCodeOf({ record, trials }: Run): 0 | 1 | 3 | 130 {
  if (record.interrupted) return 130;
  if (record.variants.some(({ error }) => error !== null)) return 3;
  const judged = trials.filter(({ purpose }) =>
    ['fixed', 'fault', 'scenario', 'figures', 'soak'].includes(purpose),
  );
  if (judged.some(({ outcome }) => outcome === 'void')) return 3;
  if (judged.some(({ outcome }) => outcome === 'fail')) return 1;
  const unanswered = record.variants.filter(({ answer }) => answer !== null && answer.threshold === null);
  if (unanswered.length === 0) return 0;
  return unanswered.some(({ bound }) => bound?.name === 'instrument' || bound?.name === 'disturbance')
    ? 3
    : 1;
}
