/** A shape that the lab does not have: the commands run, report and compare it without knowing it. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Command } from 'commander';
import { compareSpread } from '../analysis/compare.ts';
import type { Run, TrialHeader } from '../records/schema.ts';
import { listRuns, readRun } from '../records/store.ts';
import { left, right, tableOf } from '../report/table.ts';
import { chooseVariants } from '../shapes/run-plan.ts';
import type { Experiment, Shape } from '../shapes/shape.ts';
import { variantOfStage } from '../trial/variant.ts';
import { addCompare } from './compare.ts';
import { addReport } from './report.ts';
import { addRun } from './run.ts';

const results = mkdtempSync(join(tmpdir(), 'lab-shape-'));
after(() => rmSync(results, { recursive: true }));

type CountTrial = TrialHeader & { letters: number };
type CountRun = Run<Run['record'], CountTrial>;

const unremarkable = { reasons: [], startedAt: '2026-01-02T03:04:05.000Z', facts: {} };

/** Counts the letters in the names of stages, which needs no server. */
const count: Shape<Experiment, CountRun> = {
  name: 'count',
  plan: ({ name }, stages, options) => ({
    shape: 'count',
    variants: chooseVariants(
      name,
      stages.filter(({ services }) => services.length === 0).map(variantOfStage),
      stages,
      options,
    ),
    limits: ['letters<100'],
    usesSimulator: false,
    fields: {},
    estimate: { trials: 1, secondsPerTrial: 0 },
    trialLine: ({ variant, outcome }) => `${variant} ${outcome}`,
    runVariant: async ({ name: variant }, run) => {
      for (let repetition = 0; repetition < (options.trials ?? 1); repetition++) {
        const trial: CountTrial = {
          ...unremarkable,
          number: run.nextNumber(),
          variant,
          stage: variant,
          purpose: 'fixed',
          outcome: 'pass',
          seed: run.seed,
          letters: variant.length,
        };
        run.add(trial);
      }
      return {};
    },
  }),
  report: ({ trials }) => {
    const summary = tableOf(trials, [
      left('variant', ({ variant }) => variant),
      right('letters', ({ letters }) => String(letters)),
    ]);
    const answer = [`${trials.length} stages have letters.`];
    return { answer, summary, method: [], environment: [], caveats: [], trials: summary };
  },
  compare: (a, b) => [
    compareSpread(
      { variant: 'all', metric: 'letters', unit: 'number' },
      'lower',
      a.trials,
      b.trials,
      ({ letters }) => letters,
    ),
  ],
  drawn: () => new Set(),
};

const letters: Experiment = { name: '900-letters', question: 'How many letters?', shape: count, notes: [] };

test('a shape that is one entry of the registry runs, reports and compares', async (context) => {
  const lines: string[] = [];
  context.mock.method(console, 'log', (line = '') => lines.push(line));
  const registry = { experiments: [letters], shapes: [count] };
  const program = new Command().exitOverride();
  addRun(program, registry);
  addReport(program, registry);
  addCompare(program, registry);
  const command = async (...args: string[]) => {
    lines.length = 0;
    await program.parseAsync([...args, '--results', results], { from: 'user' });
    return lines.join('\n');
  };

  const args = ['run', 'letters', '--stage', '1,3', '--target', 'process', '--metrics-port', '0'];
  assert.match(await command(...args), /^limits: letters<100; target: process$[\s\S]*^01-naive +8$/m);
  const [name] = listRuns(results);
  const { record, trials } = readRun(join(results, name!));
  assert.deepEqual([record.shape, record.variants.length, trials.length], ['count', 2, 2]);

  assert.match(await command('report'), /^03-cursor +9$/m);
  assert.match(readFileSync(join(results, name!, 'report.md'), 'utf8'), /2 stages have letters/);
  assert.ok(existsSync(join(results, name!, 'report.html')));
  assert.match(await command('compare', name!, name!), /^all +letters +8\.49 +8\.49/m);
});
