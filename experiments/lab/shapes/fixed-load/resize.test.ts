import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  latencyFixture,
  loadtestFixture,
  runFixture,
  trialFixture,
  variantFixture,
} from '../../records/run.fixture.ts';
import type { LoadRun } from '../../records/schema.ts';
import { terminalTable } from '../../report/table.ts';
import { fixedLoad } from './fixed-load.ts';

/** Two nodes are added at 3 s, and leave from 8 s on; a second with a p99 of 90 ms lies in each part. */
function resizeTrial(missed = 0) {
  const times = latencyFixture(1200);
  const p99s = [10, 12, 11, 20, 90, 15, 12, 10, 300, 40, 10, 10];
  const plain = loadtestFixture(200, 50);
  const loadtest = loadtestFixture(200, 50, {
    workload: { ...plain.workload, durationSeconds: p99s.length },
    series: { ...plain.series, atSeconds: p99s.map((_, second) => second), deliveryLatencyMsP99: p99s },
    resume: {
      ...{ closes: { 4012: 1500, 1006: 2 }, connectedMs: times, caughtUpMs: times, recovered: 1502 },
      ...{ lateDeliveries: 12, gaps: 0, unable: 0, peopleWithGaps: 0, missed, misannounced: 0 },
      ...{ unpublished: 0, away: 0, refused: {} },
    },
  });
  const resize = {
    events: [
      { atSeconds: 3.2, node: 'node-2', what: 'added' as const },
      { atSeconds: 4, node: 'node-3', what: 'added' as const },
      { atSeconds: 8, node: 'node-3', what: 'leaves' as const },
      { atSeconds: 8.5, node: 'node-3', what: 'left' as const },
      { atSeconds: 8.5, node: 'node-2', what: 'leaves' as const },
      { atSeconds: 9.5, node: 'node-2', what: 'left' as const },
    ],
    samples: [
      { atSeconds: 0, sessions: [900], resumes: 0, moves: 0 },
      { atSeconds: 4, sessions: [900, 0, 0], resumes: 0, moves: 0 },
      { atSeconds: 5, sessions: [800, 50, 50], resumes: 100, moves: 100 },
      { atSeconds: 6, sessions: [300, 300, 300], resumes: 600, moves: 600 },
      { atSeconds: 7, sessions: [300, 300, 300], resumes: 600, moves: 600 },
      { atSeconds: 9, sessions: [450, 450, 0], resumes: 900, moves: 600 },
      { atSeconds: 10, sessions: [900, 0, 0], resumes: 1500, moves: 600 },
    ],
    error: null,
  };
  return trialFixture(1, 900, 50, { purpose: 'fixed', loadtest, resize });
}

function runOf(trials: LoadRun['trials']): LoadRun {
  const method = { kind: 'fixed', loads: [900], repetitions: 1, emphasis: 'resize' } as const;
  return runFixture([variantFixture('01-naive', { answer: null, bound: null })], trials, {
    method,
    limits: ['missed=0'],
    varied: { quantity: 'clients', unit: 'clients' },
  });
}

test('the report says what was moved and missed, how many came back at once, and what was felt', async () => {
  const run = runOf([resizeTrial(7)]);
  const { answer, summary } = fixedLoad.report(run);
  assert.equal(
    answer[0],
    '01-naive: while 1 node became 3 and 1 again, 900 clients were moved 1,500 times: 7 deliveries were missed, 0 repeated, 0 out of order. At most 600 came back per second, and the p99 of the worst second was 90 ms while nodes came and 300 ms while they left (11 ms before).',
  );
  const [row] = terminalTable(summary).split('\n').slice(2);
  assert.match(row!, /01-naive +900 +pass +1 +1,500 +600 +11 ms +90 ms +300 ms +7 +0, 0/);
  const pictures = await fixedLoad.plots!(run);
  assert.deepEqual(
    pictures.slice(0, 2).map(({ file }) => file),
    ['sessions', 'felt'],
  );
  assert.match(pictures[0]!.caption, /Nodes added at 3\.2 s, 4\.0 s, told to leave at 8\.0 s, 8\.5 s/);
  assert.match(pictures[0]!.svg, /node 3/);
});

test('a run in which no node came or went says so', async () => {
  const run = runOf([trialFixture(1, 900, 50, { purpose: 'fixed' })]);
  assert.equal(fixedLoad.report(run).answer[0], 'No trial saw nodes come and go.');
  const pictures = await fixedLoad.plots!(run);
  assert.ok(pictures.every(({ file }) => file !== 'sessions'));
});
