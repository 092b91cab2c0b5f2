import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  checkWorkload,
  defaultWorkload,
  quantities,
  readWorkload,
  type Workload,
  withThinkTimes,
  workloadArguments,
  workloadEnvironment,
} from './workload.ts';

const part: Partial<Workload> = {
  urls: ['ws://a/ws', 'ws://b:1/ws'],
  clients: 7,
  ratePerSecond: 0.5,
  warmUpSeconds: 0.25,
  arrival: 'poisson',
  sendersPerRoom: undefined,
  sourceAddresses: [],
};

test('a part of a workload is written as arguments and as variables, and nothing else is', () => {
  assert.deepEqual(workloadArguments(part), [
    ...['--url', 'ws://a/ws', '--url', 'ws://b:1/ws', '--clients', '7', '--rate', '0.5/s'],
    ...['--warm-up', '250ms', '--arrival', 'poisson'],
  ]);
  assert.deepEqual(workloadEnvironment(part), {
    LOADTEST_URL: 'ws://a/ws ws://b:1/ws',
    LOADTEST_CLIENTS: '7',
    LOADTEST_RATE: '0.5/s',
    LOADTEST_WARM_UP: '250ms',
    LOADTEST_ARRIVAL: 'poisson',
  });
});

test('every quantity reads back the text that it writes', () => {
  const set = {
    ...{ workers: 2, sendersPerRoom: 3, sourceAddresses: ['127.0.0.2'], resume: true, stormShare: 0.125 },
    ...{ thinkSeconds: [0.5, 30], connectUrls: ['http://a:1', 'http://b:2'] },
  };
  const asked: Workload = { ...defaultWorkload, ...set };
  for (const [name, { flag, read, write }] of quantities()) {
    const problems: string[] = [];
    assert.deepEqual(read(write(asked[name]), problems), asked[name], flag);
    assert.deepEqual(problems, []);
  }
});

test('only what is given is read, and each mistake names its flag', () => {
  const { workload, problems } = readWorkload({ churn: '5/s', rooms: 'many', warmUp: '1500ms' });
  assert.equal(workload.churnPerSecond, 5);
  assert.equal(workload.warmUpSeconds, 1.5);
  assert.equal('clients' in workload, false);
  assert.deepEqual(problems, ['--rooms must be a whole number from 1 to 262144; given: many']);
});

test('the default workload can be run', () => {
  assert.deepEqual(checkWorkload(defaultWorkload), []);
});

test('a switch is a flag without a value, and a variable with one', () => {
  assert.deepEqual(workloadArguments({ resume: true, clients: 3 }), ['--clients', '3', '--resume']);
  assert.deepEqual(workloadArguments({ resume: false, thinkSeconds: [] }), []);
  assert.deepEqual(workloadEnvironment({ resume: true }), { LOADTEST_RESUME: '1' });
});

test('a storm needs users that come back, before the end of the measure phase', () => {
  const storm = { ...defaultWorkload, stormShare: 0.5, stormAtSeconds: 10 };
  assert.deepEqual(checkWorkload(storm), [
    '--storm needs --resume or --people: its users come back',
    '--at must be before the end of the measure phase (--duration 10s); given: 10s',
  ]);
  assert.deepEqual(checkWorkload({ ...storm, resume: true, stormAtSeconds: 9 }), []);
});

test('think times make the rate, and everybody a sender', () => {
  const { ratePerSecond, sendersPerRoom } = withThinkTimes({
    ...{ ...defaultWorkload, clients: 700, rooms: 10, thinkSeconds: [5, 30] },
  });
  assert.equal(ratePerSecond, 40);
  assert.equal(sendersPerRoom, 70);
});
