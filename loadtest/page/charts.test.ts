import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chartsOf, heatMapOf, intervalsOf, loadPointsOf, shownTrial } from './charts.ts';
import { emptySeconds, newTrial, type PageState, type PageTrial } from './state.ts';

const estimate = { low: 90, middle: 100, high: 110 };
function trial(number: number, changes: Partial<PageTrial> = {}): PageTrial {
  const title = { number, variant: 'a', load: 100 * number, about: `${number}`, purpose: 'search' };
  return { ...newTrial(title), outcome: 'pass', seconds: null, ...changes };
}
function state(...trials: PageTrial[]): PageState {
  const variants = ['a', 'b'].map((name) => ({ name, colour: `var(--${name})` }));
  const about = { title: '', question: '', unit: '', limitMs: 250, clock: null, isEnded: false };
  return { ...about, variants, trials };
}
const seconds = {
  ...{ atSeconds: [0, 1], deliveries: [10, 0], p50: [1, 0], p99: [2, 0], max: [3, 0] },
  ...{
    simulatorCores: [0.1, 0.1],
    counts: [
      { first: 20, counts: [4, 6] },
      { first: 0, counts: [] },
    ],
  },
};

test('a second without deliveries has no latency, rather than one of zero', () => {
  const [latency, deliveries] = chartsOf(trial(1, { seconds }), 250);
  assert.deepEqual(
    latency!.lines.map(({ values }) => values),
    [
      [1, null],
      [2, null],
      [3, null],
    ],
  );
  assert.equal(latency!.limit, 250);
  assert.deepEqual(deliveries!.lines[0]!.values, [10, 0]);
});

test('parts that were read at different times share one axis, and what no part has is no chart', () => {
  const node = (name: string, at: number[]) => {
    const none = at.map(() => null);
    return { name, atSeconds: at, cpuCores: at, rssBytes: at, throttledShare: none };
  };
  const charts = chartsOf(trial(1, { nodes: [node('n1', [0, 1]), node('n2', [0.5, 1])] }), null);
  assert.deepEqual(
    charts.map(({ title }) => title),
    ['CPU', 'Memory'],
  );
  assert.deepEqual(charts[0]!.atSeconds, [0, 0.5, 1]);
  assert.deepEqual(
    charts[0]!.lines.map(({ values }) => values),
    [
      [0, null, 1],
      [null, 0.5, 1],
    ],
  );
});

test('a heat map needs counts, which old results have not', () => {
  assert.equal(heatMapOf(trial(1, { seconds: { ...seconds, counts: [] } })), null);
  assert.equal(heatMapOf(trial(1)), null);
  assert.equal(heatMapOf(trial(1, { seconds }))!.countMax, 6);
});

test('the intervals are those after the last trial of each variant, with its void trials', () => {
  const narrow = { low: 99, middle: 100, high: 101 };
  const trials = [
    trial(1, { estimate }),
    trial(2, { outcome: 'void', estimate }),
    trial(3, { estimate: narrow }),
  ];
  const other = trial(4, { variant: 'b' });
  trials.unshift(trial(0, { purpose: 'warm-up' }));
  assert.deepEqual(intervalsOf(state(...trials, other)), [
    { variant: 'a', colour: 'var(--a)', estimate: narrow, trials: 3, voids: 1 },
    { variant: 'b', colour: 'var(--b)', estimate: null, trials: 1, voids: 0 },
  ]);
  assert.deepEqual(intervalsOf(state(other)), []);
});

test('warm-ups are points until other trials have begun, and trials without a load never are', () => {
  const warmUp = trial(1, { purpose: 'warm-up' });
  assert.deepEqual(loadPointsOf(state(warmUp, trial(2, { variant: 'b' }))).length, 2);
  const points = loadPointsOf(state(trial(1, { purpose: 'warm-up' }), trial(2, { load: null }), trial(3)));
  assert.deepEqual(
    points.map(({ load, colour }) => [load, colour]),
    [[300, 'var(--a)']],
  );
});

test('the trial that was chosen is shown, else the one that runs, else the last that has seconds', () => {
  const kept = trial(1, { seconds: emptySeconds() });
  const running = trial(3, { outcome: 'running' });
  assert.equal(shownTrial(state(kept, trial(2), running), 2)!.number, 2);
  assert.equal(shownTrial(state(kept, trial(2), running), null)!.number, 3);
  assert.equal(shownTrial(state(kept, trial(2)), null)!.number, 1);
  assert.equal(shownTrial(state(), null), undefined);
});
