import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerFixture, loadtestFixture, trialFixture } from '../records/run.fixture.ts';
import type { ServerSummary, TrialRecord } from '../records/schema.ts';
import { boundOf, boundOfTrial } from './bottleneck.ts';

const tooSlow = ['p99 was 900 ms; the limit is p99<250ms'];

function failed(server: Partial<ServerSummary>, changes: Partial<TrialRecord> = {}): TrialRecord {
  const trial = trialFixture(1, 200, 900, { outcome: 'fail', reasons: tooSlow, ...changes });
  return { ...trial, server: { ...trial.server!, ...server } };
}

test('a busy event loop is named with its cores, and the symptom after it', () => {
  const bound = boundOfTrial(failed({ cpuCores: 0.97 }));
  assert.equal(bound.name, 'event loop');
  assert.match(bound.evidence, /0\.97 cores busy in 1 event loop.*p99 was 900 ms/);
});

test('two workers under a supervisor are saturated together, not at one core', () => {
  const cores = (cpuCores: number) => boundOfTrial(failed({ cpuCores, eventLoops: 2 })).name;
  assert.equal(cores(1.0), 'latency');
  assert.equal(cores(1.9), 'event loop');
});

test('event loops that share fewer cores than there are loops are bound by the machine', () => {
  const shared = boundOfTrial(failed({ cpuCores: 0.98, eventLoops: 2 }, { pinnedServerCores: 1 }));
  assert.equal(shared.name, 'machine');
  assert.match(shared.evidence, /0\.98 of the 1 core that its 2 event loops share were busy at 200/);
  const own = boundOfTrial(failed({ cpuCores: 1.9, eventLoops: 2 }, { pinnedServerCores: 2 }));
  assert.equal(own.name, 'event loop');
  assert.match(own.evidence, /1\.90 cores busy in 2 event loops/);
});

test('a CPU quota is named before the event loop that it throttles', () => {
  const bound = boundOfTrial(failed({ cpuCores: 0.25, throttledShare: 0.4 }));
  assert.deepEqual([bound.name, bound.evidence.includes('40 %')], ['CPU quota', true]);
});

test('server and simulator that use all cores together are bound by the machine', () => {
  const loadtest = loadtestFixture(200, 900);
  loadtest.instrument.cpuSeconds = 3.4 * loadtest.workload.durationSeconds;
  const bound = boundOfTrial(failed({ cpuCores: 0.5 }, { loadtest }));
  assert.equal(bound.name, 'machine');
  assert.match(bound.evidence, /3\.90 of 4 cores/);
});

test('memory is named near its limit and when the kernel or the heap killed for it', () => {
  const observedLimits = [{ cpuCores: null, memoryBytes: 8.2e7 }];
  assert.equal(boundOfTrial(failed({}, { observedLimits })).name, 'memory');
  assert.equal(
    boundOfTrial(failed({}, { fault: 'node-1 killed for its memory', faultKind: 'memory' })).name,
    'memory',
  );
  assert.equal(
    boundOfTrial(failed({}, { fault: 'node-1 exited with code 134', faultKind: 'memory' })).name,
    'memory',
  );
  assert.equal(
    boundOfTrial(failed({}, { fault: 'node-1 exited with code 1', faultKind: 'exit' })).name,
    'crash',
  );
});

test('with no resource used up, the symptom itself is the answer', () => {
  const withResult = (changes: Parameters<typeof loadtestFixture>[2]) =>
    boundOfTrial(failed({}, { loadtest: loadtestFixture(200, 900, changes) })).name;
  const { connections, audit } = loadtestFixture(200, 900);
  assert.equal(withResult({ connections: { ...connections, refused: { '503': 7 } } }), 'refused connections');
  assert.equal(withResult({ audit: { ...audit, lost: 3 } }), 'loss');
  assert.equal(withResult({}), 'latency');
  assert.equal(
    withResult({ limits: [{ expression: 'closed=0', held: false, observed: 2 }] }),
    'another limit',
  );
});

test('the bound is read from the failure nearest to the capacity, or from the void trial that ended the search', () => {
  const trials = [
    failed({ cpuCores: 0.99 }, { number: 1, load: 120 }),
    failed({}, { number: 2, load: 900 }),
    failed({}, { number: 3, load: 200, outcome: 'void', reasons: ['the simulator sent late'] }),
  ];
  assert.equal(boundOf(answerFixture(100), trials).name, 'event loop');
  assert.deepEqual(boundOf(answerFixture(100, 'instrument'), trials), {
    name: 'instrument',
    evidence: 'the simulator sent late',
  });
  assert.equal(boundOf(answerFixture(100, 'load-max'), []).name, 'nothing');
});
