import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { readArchived } from '../../records/archive.ts';
import { faults } from './faults.ts';
import type { FaultRun, FaultTrial } from './record.ts';

const [archived] = readArchived(join(import.meta.dirname, '..', '..', '..', '008-kill')) as FaultRun[];
const run = archived!;

/** The same run with changes to every trial of its first failure. */
function changed(changes: Partial<FaultTrial>): FaultRun {
  const first = run.record.variants[0]!.name;
  const trials = run.trials.map((trial) => (trial.variant === first ? { ...trial, ...changes } : trial));
  return { ...run, trials };
}

const verdictsOf = (a: FaultRun, b: FaultRun) =>
  faults
    .compare(a, b)
    .slice(0, 3)
    .map(({ verdict }) => verdict);

test('a run of failures equals itself, and is worse where a trial fails or recovery takes longer', () => {
  assert.deepEqual(verdictsOf(run, run), ['noise', 'noise', 'noise']);
  assert.deepEqual(verdictsOf(run, changed({ outcome: 'fail' })), ['worse', 'noise', 'noise']);
  assert.deepEqual(verdictsOf(changed({ outcome: 'fail' }), run), ['better', 'noise', 'noise']);
  assert.equal(verdictsOf(run, changed({ recoveredAfterMs: 9000 }))[2], 'worse');
});

test('the report names the failures whose limits broke', () => {
  assert.match(faults.report(run).answer[0]!, /^In none of the 7 failures/);
  const [answer] = faults.report(changed({ outcome: 'fail' })).answer;
  assert.equal(answer, 'The limits broke in 1 of 7 failures: worker killed (04-cores).');
});
