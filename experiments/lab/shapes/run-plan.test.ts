import assert from 'node:assert/strict';
import { test } from 'node:test';
import { registry } from '../../registry.ts';
import { listStages, type StageInfo } from '../deployment/list-stages.ts';
import type { ServicesFound } from '../deployment/services/services.ts';
import type { LoadRunRecord } from '../records/schema.ts';
import { findByShortName, type RunOptions, skipMissing } from './run-plan.ts';
import type { Plan } from './shape.ts';

const find = (name: string) => findByShortName(registry.experiments, name)!;
const stage = (name: string, count: 'one' | 'one per core' | 'any number', other: object = {}) =>
  ({
    name,
    summary: name,
    processes: [{ role: 'server', count }],
    services: [],
    limits: {},
    ...other,
  }) as unknown as StageInfo;
const stages = [
  stage('01-naive', 'one'),
  stage('03-cursor', 'one', { limits: { segmentsBehindMax: 32 } }),
  stage('04-cores', 'one per core'),
  stage('05-backplane', 'any number', { services: ['redis'] }),
];
const nothing: RunOptions = { target: 'process', stages: [], workload: {}, settings: {}, allocation: {} };
const noRedis: ServicesFound = new Map([['redis', { found: false, ways: ['Install it.'] }]]);
const redis: ServicesFound = new Map([['redis', { found: true, source: 'PATH' }]]);

function plan(name: string, options: Partial<RunOptions> = {}): Plan {
  const experiment = find(name);
  return experiment.shape.plan(experiment, stages, { ...nothing, ...options });
}

const methodOf = ({ fields }: Plan) => (fields as LoadRunRecord).method;
const namesOf = ({ variants }: Pick<Plan, 'variants'>) => variants.map(({ name }) => name);

test('a stage whose service is missing is skipped by name, with the ways to get it', () => {
  const { variants } = plan('ladder');
  const { runnable, skipped } = skipMissing(variants, noRedis);
  assert.deepEqual(namesOf({ variants: runnable }), ['01-naive', '03-cursor', '04-cores']);
  assert.deepEqual(skipped, [
    { name: '05-backplane', reason: 'it needs redis, and none was found', ways: ['Install it.'] },
  ]);
  assert.deepEqual(skipMissing(variants, redis).skipped, []);
});

test('a variant behind a balancer is skipped by name where there is none, and others are not', () => {
  const [alone] = plan('7').variants;
  const balanced = { ...alone!, name: 'balanced', balancer: true };
  const ways = ['Install haproxy.'];
  const without = new Map([...redis, ['haproxy', { found: false as const, ways }] as const]);
  const { runnable, skipped } = skipMissing([alone!, balanced], without);
  assert.deepEqual(runnable, [alone]);
  assert.deepEqual(skipped, [{ name: 'balanced', reason: 'it needs haproxy, and none was found', ways }]);
  const proxied = new Map([...redis, ['haproxy', { found: true as const, source: 'PATH' }] as const]);
  assert.deepEqual(skipMissing([balanced], proxied).runnable, [balanced]);
});

test('stages are chosen by number, word or name, and settings reach every variant', () => {
  const { variants } = plan('ladder', { stages: ['3', 'naive'], settings: { 'segment-size': '64KiB' } });
  assert.deepEqual(namesOf({ variants }), ['01-naive', '03-cursor']);
  assert.ok(variants.every(({ settings }) => settings['segment-size'] === '64KiB'));
});

test('--trials bounds a capacity search, --precision ends it; for fixed loads trials are repetitions', () => {
  const method = methodOf(plan('ladder', { trials: 5, precision: 0.05 }));
  assert.deepEqual(method.kind === 'capacity' && [method.trialsMax, method.precision], [5, 0.05]);
  const fixed = methodOf(plan('2', { trials: 5 }));
  assert.equal(fixed.kind === 'fixed' && fixed.repetitions, 5);
});

test('--quick asks the two ends of the stages of one process, by a short search; what is named stays', () => {
  const quick = plan('ladder', { quick: true });
  assert.deepEqual(namesOf(quick), ['01-naive', '03-cursor']);
  const method = methodOf(quick);
  assert.deepEqual(method.kind === 'capacity' && [method.trialsMax, method.precision], [6, 0.3]);
  assert.equal((quick.fields as LoadRunRecord).timing.measureSeconds, 1.2);
  const named = plan('ladder', { quick: true, stages: ['4'], trials: 3, workload: { durationSeconds: 9 } });
  assert.deepEqual(namesOf(named), ['04-cores']);
  const bounds = methodOf(named);
  assert.deepEqual(bounds.kind === 'capacity' && [bounds.trialsMax, bounds.precision], [3, 0.3]);
  assert.equal((named.fields as LoadRunRecord).timing.measureSeconds, 9);
  // No stage of this experiment is one process.
  assert.deepEqual(namesOf(plan('7', { quick: true })), namesOf(plan('7')));
  assert.throws(() => plan('ladder', { quick: true, loads: [70] }), /Leave out --quick: .*given --loads/);
});

test('--loads tries exactly these loads, in a run of the fixed-load shape', () => {
  const planned = plan('ladder', { loads: [70, 80], trials: 2 });
  const method = { kind: 'fixed', loads: [70, 80], repetitions: 2, emphasis: 'held' };
  assert.deepEqual(methodOf(planned), method);
  assert.equal(planned.shape, 'fixed-load');
});

test('all mistakes of the input are named at once, with the requirement and the given value', () => {
  const options = { stages: ['nine'], allocation: { serverCpus: 0.25 }, workload: { ratePerSecond: 5 } };
  assert.throws(
    () => plan('ladder', options),
    (error: Error) =>
      /required one of 01-naive, .*given nine/.test(error.message) &&
      /required --target container/.test(error.message) &&
      /Leave out --rate: 001-ladder varies it itself/.test(error.message),
  );
});

test('a CPU quota that the kernel would refuse is named before anything starts', () => {
  const asking = (allocation: object) => () => plan('ladder', { target: 'container', allocation });
  assert.doesNotThrow(asking({ serverCpus: 0.1, cpuPeriodMs: 10 }));
  assert.throws(asking({ serverCpus: 0.05 }), /given 0\.05 cores in periods of 10 ms/);
  assert.throws(asking({ cpuPeriodMs: 2000 }), /required up to 1000, .* in periods of 2000 ms/);
  const wrongTwice = { target: 'container' as const, stages: ['nine'], allocation: { serverCpus: 0.05 } };
  assert.throws(() => plan('ladder', wrongTwice), /given nine[\s\S]*given 0\.05 cores/);
});

test('a quantity of the workload that the experiment leaves open reaches its trials', () => {
  const { fields } = plan('ladder', { workload: { churnPerSecond: 20, warmUpSeconds: 7 } });
  const { workload, timing } = fields as LoadRunRecord;
  assert.equal(workload.churnPerSecond, 20);
  assert.deepEqual([timing.warmUpSeconds, timing.measureSeconds], [7, 2]);
});

test('experiments choose stages by their declarations, not by their names', () => {
  const renamed = stages.map((one) => ({ ...one, name: one.name.replace(/\D+$/, '-renamed') }));
  const variantsOf = (name: string) => find(name).shape.plan(find(name), renamed, nothing).variants;
  const stagesOf = (name: string) => [...new Set(variantsOf(name).map(({ stage }) => stage.name))];
  assert.deepEqual(stagesOf('5'), ['01-renamed', '03-renamed']);
  assert.deepEqual(stagesOf('6'), ['03-renamed', '04-renamed']);
  assert.deepEqual(stagesOf('7'), ['05-renamed']);
  assert.deepEqual(stagesOf('8'), ['04-renamed', '05-renamed']);
  assert.deepEqual(stagesOf('18'), ['01-renamed', '03-renamed']);
  assert.deepEqual(stagesOf('19'), ['05-renamed']);
  const boxes = namesOf(plan('4')).filter((variant) => variant.endsWith(', periods of 10 ms'));
  assert.deepEqual(
    boxes.map((variant) => variant.replace(', periods of 10 ms', '')),
    ['01-naive', '03-cursor', '03-cursor, rounds of 200 ms'],
  );
  const [first, second] = namesOf(plan('8'));
  assert.deepEqual([first, second], ['worker killed (04-cores)', 'node killed (05-backplane)']);
});

test('a server of others is a stage of its own experiment only, and is chosen by its name', () => {
  const all = ['ws-broadcast', '01-naive', '03-cursor', 'bun-uwebsockets'];
  assert.deepEqual(namesOf(plan('peers')), all);
  const { variants } = plan('peers', { stages: ['uwebsockets', '3'] });
  assert.deepEqual(namesOf({ variants }), ['03-cursor', 'bun-uwebsockets']);
  assert.deepEqual(namesOf(plan('peers', { stages: ['01-naive'] })), ['01-naive']);
  assert.throws(() => plan('ladder', { stages: ['uwebsockets'] }), /Name a stage: .*given uwebsockets/);
});

test('workers and nodes have a small box each, and those of one group differ in their count alone', () => {
  const boxes = (name: string) =>
    plan(name).variants.flatMap(({ scale, nodes, settings, balancer, allocation, workload }) => {
      if (scale === undefined) return [];
      const { workers } = settings;
      return [{ ...scale, nodes, workers, balancer, cpus: allocation.serverCpus, rooms: workload?.rooms }];
    });
  const workers = boxes('6');
  assert.deepEqual(
    workers.map(({ count, workers: set }) => `${count} ${set}`),
    ['1 1', '2 2', '3 3', '4 4'],
  );
  assert.deepEqual(
    workers.map(({ cpus }) => cpus),
    [0.2, 0.4, 0.6, 0.8],
  );
  const nodes = boxes('7');
  assert.ok(nodes.every(({ count, nodes: set, cpus }) => count === set && cpus === 0.2));
  const groups = Map.groupBy(nodes, ({ group }) => group);
  const counts = [...groups].map(([name, members]) => [name, members.length > 1, members[0]!.balancer]);
  assert.deepEqual(counts, [
    ['05-backplane, one room', true, false],
    ['05-backplane, one room, through HAProxy', true, true],
    ['05-backplane, 50 rooms', true, false],
    ['05-backplane, 50 rooms, through HAProxy', true, true],
  ]);
});

test('every experiment can be planned with all stages: its own time is enough for its searches', async () => {
  const all = await listStages();
  for (const experiment of registry.experiments) {
    const target = experiment.target ?? 'process';
    const { variants } = experiment.shape.plan(experiment, all, { ...nothing, target });
    assert.ok(variants.length > 0, experiment.name);
  }
});

test('an experiment is found by full name, number or word, and by nothing else', () => {
  for (const name of ['001-ladder', '001', '1', 'ladder']) assert.equal(find(name), registry.experiments[0]);
  for (const name of ['', 'lad', '00', '999'])
    assert.equal(findByShortName(registry.experiments, name), undefined);
});
