import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadtestFixture, runFixture, trialFixture, variantFixture } from '../records/run.fixture.ts';
import type { LoadRun, LoadRunRecord } from '../records/schema.ts';
import { differencesOf, sentenceOf } from './refusal.ts';

const box = { serverCpus: 0.5, loadtestCpus: 1 };

function run(changes: Partial<LoadRunRecord> = {}, limits: object = box): LoadRun {
  const variants = ['01-naive', '03-cursor'].map((name) => variantFixture(name, { targetLimits: limits }));
  return runFixture(variants, [trialFixture(1, 100, 50), trialFixture(2, 200, 50)], changes);
}

const a = run();
const { environment, timing, workload } = a.record;
const differing = (b: LoadRun) => differencesOf(a, b).map(sentenceOf);

test('a run is like itself, and like one of other code, seed, precision, settings and kernel', () => {
  const later = run({
    seed: 7,
    run: 'later',
    environment: { ...environment, gitCommit: 'fedcba', gitDirty: true, platform: 'linux 7.1 x64' },
    method: { ...a.record.method, kind: 'capacity', precision: 0.05, trialsMax: 50 } as never,
  });
  later.record.variants[0]!.settings = { 'segment-size': '64KiB' };
  assert.deepEqual(differing(later), []);
});

test('each condition that differs is a sentence with the remedy and both values', () => {
  const cases: [LoadRun, RegExp][] = [
    [
      run({ environment: { ...environment, cpuModel: 'Other' } }),
      /^Run both on one machine: required the same CPU model; given Test CPU and Other\.$/,
    ],
    [run({ environment: { ...environment, cpus: 8 } }), /number of cores; given 4 and 8\.$/],
    [
      run({ environment: { ...environment, platform: 'darwin 24 arm64' } }),
      /given linux x64 and darwin arm64/,
    ],
    [
      run({ environment: { ...environment, cgroupCpuCores: 2 } }),
      /CPU quota around the lab; given none and 2/,
    ],
    [run({ timing: { ...timing, measureSeconds: 9 } }), /--duration: .* given 2 and 9\.$/],
    [run({ timing: { ...timing, warmUpSeconds: 9 } }), /--warm-up: .* given 1 and 9\.$/],
    [run({ timing: { ...timing, drainSeconds: 9 } }), /--drain: .* given 1 and 9\.$/],
    [run({ limits: ['p99<100ms', 'lost=0'] }), /same limits; given p99<250ms and p99<100ms\.$/],
    [run({ limits: ['p99<250ms', 'lost=0', 'growth<5ms'] }), /same limits; given none and growth<5ms\.$/],
    [run({ target: 'container' }), /--target: .* given process and container\.$/],
    [run({ simulator: 'container' }), /--simulator: .* given process and container\.$/],
    [run({ workload: { ...workload, payloadBytes: 256 } }), /--payload-size: .* given 128 and 256\.$/],
    [run({ shape: 'fixed-load' }), /--loads.*kind of run; given searched capacity and fixed loads\.$/],
    [
      run({}, { ...box, serverCpus: 1 }),
      /--server-cpus: required the same server-cpus of 01-naive, 03-cursor; given 0\.5 and 1\.$/,
    ],
    [run({}, { ...box, cpuPeriodMs: 100 }), /--cpu-period: .* given none and 100\.$/],
  ];
  for (const [b, sentence] of cases) {
    const sentences = differing(b);
    assert.equal(sentences.length, 1, sentences.join('\n'));
    assert.match(sentences[0]!, sentence);
  }
});

test('all differences are said at once', () => {
  const other = run({
    target: 'container',
    simulator: 'container',
    limits: [],
    timing: { ...timing, drainSeconds: 5 },
  });
  assert.equal(differing(other).length, 4);
});

test('another box in force is told where the same was asked for', () => {
  const b = run();
  b.trials[0]!.observedLimits = [{ cpuCores: 0.25, memoryBytes: null }];
  assert.match(
    differing(b).join(),
    /^Run both in the same box: .* observed cpuCores of 01-naive; given none and 0\.25\.$/,
  );
});

test('a default of the simulator counts where its trials agree on it; what follows from the load does not', () => {
  const withSenders = (senders: readonly number[]) => {
    const trials = senders.map((sendersPerRoom, index) => {
      const loadtest = loadtestFixture(100, 50);
      return trialFixture(index + 1, 100, 50, {
        loadtest: {
          ...loadtest,
          workload: { ...loadtest.workload, sendersPerRoom, workers: sendersPerRoom },
        },
      });
    });
    return { ...run(), trials };
  };
  const senders = (one: number[], other: number[]) => differencesOf(withSenders(one), withSenders(other));
  assert.deepEqual(
    senders([10, 10], [1000, 1000]).map(({ what, a: ofA, b: ofB }) => [what, ofA, ofB]),
    [['workload (sendersPerRoom)', '10', '1000']],
  );
  assert.deepEqual(senders([10, 40], [1000, 1000]), []);
});

test('the box of a variant that only one run has is no difference', () => {
  const b = run({}, { ...box, serverCpus: 1 });
  b.record.variants = [variantFixture('05-backplane', { targetLimits: { serverCpus: 9 } })];
  assert.deepEqual(differing(b), []);
});
