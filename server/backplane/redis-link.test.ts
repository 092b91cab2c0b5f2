import assert from 'node:assert/strict';
import { test } from 'node:test';
import { until } from '../../testing/until.ts';
import { placeOf } from '../redis/groups.ts';
import { createBackplaneMeter } from './meter.ts';
import { RedisLink } from './redis-link.ts';

test('a link that failed and is closed leaves no timer behind, which would hold the process', async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  const timersBefore = timers();
  const link = new RedisLink({
    place: placeOf('redis://127.0.0.1:1', ''),
    name: 'test',
    meter: createBackplaneMeter(),
    channel: 'test',
    secret: '',
    batchBytesMax: 1000,
    queueBytesMax: 1000,
    heartbeatIntervalMs: 50,
    silentTicksMax: 4,
    startDeadlineMs: 1000,
    closeDeadlineMs: 1000,
    prepare: async () => {},
    up: () => assert.fail('nobody listens there'),
    lost: () => assert.fail('it was never in service'),
  });
  link.open();
  await until(() => link.lastFailure.includes('ECONNREFUSED'), 'refused');
  link.close();
  await until(() => timers() <= timersBefore, 'no timer is left', 1000);
});
