import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StageInfo } from '../deployment/list-stages.ts';
import { costRun, type Measured, trueCost } from './cost.fixture.ts';
import { costOf, extrapolations, type Prices } from './cost.ts';
import { type CostModel, costModelOf, framesPerWrite } from './cost-model.ts';
import { parseGoal } from './goal.ts';

const stageOf = (count: StageInfo['processes'][number]['count'], sessionsMax: number | null): StageInfo => ({
  name: '03-cursor',
  summary: '',
  processes: [{ role: 'server', count }],
  services: [],
  limits: { sessionsMax },
  order: 'one for all',
  delivery: 'at most once',
});
const prices: Prices = {
  note: '',
  asOf: '',
  currency: 'USD',
  coreHour: 0.04,
  gibibyteHour: 0.005,
  egressGigabyte: 0.1,
};
const goal = (text: string) => parseGoal(text);
const near = (actual: number, expected: number, message: string) =>
  assert.ok(
    Math.abs(actual - expected) <= 0.001 * Math.abs(expected),
    `${message}: ${actual}, not ${expected}`,
  );

/** A busy room, a quiet one, and many small rooms: all that can be told apart is. */
const busy: Partial<Measured>[] = [
  { messages: 20 },
  { messages: 100 },
  { messages: 4000, framesPerWrite: 60 },
  { messages: 8000, framesPerWrite: 150 },
  { messages: 9000, framesPerWrite: 170, outcome: 'fail' },
];
const small: Partial<Measured>[] = [
  { messages: 5000, rooms: 100, framesPerWrite: 1 },
  { messages: 9000, rooms: 100, framesPerWrite: 1.5 },
  { messages: 12_000, rooms: 100, outcome: 'fail' },
];
const known = costModelOf([costRun('03-cursor', [busy, small])], '03-cursor')!;

test('the costs of being up, of a message, a write and a byte come out of trials with different rooms', () => {
  near(known.upCores, trueCost.up, 'up');
  near(known.entrySeconds, trueCost.entry, 'entry');
  near(known.writeSeconds, trueCost.write, 'write');
  near(known.byteSeconds, trueCost.byte, 'byte');
  assert.deepEqual(known.inseparable, []);
});

test('with rooms of one size, bytes cannot be told from messages: they are in the cost of a message', () => {
  const model = costModelOf([costRun('03-cursor', [busy])], '03-cursor')!;
  assert.deepEqual(model.inseparable, ['byte']);
  near(model.entrySeconds, trueCost.entry + 132_000 * trueCost.byte, 'entry');
  near(model.writeSeconds, trueCost.write, 'write');
});

test('where every delivery is a write, its cost is not taken for that of a message', () => {
  const single = [
    { messages: 20 },
    { messages: 70 },
    { messages: 90 },
    { messages: 110, outcome: 'fail' as const },
  ];
  const model = costModelOf([costRun('01-naive', [single])], '01-naive')!;
  assert.deepEqual(model.inseparable, ['entry', 'byte']);
  near(model.writeSeconds, trueCost.write + 132 * trueCost.byte + trueCost.entry / 1000, 'write');
});

test('processes that each read every message pay the entry once each', () => {
  const nodes = [1, 2, 4].map((processes) => [
    { messages: 8000, processes, framesPerWrite: 150 },
    { messages: 500, processes },
    { messages: 9000, processes, outcome: 'fail' as const },
  ]);
  const model = costModelOf([costRun('05', [...nodes, small])], '05')!;
  near(model.entrySeconds, trueCost.entry, 'entry');
});

test('a room quieter than all measured ones has a write for each frame; a busier one shares as measured', () => {
  assert.equal(framesPerWrite(known, 1), 1);
  near(framesPerWrite(known, 5000), 60, 'frames per write');
  near(framesPerWrite(known, 1e6), 150, 'frames per write');
});

test('a result without the number of writes is read at its quietest trial', () => {
  const uncounted = [busy, small].map((trials) => trials.map((trial) => ({ ...trial, counted: false })));
  const model = costModelOf([costRun('03-cursor', uncounted)], '03-cursor')!;
  assert.equal(model.writesKnown, false);
  assert.deepEqual(
    model.samples.map(({ messages, rooms }) => [messages, rooms]),
    [[20, 1]],
  );
  near(
    model.writeSeconds,
    trueCost.write + 132 * trueCost.byte + trueCost.entry / 1000 + trueCost.up / 20_000,
    'delivery',
  );
});

test('a stage of which no trial passed has no model', () => {
  assert.equal(costModelOf([costRun('03-cursor', [[{ outcome: 'fail' }]])], '03-cursor'), null);
  assert.equal(costModelOf([costRun('03-cursor', [busy])], '05'), null);
});

/** A model whose figures are easy to follow by hand. */
const simple: CostModel = {
  ...known,
  ...{ upCores: 0.01, entrySeconds: 10e-6, writeSeconds: 5e-6, byteSeconds: 0, serviceSeconds: 1e-6 },
  ...{ safeShare: 0.8, idleBytes: 50e6, sessionBytes: 10e3 },
};

test('a goal is turned into rates, and these into processes, cores, memory, egress and money', () => {
  const cost = costOf(
    goal('100k sessions, 2 messages/s per room of 50'),
    stageOf('any number', 15_000),
    simple,
    prices,
  );
  assert.equal(cost.demand.messages, 4000);
  assert.equal(cost.demand.writes, 200_000);
  // 1 core of writes ÷ (0.8 − 0.04 of reading − 0.01 of being up) is 2 nodes; for the sessions it is 7.
  assert.equal(cost.processes, 7);
  near(cost.cores, (7 * 0.05 + 1) / 0.8, 'cores');
  near(cost.serviceCores, 7 * 0.004, 'cores of services');
  near(cost.memoryBytes, 7 * 50e6 + 1e9, 'memory');
  near(cost.egressBytesPerSecond, 200_000 * 132, 'egress');
  near(cost.money!.cores, (1.6875 + 0.028) * 730 * 0.04, 'money of cores');
  near(cost.money!.egress, 0.0264 * 730 * 3600 * 0.1, 'money of egress');
  const unbounded = costOf(
    goal('100k sessions, 2 messages/s per room of 50'),
    stageOf('any number', null),
    simple,
    prices,
  );
  assert.equal(unbounded.processes, 2);
});

test('messages per session are those of all its room; rooms left out are as measured', () => {
  const stage = stageOf('any number', null);
  const { demand } = costOf(
    goal('100k sessions, 2 messages/s per session in rooms of 50'),
    stage,
    simple,
    prices,
  );
  assert.equal(demand.messagesPerRoom, 100);
  assert.equal(demand.messages, 200_000);
  const open = costOf(goal('100k sessions, 2 messages/s per session'), stage, simple, prices);
  assert.equal(open.demand.roomSize, 1000);
});

test('a stage of one process cannot meet what takes more than a core, or more sessions than it admits', () => {
  const single = stageOf('one', 15_000);
  const cost = costOf(goal('10k sessions, 10 messages/s per room of 50'), single, simple, prices);
  // 2,000 messages/s × 10 µs and 100,000 writes/s × 5 µs, at 80 %.
  near(cost.cores, 0.53 / 0.8, 'cores');
  assert.equal(cost.unmet, null);
  const twice = costOf(goal('10k sessions, 20 messages/s per room of 50'), single, simple, prices);
  assert.equal(twice.unmet?.cause, 'one process');
  assert.equal(twice.money, null);
  const many = costOf(goal('16k sessions, 1 message/s per room of 50'), single, simple, prices);
  assert.equal(many.unmet?.cause, 'one process');
});

test('no number of nodes meets more messages than one node can read', () => {
  const cost = costOf(
    goal('1M sessions, 10 messages/s per room of 100'),
    stageOf('any number', null),
    simple,
    prices,
  );
  assert.deepEqual(cost.unmet, { cause: 'entry', coresNeeded: 1.01 });
  assert.equal(cost.processes, 1);
});

test('what lies outside the measured rooms, payloads, sessions and processes is named; what lies inside is not', () => {
  const stage = stageOf('any number', null);
  const named = (text: string) =>
    extrapolations(costOf(goal(text), stage, { ...known, safeShare: 1 }, prices)).map(({ what }) => what);
  assert.deepEqual(named('1000 sessions, 150 messages/s per room of 100'), []);
  assert.deepEqual(named('1M sessions, 0.2 messages/s per room of 5, 1024 B'), [
    'clients in each room',
    'messages/s in each room',
    'B of payload',
    'sessions in each process',
    'rooms in each process',
    'processes',
  ]);
});
