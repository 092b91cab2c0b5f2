import assert from 'node:assert/strict';
import { mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { registry } from '../../registry.ts';
import { InputError } from '../input-error.ts';
import { answerFixture, runFixture, trialFixture, variantFixture } from '../records/run.fixture.ts';
import type { LoadRun } from '../records/schema.ts';
import type { PlannedRun } from '../shapes/runner.ts';
import { openOutcome } from './outcome.ts';

function found(edge: number): LoadRun {
  const trials = [50, 80, 90, 95, 105, 110, 120, 150].flatMap((percent, index) => {
    const [load, outcome] = [(edge * percent) / 100, percent < 100 ? 'pass' : 'fail'] as const;
    return [1, 2].map((half) => trialFixture(2 * index + half, load, 50, { outcome }));
  });
  return runFixture([variantFixture('01-naive', { answer: answerFixture(edge) })], trials);
}

/** The plan of a run, as far as a baseline is checked against it. */
function plannedAs({ record }: LoadRun, experiment = record.experiment): PlannedRun {
  const { shape, limits, varied, method, timing, workload, target, simulator, environment } = record;
  const plan = { shape, limits, usesSimulator: true, fields: { varied, method, timing, workload } };
  const variants = [{ name: '01-naive', nodes: 1, allocation: {} }];
  return { experiment: { name: experiment }, plan, variants, target, simulator, environment } as never;
}

const temporary = () => mkdtempDisposableSync(join(tmpdir(), 'lab-outcome-'));

test('files that cannot be written and a baseline that is none are told before the run, all at once', () => {
  using directory = temporary();
  const [results, missing] = [directory.path, join(directory.path, 'no', 'x')];
  const flags = { results, baseline: missing, summary: missing, junit: directory.path };
  assert.throws(
    () => openOutcome(flags, registry),
    (error) => {
      assert.ok(error instanceof InputError);
      const lines = error.message.split('\n');
      assert.match(
        lines[0]!,
        /^Give --summary a file that can be written: its directory .*no does not exist; given/,
      );
      assert.match(lines[1]!, /^Give --junit a file that can be written: it is a directory; given/);
      assert.match(lines[2]!, /^Name a run: .*given .*no\/x\.$/);
      assert.equal(lines.length, 3);
      return true;
    },
  );
});

test('a baseline of another experiment or under other conditions is refused before the first trial', () => {
  using directory = temporary();
  const baseline = join(directory.path, 'baseline.json');
  writeFileSync(baseline, JSON.stringify(found(100)));
  const outcome = openOutcome({ results: directory.path, baseline }, registry);
  const planned = plannedAs(found(50));
  assert.equal(outcome.checked(planned), planned);
  assert.throws(
    () => outcome.checked(plannedAs(found(50), '003-crowd')),
    /required 003-crowd; given 001-ladder/,
  );
  assert.throws(
    () => outcome.checked({ ...planned, target: 'container' }),
    /^Error: Baseline \(a\): Run both with the same --target: required the same target; given process and container/,
  );
});

test('worse than the baseline is exit code 1, and stands in the summary and in the JUnit file', (context) => {
  context.mock.method(console, 'log', () => {});
  using directory = temporary();
  const at = (name: string) => join(directory.path, name);
  writeFileSync(at('baseline.json'), JSON.stringify(found(200)));
  writeFileSync(at('summary.md'), 'before\n');
  const page = process.env.GITHUB_STEP_SUMMARY;
  process.env.GITHUB_STEP_SUMMARY = at('page.md');
  context.after(() => {
    if (page === undefined) delete process.env.GITHUB_STEP_SUMMARY;
    else process.env.GITHUB_STEP_SUMMARY = page;
  });
  const files = { results: directory.path, summary: at('summary.md'), junit: at('junit.xml') };
  const against = (edge: number) =>
    openOutcome({ ...files, baseline: at('baseline.json') }, registry).conclude(found(edge));
  assert.equal(against(100), 1);
  const summary = readFileSync(at('summary.md'), 'utf8');
  assert.match(summary, /^before\n## 001-ladder\n/);
  assert.match(summary, /^## 001-ladder: comparison\n[\s\S]*\| worse \|$/m);
  assert.equal(`before\n${readFileSync(at('page.md'), 'utf8')}`, summary);
  assert.match(
    readFileSync(at('junit.xml'), 'utf8'),
    /messages\/s against the baseline"><failure message="worse: /,
  );
  assert.equal(against(400), 0);
  assert.equal(openOutcome({ results: directory.path }, registry).conclude(found(100)), 0);
});

test('a run whose box was another one keeps its files, and says why it was not compared', (context) => {
  context.mock.method(console, 'log', () => {});
  using directory = temporary();
  const at = (name: string) => join(directory.path, name);
  writeFileSync(at('baseline.json'), JSON.stringify(found(200)));
  const run = found(100);
  for (const trial of run.trials) trial.observedLimits = [{ cpuCores: 0.25, memoryBytes: null }];
  const flags = { results: directory.path, baseline: at('baseline.json'), junit: at('junit.xml') };
  assert.throws(
    () => openOutcome(flags, registry).conclude(run),
    /observed cpuCores of 01-naive; given none and 0.25/,
  );
  assert.match(readFileSync(at('junit.xml'), 'utf8'), /<testcase /);
});
