import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { judge } from '../../analysis/judge.ts';
import { readArchived } from '../../records/archive.ts';
import { faults } from './faults.ts';
import type { FaultRun, FaultTrial } from './record.ts';

const [archived] = readArchived(join(import.meta.dirname, '..', '..', '..', '008-kill')) as FaultRun[];
/** The archived run as if each failure had been tried three times, every time with the same end. */
const run: FaultRun = {
  ...archived!,
  trials: archived!.record.variants.flatMap(({ name }) =>
    Array<FaultTrial>(3).fill(archived!.trials.find(({ variant }) => variant === name)!),
  ),
};

/** The same run with changes to every trial of its first failure. */
function changed(changes: Partial<FaultTrial>): FaultRun {
  const first = run.record.variants[0]!.name;
  const trials = run.trials.map((trial) => (trial.variant === first ? { ...trial, ...changes } : trial));
  return { ...run, trials };
}

const twice = (one: FaultRun): FaultRun => ({ ...one, trials: [...one.trials, ...one.trials] });
const verdictsOf = (a: FaultRun, b: FaultRun) =>
  judge(faults.compare(a, b).slice(0, 3), () => 0.05).map(({ verdict }) => verdict);

test('a run of failures equals itself, and is worse where trials fail or recovery takes longer', () => {
  assert.deepEqual(verdictsOf(run, run), ['noise', 'noise', 'noise']);
  const failing = changed({ outcome: 'fail' });
  // Three of three against none of three: p = 0.1.
  assert.deepEqual(verdictsOf(run, failing), ['noise', 'noise', 'noise']);
  assert.deepEqual(verdictsOf(twice(run), twice(failing)), ['worse', 'noise', 'noise']);
  assert.deepEqual(verdictsOf(twice(failing), twice(run)), ['better', 'noise', 'noise']);
  assert.equal(verdictsOf(run, changed({ recoveredAfterMs: 9000 }))[2], 'worse');
});

test('the report names the failures whose limits broke', () => {
  assert.match(faults.report(run).answer[0]!, /^In none of the 60 trials of 20 failures/);
  const [answer] = faults.report(changed({ outcome: 'fail' })).answer;
  assert.equal(answer, 'The limits broke in 1 of 20 failures: worker killed (04-cores).');
});

test('the pictures have a row for each failure, and say where the chat never recovered or a loss was silent', async () => {
  const svgsOf = async (of: FaultRun) =>
    new Map((await faults.plots!(of)).map(({ file, svg }) => [file, svg]));
  const pictures = await svgsOf(run);
  assert.deepEqual([...pictures.keys()], ['recovery', 'detection']);
  for (const { name } of run.record.variants)
    assert.ok(pictures.get('recovery')!.includes(`>${name}<`), name);
  const gone = await svgsOf({
    ...run,
    trials: run.trials.map((one) => ({ ...one, recoveredAfterMs: null })),
  });
  assert.deepEqual([...gone.keys()], ['detection']);
  assert.match((await svgsOf(changed({ lostSilently: 2 }))).get('detection')!, />[^<]* lost silently</);
});
