import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerFixture, loadtestFixture, trialFixture } from '../records/run.fixture.ts';
import type { Bound, ServerSummary, TrialRecord } from '../records/schema.ts';
import { boundOf } from './bottleneck.ts';

const tooSlow = ['p99 was 900 ms; the limit is p99<250ms'];

type Changes = Omit<Partial<TrialRecord>, 'server'> & { server?: Partial<ServerSummary> };

function trial(outcome: 'pass' | 'fail', changes: Changes): TrialRecord {
  const { server, ...others } = changes;
  const failed = outcome === 'fail' ? { outcome, reasons: tooSlow } : {};
  const made = trialFixture(1, 100, outcome === 'fail' ? 900 : 20, { ...failed, ...others });
  return { ...made, server: { ...made.server!, ...server } };
}

/** The bound of a variant of capacity 100, one trial for each change: some failed, others passed. */
function bound(failed: readonly Changes[], passed: readonly Changes[]): Bound {
  const trials = [
    ...failed.map((changes, index) => trial('fail', { load: 104 + index, ...changes })),
    ...passed.map((changes, index) => trial('pass', { load: 96 - index, ...changes })),
  ];
  return boundOf(answerFixture(100), trials);
}

const using = (servers: Partial<ServerSummary>[]): Changes[] => servers.map((server) => ({ server }));

test('an event loop that is busier in failed trials than in passed ones is named, with the figures', () => {
  const busy = using([0.99, 0.98, 1].map((eventLoopUtilization) => ({ eventLoopUtilization })));
  const less = using([0.7, 0.75, 0.99].map((eventLoopUtilization) => ({ eventLoopUtilization })));
  assert.deepEqual(bound(busy, less), {
    name: 'event loop',
    evidence:
      'event loop 99 % against 75 % (3 failed and 3 passed trials near the capacity; ' +
      'a failed one used more in 83 % of the pairs); p99 was 900 ms; the limit is p99<250ms',
  });
});

test('a resource that is as busy in trials that pass is not named, and neither is one with room', () => {
  const alike = using([1, 0.99, 1].map((eventLoopUtilization) => ({ eventLoopUtilization, gcShare: 0.02 })));
  const { name, evidence } = bound(alike, alike);
  assert.equal(name, 'not known');
  assert.match(evidence, /^3 failed against 3 passed/);
  assert.match(evidence, /near its end in trials that passed too: event loop 100 % against 100 %;/);
  assert.match(evidence, /not near its end: garbage collection 2 % against 2 %/);
  assert.match(evidence, /p99 was 900 ms/);
});

test('a server that does not count its loop’s time is judged by its CPU, over all loops together', () => {
  const cores = (cpuCores: number) => using(Array(2).fill({ cpuCores, eventLoops: 2 }));
  assert.equal(bound(cores(1.9), cores(1.3)).name, 'event loop');
  assert.equal(bound(cores(1), cores(0.5)).name, 'not known');
});

test('one trial of a kind is only a hint', () => {
  const busy = using([{ eventLoopUtilization: 1 }, { eventLoopUtilization: 0.99 }]);
  const less = using([{ eventLoopUtilization: 0.5 }, { eventLoopUtilization: 0.6 }]);
  for (const { name, evidence } of [
    bound(busy, less.slice(1)),
    bound(busy.slice(1), less),
    bound(busy, []),
  ]) {
    assert.equal(name, 'not known');
    assert.match(evidence, /only a hint, because the trials are too few: event loop \d+ %/);
  }
});

test('trials far from the capacity say nothing about it', () => {
  const busy = using([{ eventLoopUtilization: 0.99 }, { eventLoopUtilization: 0.98 }]);
  const idle = { server: { eventLoopUtilization: 0.1 }, load: 20 };
  const alike = using([{ eventLoopUtilization: 0.99 }, { eventLoopUtilization: 0.98 }]);
  assert.match(bound(busy, [...alike, idle, idle, idle, idle]).evidence, /event loop 98 % against 98 %/);
});

test('a quota is named before the event loop that it holds back, by throttling or by its use', () => {
  const observedLimits = [{ cpuCores: 0.5, memoryBytes: null }];
  const with_ = (throttledShare: number, cpuCores: number, eventLoopUtilization: number) =>
    Array(2).fill({ observedLimits, server: { throttledShare, cpuCores, eventLoopUtilization } });
  const held = bound(with_(0.4, 0.5, 1), with_(0.01, 0.4, 0.8));
  assert.equal(held.name, 'CPU quota');
  assert.match(held.evidence, /^time held back by the quota 40 % against 1 %/);
  const used = bound(with_(0.01, 0.495, 1), with_(0.01, 0.4, 0.8));
  assert.equal(used.name, 'CPU quota');
  assert.match(used.evidence, /^CPU quota 99 % against 80 %/);
  // A whole core is what one event loop can use: its quota holds nothing back.
  const whole = [{ cpuCores: 1, memoryBytes: null }];
  const loop = (cpuCores: number) => Array(2).fill({ observedLimits: whole, server: { cpuCores } });
  assert.equal(bound(loop(0.99), loop(0.7)).name, 'event loop');
});

test('event loops that share fewer cores than there are loops are bound by the machine', () => {
  const shared = (pinnedServerCores: number, cpuCores: number) =>
    Array(2).fill({ pinnedServerCores, server: { cpuCores, eventLoops: 2 } });
  const { name, evidence } = bound(shared(1, 0.98), shared(1, 0.7));
  assert.deepEqual(
    [name, evidence.split(' (')[0]],
    ['machine', 'the cores that the event loops share 98 % against 70 %'],
  );
  assert.equal(bound(shared(2, 1.9), shared(2, 1.4)).name, 'event loop');
});

test('server, services, simulator and others that use all cores together are bound by the machine', () => {
  const cores = (simulatorCores: number) => {
    const loadtest = loadtestFixture(100, 900);
    loadtest.instrument.cpuSeconds = simulatorCores * loadtest.workload.durationSeconds;
    const server = { cpuCores: 0.5, serviceCpuCores: 0.2, otherCpuCores: 0.1, labCpuCores: 0 };
    return Array(2).fill({ loadtest, server });
  };
  const { name, evidence } = bound(cores(3.1), cores(1.2));
  assert.equal(name, 'machine');
  assert.match(evidence, /^all cores of the machine 98 % against 50 %/);
});

test('Redis is named by its one core, and garbage collection by its share of the time', () => {
  const redis = (core: number) => {
    const series = { name: 'redis', role: 'redis' as const, rssBytes: [], throttledShare: [] };
    return Array(2).fill({ nodes: [{ ...series, atSeconds: [-1, 1, 2], cpuCores: [0, core, core] }] });
  };
  assert.equal(bound(redis(0.97), redis(0.6)).name, 'Redis');
  const collecting = (gcShare: number) => Array(2).fill({ server: { gcShare, eventLoopUtilization: 1 } });
  assert.equal(bound(collecting(0.3), collecting(0.02)).name, 'garbage collection');
});

test('memory near its limit needs a contrast, and a node killed for it or crashed does not', () => {
  const observedLimits = [{ cpuCores: null, memoryBytes: 8.2e7 }];
  const full = Array(2).fill({ observedLimits });
  const passed = Array(2).fill({ observedLimits, server: { rssMaxBytes: 3e7 } });
  assert.equal(bound(full, passed).name, 'memory');
  assert.equal(bound(full, full).name, 'not known');
  const killed = bound([{ fault: 'node-1 killed for its memory', faultKind: 'memory' }], []);
  assert.deepEqual([killed.name, killed.evidence], ['memory', `node-1 killed for its memory; ${tooSlow[0]}`]);
  const crashed = bound([{ fault: 'node-1 exited with code 1', faultKind: 'exit' }], full);
  assert.equal(crashed.name, 'crash');
});

test('with no resource named, refused connections, loss and other limits are the answer', () => {
  const withResult = (changes: Parameters<typeof loadtestFixture>[2]) =>
    bound([{ loadtest: loadtestFixture(104, 900, changes) }], []).name;
  const { connections, audit } = loadtestFixture(100, 900);
  assert.equal(withResult({ connections: { ...connections, refused: { '503': 7 } } }), 'refused connections');
  assert.equal(withResult({ audit: { ...audit, lost: 3 } }), 'loss');
  assert.equal(withResult({}), 'not known');
  const broken = (expression: string) => withResult({ limits: [{ expression, held: false, observed: 2 }] });
  assert.equal(broken('growth<50ms'), 'not known');
  assert.equal(broken('closed=0'), 'another limit');
});

test('a search that the instrument ended is bound by it, and one without a failure by nothing', () => {
  const trials = [
    trial('fail', { load: 110, server: { eventLoopUtilization: 1 } }),
    { ...trial('fail', { load: 105 }), outcome: 'void' as const, reasons: ['the simulator sent late'] },
  ];
  assert.deepEqual(boundOf(answerFixture(100, 'instrument'), trials), {
    name: 'instrument',
    evidence: 'the simulator sent late',
  });
  const highest = boundOf(answerFixture(100, 'load-max'), [trial('pass', { load: 90 }), trial('pass', {})]);
  assert.deepEqual(highest, { name: 'nothing', evidence: 'the highest load tried, 100, passed' });
});
