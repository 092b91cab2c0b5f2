import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  curveFixture,
  freezeFixture,
  loadtestFixture,
  runFixture,
  trialFixture,
  variantFixture,
} from '../../records/run.fixture.ts';
import type { LoadRun, TrialRecord, VariantRecord } from '../../records/schema.ts';
import { markdownReport } from '../../report/markdown.ts';
import { capacityAnswer } from './answer.ts';
import { capacity } from './capacity.ts';

type Edge = {
  variant: string;
  /** Highest load that passed and lowest that failed, each three times; no second one: a lower bound. */
  edge: [number, number?];
  cores?: number;
  voids?: number;
  changes?: Partial<VariantRecord>;
  workload?: { payloadBytes?: number; rooms?: number };
};

/** Trials around the edge of each variant, close enough for a narrow interval. */
function runOf(edges: readonly Edge[]): LoadRun {
  let number = 0;
  const trials = edges.flatMap(({ variant, edge: [held, broken], cores = 1, voids = 0, ...edge }) => {
    const stage = edge.changes?.stage ?? variant;
    const at = (load: number, outcome: TrialRecord['outcome']) => {
      const loadtest = loadtestFixture(load, outcome === 'pass' ? 50 : 900);
      return trialFixture(++number, load, 50, {
        ...{ variant, stage, outcome },
        observedLimits: [{ cpuCores: cores, memoryBytes: null }],
        loadtest: { ...loadtest, workload: { ...loadtest.workload, ...edge.workload } },
      });
    };
    const around = (load: number, outcome: TrialRecord['outcome'], count: number) =>
      Array.from({ length: count }, (_, index) => at(load * (1 - 0.002 * index), outcome));
    return [
      ...around(held, 'pass', 4),
      ...(broken === undefined ? [] : around(broken, 'fail', 4)),
      ...around(held * 1.5, 'void', voids),
    ];
  });
  return runFixture(
    edges.map(({ variant, changes }) =>
      variantFixture(variant, { bound: { name: 'event loop', evidence: '' }, ...changes }),
    ),
    trials,
  );
}

const sentences = (edges: readonly Edge[]) => capacityAnswer(runOf(edges));

test('the best is compared with the first in the same box, and a larger box is named', () => {
  const [first, second] = sentences([
    { variant: '01-naive', edge: [100, 105] },
    { variant: '03-cursor', edge: [10_000, 10_500], voids: 2 },
    { variant: '04-cores', edge: [30_000], cores: 2 },
  ]);
  assert.match(
    first!,
    /^03-cursor holds 10,\d00 messages\/s \(90 % interval [\d,]+–[\d,]+, 10 trials, 2 void\), 100 times as many \([\d.]+–[\d.]+\) as 01-naive\.$/,
  );
  assert.match(
    second!,
    /^04-cores holds at least [\d,]+ messages\/s \(4 trials\), at least 2\.\d times as many as 03-cursor, with 2 cores against 1 core\.$/,
  );
});

test('variants whose intervals overlap are not ranked', () => {
  const said = sentences([
    { variant: '03-cursor', edge: [10_000, 11_000] },
    { variant: '05-backplane', edge: [10_300, 11_300] },
  ]);
  // The first of them: the other brings nothing there.
  assert.match(said[0]!, /^03-cursor holds [^;]*trials\)\.$/);
  assert.ok(
    said.includes('Cannot be told apart, because their intervals overlap: 03-cursor and 05-backplane.'),
  );
});

test('the second sentence names the largest step between neighbours, which differ in one thing', () => {
  const [first, second] = sentences([
    { variant: '01-naive', edge: [100, 105] },
    { variant: '02-bounded', edge: [150, 158] },
    { variant: '03-cursor', edge: [3000, 3150] },
    { variant: '04-cores', edge: [3100, 3250] },
  ]);
  assert.match(
    first!,
    /^03-cursor holds 3,\d+ messages\/s .*, 30 times as many \([\d.]+–[\d.]+\) as 01-naive\.$/,
  );
  assert.match(
    second!,
    /^The largest step is the one from 02-bounded to 03-cursor: 20 times as many \([\d.]+–[\d.]+\)\.$/,
  );
});

test('where nodes are counted, the longest series is told first, by the name of its group', () => {
  const grown = (nodes: number, where: string, load: number): Edge => {
    const group = `05-backplane, ${where}`;
    const changes = { stage: '05-backplane', nodes, scale: { of: 'nodes' as const, count: nodes, group } };
    return { variant: `05-backplane × ${nodes}, ${where}`, edge: [load, load * 1.05], changes };
  };
  const [first] = sentences([
    ...[1, 2, 3].map((nodes) => grown(nodes, 'one room', 2000 * nodes)),
    ...[1, 2].map((nodes) => grown(nodes, 'one room, through HAProxy', 1000 * nodes)),
  ]);
  assert.match(first!, /^05-backplane, one room: 2,0.* messages\/s with 1 node, 6,.* with 3 nodes: 3 times/);
});

test('between two lower bounds no ratio is said', () => {
  const [first] = sentences([
    { variant: '03-cursor', edge: [10_000] },
    { variant: '05-backplane', edge: [30_000] },
  ]);
  assert.match(
    first!,
    /^05-backplane holds at least 30,000 .*; 03-cursor holds at least 10,000, so that no ratio is known\.$/,
  );
});

test('where an experiment varies one quantity, the answer goes from its one end to the other', () => {
  const size = (stage: string, payloadBytes: number, edge: Edge['edge']): Edge => ({
    variant: `${stage} ${payloadBytes} B`,
    ...{ edge, changes: { stage }, workload: { payloadBytes } },
  });
  const said = sentences([
    size('01-naive', 64, [100, 105]),
    size('01-naive', 4096, [50, 52]),
    size('03-cursor', 64, [30_000]),
    size('03-cursor', 4096, [1000, 1050]),
  ]);
  assert.match(
    said[0]!,
    /^03-cursor: at least 30,000 messages\/s with 64 B, 1,0\d0 \([\d,]+–[\d,]+\) with 4,096 B: at least 2\d times fewer\.$/,
  );
  assert.match(
    said[1]!,
    /^01-naive: 10\d \([\d.]+–[\d.]+\) messages\/s with 64 B, .*: 2 times fewer \([\d.–]+\)\.$/,
  );
  assert.match(said[2]!, /on 03-cursor as on 01-naive: ≥ 2\d\d with 64 B; 20 \([\d.–]+\) with 4,096 B\.$/);
});

test('more nodes with more cores are a ratio that says so, and the most is named where it is in between', () => {
  const nodes = (count: number, edge: Edge['edge']): Edge => ({
    variant: `${count} node${count === 1 ? '' : 's'}`,
    ...{ edge, cores: count / 5, changes: { stage: '05-backplane', nodes: count } },
  });
  const [first] = sentences([nodes(1, [1000, 1050]), nodes(2, [4000, 4200]), nodes(3, [2000, 2100])]);
  assert.match(
    first!,
    /with 1 node, .* with 3 nodes: 2 times as many \([\d.–]+\), with 0\.6 cores against 0\.2 cores; the most is 4,\d+ \([\d,–]+\) with 2 nodes\.$/,
  );
  const [unsure] = sentences([nodes(1, [1000, 1050]), nodes(2, [1200, 1260]), nodes(3, [600, 630])]);
  assert.doesNotMatch(unsure!, /the most/);
});

test('series of several stages that one picture cannot hold have a picture for each stage', async () => {
  const series = (stage: string, payloadBytes: number): Edge[] =>
    [1, 2, 3, 4, 5].map((nodes) => ({
      variant: `${stage} × ${nodes}, ${payloadBytes} B`,
      edge: [1000 * nodes, 1050 * nodes],
      changes: { stage, nodes },
      workload: { payloadBytes },
    }));
  const stages = (names: readonly string[]) =>
    runOf(names.flatMap((name) => [100, 200, 300, 400].flatMap((bytes) => series(name, bytes))));
  const titles = async (run: LoadRun) =>
    (await capacity.plots!(run)).flatMap(({ file, title }) => (file?.startsWith('capacity') ? title : []));
  assert.deepEqual(await titles(stages(['05-backplane'])), ['Capacity against nodes']);
  assert.deepEqual(await titles(stages(['05-backplane', '06-partitioned'])), [
    '05-backplane: capacity against nodes',
    '06-partitioned: capacity against nodes',
  ]);
});

test('trials at shares of the capacity do not decide it, and make a picture and a table of their own', async () => {
  const edges: Edge[] = [{ variant: '03-cursor', edge: [10_000, 10_500] }];
  const plain = runOf(edges);
  const run = runOf(edges);
  const at = { variant: '03-cursor', capacity: 10_200 };
  const { metastable, ...answer } = {
    metastable: [{ load: 10_000, seconds: 5 }],
    ...run.record.variants[0]!.answer,
  };
  run.record.variants[0]!.answer = {
    end: 'precise',
    threshold: null,
    atLeast: null,
    trials: 8,
    voids: 0,
    ...answer,
    metastable,
  };
  run.trials.push(
    curveFixture(100, { ...at, share: 0.5, arrival: 'constant' }, 20),
    curveFixture(101, { ...at, share: 1, arrival: 'poisson' }, 2_147_483.647),
    freezeFixture(102, { ...at, share: 0.5 }, 0.41),
    freezeFixture(103, { ...at, share: 0.95 }, null),
  );
  assert.equal(capacityAnswer(run)[0], capacityAnswer(plain)[0]);
  assert.ok(
    capacityAnswer(run).includes(
      '03-cursor did not recover within 5 s after 10,000: its backlog was still there.',
    ),
  );
  const files = async (of: LoadRun) => (await capacity.plots!(of)).map(({ file }) => file);
  assert.deepEqual(await files(plain), ['capacity', 'edge', undefined, undefined, undefined]);
  assert.deepEqual((await files(run)).slice(0, 3), ['capacity', 'latency-share', 'latency-load']);
  const text = (of: LoadRun) => markdownReport({ run: of, content: capacity.report(of) }, [], [], '');
  assert.match(text(run), /Recovery from a freeze of 300 ms[\s\S]*\| 03-cursor \| 410&nbsp;ms \| never \|/);
  assert.match(text(run), /\| curve 100&nbsp;%, poisson \| fail \| ∞ \|/);
  assert.doesNotMatch(text(plain), /freeze/);
});

test('a simulator with little idle CPU is a caveat, with the trial that shows it', () => {
  const run = runOf([{ variant: '03-cursor', edge: [10_000, 10_500] }]);
  run.record.variants[0]!.targetLimits = { loadtestCpus: 1 };
  // 0.8 CPU seconds in 2 s measured.
  const idle = (cpuSeconds: number) => {
    for (const { loadtest } of run.trials) loadtest!.instrument.cpuSeconds = cpuSeconds;
    const { answer, caveats } = capacity.report(run);
    const note = answer.find((sentence) => sentence.startsWith('Headroom')) ?? '';
    return { note, isCaveat: caveats.some((caveat) => caveat.includes('little headroom')) };
  };
  assert.match(
    idle(0.8).note,
    /at least 60 % of its 1 core was idle \(least: 03-cursor, 10,000 messages\/s\)/,
  );
  assert.deepEqual([idle(0.8).isCaveat, idle(1.3).isCaveat], [false, true]);
});
