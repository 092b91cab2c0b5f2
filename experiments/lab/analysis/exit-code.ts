/** A run in one number: the exit code. */
import type { Run } from '../records/schema.ts';

/** 0 all limits held, 1 a limit broke, 3 void, 130 interrupted; a search that ended in a capacity held its limits there. */
export function exitCodeOf(run: Run): 0 | 1 | 3 | 130 {
  const { record, trials } = run;
  if (record.interrupted) return 130;
  if (record.variants.some(({ error }) => error !== null)) return 3;
  const fixed = trials.filter(({ purpose }) => purpose === 'fixed');
  if (fixed.some(({ outcome }) => outcome === 'void')) return 3;
  if (fixed.some(({ outcome }) => outcome === 'failed')) return 1;
  const unanswered = record.variants.filter(({ answer }) => answer !== null && answer.capacity === null);
  if (unanswered.length === 0) return 0;
  return unanswered.some(({ bound }) => bound?.name === 'instrument') ? 3 : 1;
}
