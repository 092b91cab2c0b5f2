import assert from 'node:assert/strict';
import { test } from 'node:test';
import { capacityFindings } from '../../analysis/finding.ts';
import { runFixture, trialFixture, variantFixture } from '../../records/run.fixture.ts';
import type { LoadRun, TrialRecord } from '../../records/schema.ts';
import { capacity } from './capacity.ts';
import { cpuUsPerMessage, readPerSaid, scalingColumns, scalingSentences } from './scaling.ts';

/** Nodes with their capacity; each has trials that pass up to it, and fail above. */
function nodesRun(capacities: Readonly<Record<number, number>>, read: number | null = null): LoadRun {
  const variants = Object.keys(capacities).map((count) =>
    variantFixture(`${count} nodes`, { scale: { of: 'nodes', count: Number(count), group: 'one room' } }),
  );
  const trials = Object.entries(capacities).flatMap(([count, capacity]) =>
    [0.85, 0.9, 0.95, 0.98, 1.02, 1.05, 1.1].map((share, index) => {
      const outcome: TrialRecord['outcome'] = share < 1 ? 'pass' : 'fail';
      const trial = trialFixture(index, Math.round(share * capacity), 50, {
        variant: `${count} nodes`,
        outcome,
      });
      return {
        ...trial,
        server: { ...trial.server!, messagesReadPerSaid: read, unusedReadShare: read && 0.0125 },
      };
    }),
  );
  return runFixture(variants, trials);
}

test('the report of a run with a scale tells the law, its peak, and draws it', async () => {
  const run = nodesRun({ 1: 10_000, 2: 17_000, 4: 22_000, 8: 20_000 });
  const [sentence, ...others] = scalingSentences(run);
  assert.equal(others.length, 0);
  assert.match(
    sentence!,
    /fitted to 1, 2, 4, 8 nodes, one node carries λ = 10,\d+ \([\d,]+–1\d,\d+\) messages\/s/,
  );
  assert.match(sentence!, /the predicted peak is at [45]\.\d+ nodes \(3\.\d+–∞\)\.$/);
  assert.ok(capacity.report(run).answer.includes(sentence!));
  const titles = (await capacity.plots!(run)).map(({ title }) => title);
  assert.ok(titles.includes('The scaling law'));
});

test('servers that scale in proportion have no peak within many times what was measured', () => {
  const [sentence] = scalingSentences(nodesRun({ 1: 1000, 2: 2000, 3: 3000 }));
  assert.match(sentence!, /no peak is predicted within [\d.]+ nodes\.$/);
});

test('nodes that carry more than their share are named, because the law has no term for that', () => {
  const [sentence] = scalingSentences(nodesRun({ 1: 1000, 2: 2900, 3: 4500 }));
  assert.match(
    sentence!,
    /; but growth is more than linear \(2 nodes × 2\.\d+ \(.*\), 3 nodes × 4\.\d+ \(.*\) as much as 1 node\), so that/,
  );
  assert.doesNotMatch(scalingSentences(nodesRun({ 1: 1000, 2: 2000, 3: 3000 }))[0]!, /more than linear/);
});

test('two numbers of nodes are too few for a law, and the sentence says what it takes', async () => {
  const run = nodesRun({ 1: 1000, 2: 1900 });
  assert.deepEqual(scalingSentences(run), [
    'one room: too few points for a scaling law: required the capacities of 3 numbers of nodes; known: 1, 2 nodes.',
  ]);
  const titles = (await capacity.plots!(run)).map(({ title }) => title);
  assert.ok(!titles.includes('The scaling law'));
});

test('the cost of a message is CPU time per message and node, and messages read per node', () => {
  const [, two] = capacityFindings(nodesRun({ 1: 1000, 2: 1900 }, 2));
  // 0.5 cores for 1,862 messages/s on two nodes.
  assert.equal(Math.round(cpuUsPerMessage(two!)!), 134);
  assert.equal(readPerSaid(two!), 1);
  const columns = scalingColumns(nodesRun({ 1: 1000, 2: 1900 }, 2));
  assert.equal(columns.at(-1)!.title, 'read for nothing');
  assert.equal(columns.at(-1)!.cell(two!), '1.3 %');
  const [unread] = capacityFindings(nodesRun({ 1: 1000, 2: 1900 }));
  assert.equal(readPerSaid(unread!), null);
});

test('a run without a scale has no such columns and no such sentence', () => {
  const run = runFixture([variantFixture('01-naive')], [trialFixture(1, 100, 50)]);
  const titles = capacity.report(run).summary.columns.map(({ title }) => title);
  assert.ok(!titles.some((title) => title.includes('per message')));
  assert.deepEqual(scalingSentences(run), []);
});
