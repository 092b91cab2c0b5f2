import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findExperiment } from '../../registry.ts';
import type { StageInfo } from '../deployment/stage-table.ts';
import { type Overrides, planRun, type ServicesFound } from './run-plan.ts';

const ladder = findExperiment('ladder')!;
const stages = [
  { name: '01-naive', summary: 'one', processes: [], services: [] },
  { name: '03-cursor', summary: 'three', processes: [], services: [] },
  { name: '05-backplane', summary: 'five', processes: [], services: ['redis'] },
] as unknown as StageInfo[];
const nothing: Overrides = { stages: [], settings: {}, limits: {} };
const noRedis: ServicesFound = new Map([['redis', { found: false, ways: ['Install it.'] }]]);
const redis: ServicesFound = new Map([['redis', { found: true, source: 'PATH' }]]);

test('a stage whose service is missing is skipped by name, with the ways to get it', () => {
  const plan = planRun(ladder, stages, noRedis, 'process', nothing);
  assert.deepEqual(
    plan.variants.map(({ name }) => name),
    ['01-naive', '03-cursor'],
  );
  assert.deepEqual(plan.skipped, [
    { name: '05-backplane', reason: 'it needs redis, and none was found', ways: ['Install it.'] },
  ]);
  assert.deepEqual(planRun(ladder, stages, redis, 'process', nothing).skipped, []);
});

test('stages go by number, word or name, and settings reach every variant', () => {
  const overrides = { ...nothing, stages: ['3', 'naive'], settings: { 'segment-bytes': '65536' } };
  const { variants } = planRun(ladder, stages, noRedis, 'process', overrides);
  assert.deepEqual(
    variants.map(({ stage, settings }) => [stage, settings['segment-bytes']]),
    [
      ['01-naive', '65536'],
      ['03-cursor', '65536'],
    ],
  );
});

test('--trials is confirmations for a capacity and repetitions for fixed loads', () => {
  const method = planRun(ladder, stages, noRedis, 'process', { ...nothing, trials: 5 }).method;
  assert.equal(method.kind === 'capacity' && method.confirmations, 5);
  const fixed = planRun(findExperiment('2')!, stages, noRedis, 'process', { ...nothing, trials: 5 }).method;
  assert.equal(fixed.kind === 'fixed' && fixed.repetitions, 5);
});

test('--loads tries exactly those, however the experiment would find its answer', () => {
  const overrides = { ...nothing, loads: [70, 80], trials: 2 };
  const { method } = planRun(ladder, stages, noRedis, 'process', overrides);
  assert.deepEqual(method, { kind: 'fixed', loads: [70, 80], repetitions: 2 });
});

test('all faults of the input are named at once, with what is required and what was given', () => {
  const overrides = { ...nothing, stages: ['nine'], limits: { serverCpus: 0.25 } };
  assert.throws(
    () => planRun(ladder, stages, noRedis, 'process', overrides),
    (error: Error) =>
      /required one of 01-naive, .*given nine/.test(error.message) &&
      /required --target container/.test(error.message),
  );
});

test('an experiment is found by full name, number or word, and by nothing else', () => {
  for (const name of ['001-ladder', '001', '1', 'ladder']) assert.equal(findExperiment(name), ladder);
  for (const name of ['', 'lad', '00', '999']) assert.equal(findExperiment(name), undefined);
});
