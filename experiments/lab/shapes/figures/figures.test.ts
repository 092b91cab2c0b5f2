import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registry } from '../../../registry.ts';
import type { Deployment } from '../../deployment/deployment.ts';
import type { StageInfo } from '../../deployment/list-stages.ts';
import { missingField } from '../../records/check.ts';
import { runFixture, variantFixture } from '../../records/run.fixture.ts';
import { meaningOf } from '../../report/explain.ts';
import {
  type FigureExperiment,
  type Figures,
  type FigureVariant,
  figures,
  runFigureTrial,
} from './figures.ts';
import { plotsOfFigures } from './plots.ts';
import type { FigureDefinition, FigureRun, FigureTrial } from './record.ts';
import { reportFigures } from './report.ts';

const stage: StageInfo = {
  ...{ name: '07-x', summary: 'x', services: [], order: 'one for all', delivery: 'at most once' },
  processes: [
    { role: 'server', count: 'any number' },
    { role: 'media', count: 'one' },
  ],
  limits: { mailboxMessagesMax: 1, postChannelsMax: 1 },
};
const definitions: readonly FigureDefinition[] = [
  { key: 'lost', title: 'acked and lost', kind: 'count', words: '{} lost' },
  {
    ...{ key: 'waitMs', title: 'longest to ack', kind: 'ms', words: 'waited {}', good: 'lower' },
    plot: { title: 'Waits', caption: 'A dot each.', file: 'waits' },
  },
];
const variant = (name: string, found: Figures): FigureVariant => ({
  ...{ name, stage, settings: {}, nodes: 1, allocation: {} },
  limits: [{ figure: 'lost', max: 0, of: 'always' }],
  measure: async () => found,
});

/** Trials without a server: each variant has found its figures already. */
async function runOf(found: Record<string, Figures>, place?: FigureVariant['place']): Promise<FigureRun> {
  const variants = Object.entries(found).map(([name, figuresOf]) => variant(name, figuresOf));
  const trials: FigureTrial[] = [];
  for (const one of variants)
    trials.push(
      await runFigureTrial(one, {
        deploy: async () => ({ facts: {}, [Symbol.asyncDispose]: async () => {} }) as unknown as Deployment,
        signal: new AbortController().signal,
        observer: { phase() {}, second() {}, started() {} },
        seed: 1,
        nextNumber: () => trials.length + 1,
      }),
    );
  const { record } = runFixture([], []);
  return {
    trials,
    record: {
      ...record,
      shape: 'figures',
      limits: ['lost<=0 (always)'],
      variants: variants.map(({ name }) => variantFixture(name, { stage: stage.name })),
      figures: definitions,
      repetitions: 1,
      procedure: ['Something is done.'],
      ...(place && {
        across: {
          name: 'readers',
          places: Object.fromEntries(variants.map(({ name }, n) => [name, { ...place, value: 10 ** n }])),
        },
      }),
    },
  };
}

test('a figure above its limit, and one that is not known, break it; the report says which', async () => {
  const run = await runOf({
    good: { lost: 0, waitMs: 12 },
    bad: { lost: 3, waitMs: 500 },
    none: { lost: null },
  });
  assert.deepEqual(
    run.trials.map(({ outcome, reasons }) => [outcome, ...reasons]),
    [['pass'], ['fail', 'lost was 3; the limit is 0'], ['fail', 'lost was not known; the limit is 0']],
  );
  const { answer, summary, method } = reportFigures(run);
  assert.deepEqual(answer, [
    'The limits broke in 2 of 3 variants: bad; none.',
    'good: 0 lost, waited 12 ms.',
    'bad: 3 lost, waited 500 ms.',
    'none: no figures.',
  ]);
  assert.deepEqual(summary.rows[1], ['bad', 'fail', '3', '500 ms', '1']);
  assert.ok(method.includes('Something is done.'));
  assert.equal(missingField(run), null);
});

test('variants without a place are rows of dots; with one they are points of a line', async () => {
  const found = { one: { lost: 0, waitMs: 12 }, two: { lost: 0, waitMs: 120 } };
  const [rows] = plotsOfFigures(await runOf(found));
  assert.match(rows!.svg, /12 ms[\s\S]*120 ms/);
  const [line] = plotsOfFigures(await runOf(found, { family: '8 filters', value: 1 }));
  assert.match(line!.svg, /8 filters/);
  assert.match(line!.svg, /readers, logarithmic/);
});

test('two runs are compared by the figures that have a good side, and by failed trials', async () => {
  const [a, b] = [
    await runOf({ one: { lost: 0, waitMs: 10 } }),
    await runOf({ one: { lost: 0, waitMs: 30 } }),
  ];
  assert.deepEqual(
    figures.compare(a, b).map(({ metric }) => metric),
    ['failed trials', 'longest to ack'],
  );
});

test('every figure of every experiment is explained, has a key of its own, and limits name figures', () => {
  const asked = registry.experiments.filter(({ shape }) => shape.name === 'figures') as FigureExperiment[];
  assert.ok(asked.length >= 4);
  for (const { name, figures: defined, variants } of asked) {
    for (const { title } of defined) assert.ok(meaningOf(title), `${name}: ${title}`);
    const keys = defined.map(({ key }) => key);
    assert.equal(new Set(keys).size, keys.length, name);
    const offered = variants([stage]);
    assert.equal(new Set(offered.map((one) => one.name)).size, offered.length, name);
    for (const { limits } of offered)
      for (const { figure } of limits) assert.ok(keys.includes(figure), figure);
    const shown = defined.filter((one) => !one.isDetail).length;
    assert.ok(shown <= 6, `${name}: variant, outcome and ${shown} figures; a table has at most 8 columns`);
  }
});
