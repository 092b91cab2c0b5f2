import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { costRun } from '../analysis/cost.fixture.ts';
import { InputError } from '../input-error.ts';
import { runFixture } from '../records/run.fixture.ts';
import type { LoadRun } from '../records/schema.ts';
import { answerGoal } from './goal.ts';

const cursor = costRun('03-cursor', [
  [
    { messages: 100 },
    { messages: 4000, framesPerWrite: 60 },
    { messages: 8000, framesPerWrite: 150 },
    { messages: 9000, outcome: 'fail' },
  ],
  [
    { messages: 5000, rooms: 100 },
    { messages: 9000, rooms: 100, framesPerWrite: 1.5 },
    { messages: 12_000, rooms: 100, outcome: 'fail' },
  ],
]);
const scalable = costRun('05-backplane', [
  [
    { messages: 100, counted: false },
    { messages: 150, outcome: 'fail' },
  ],
]);

test('the formula of a stage is shown with its numbers, on the basis of the safe load', async () => {
  const text = await answerGoal('10k sessions, 1 message/s per room of 100', [cursor]);
  assert.match(text, /from 5 trials in rooms of 10, 1,000 clients/);
  assert.match(text, /at its safe load, [\d,]+ messages\/s \(03-cursor \d\), it uses \d+ % of its cores/);
  assert.match(text, /= 10,000 ÷ 100 × 1 = 100, in 100 rooms/);
  assert.match(
    text,
    /= \(1 × 0\.02 \+ 1 × 100 × 20 µs \+ 10,000 × 6 µs \+ 1\.32 MB × 0\.1 ns\) ÷ 0\.\d+ = 0\.\d+/,
  );
  assert.match(text, /= 10,000 × 132 B = 1\.32 MB\/s = 3\.47 TB a month/);
  assert.match(text, /· extrapolated: 1 messages\/s in each room; measured with 50 to 8,000/);
});

test('a stage that cannot meet the goal says why and has no price; without writes its cores are a lower bound', async () => {
  const text = await answerGoal('1M sessions, 1 message/s per room of 100', [cursor, scalable]);
  assert.match(text, /03-cursor: cannot be met by this stage on one machine: it is one process/);
  assert.match(text, /03-cursor +cannot be met .* –\n/);
  assert.match(text, /05-backplane +≥ 67 +≥ \d/);
});

test('runs that cannot answer are refused in one sentence: another shape, another machine', async () => {
  const goal = '10k sessions, 1 message/s per room of 100';
  const refused = (runs: LoadRun[], pattern: RegExp) =>
    assert.rejects(
      answerGoal(goal, runs),
      (error) => error instanceof InputError && pattern.test(error.message),
    );
  await refused(
    [runFixture([], [], { shape: 'fixed-load' })],
    /^Ask a goal of capacity runs: required .* \(fixed-load\)\.$/,
  );
  const environment = { ...cursor.record.environment, cpus: 64 };
  const elsewhere = { ...cursor, record: { ...cursor.record, environment } };
  await refused(
    [cursor, elsewhere],
    /^Ask a goal of runs of one machine: .* given .*4 cores.* and .*64 cores/,
  );
});

test('report --goal prints the answer; a goal in other words ends with exit code 2 and one sentence', () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'lab-goal-'));
  const path = join(directory.path, 'archived.json');
  writeFileSync(path, JSON.stringify(cursor));
  const main = join(import.meta.dirname, '..', '..', 'main.ts');
  const report = (goal: string) =>
    spawnSync(process.execPath, [main, 'report', path, '--goal', goal], { encoding: 'utf8' });
  const answered = report('10k sessions, 1 message/s per room of 100');
  assert.equal(answered.status, 0, answered.stderr);
  assert.match(answered.stdout, /^goal: 10k sessions/);
  const refused = report('many people');
  assert.equal(refused.status, 2);
  assert.match(refused.stderr, /^Give a goal such as '1M sessions, .*; given many people\.\n$/);
});
