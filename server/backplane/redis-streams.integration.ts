import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { findRedis, noRedis } from '../../testing/redis.ts';
import { backplaneContract } from './backplane.contract.ts';
import { createBackplaneMeter } from './meter.ts';
import { RedisStreamsBackplane } from './redis-streams.ts';

const startRedis = await findRedis();
if (startRedis === null) console.log(`skipped: the stream backplane: ${noRedis}`);
else {
  const service = await startRedis();
  after(() => service[Symbol.asyncDispose]());
  backplaneContract({
    name: 'redis streams',
    create: (count, queueBytesMax) => {
      const channel = `test:${randomUUID()}`;
      const options = { url: service.url, channel, ...(queueBytesMax && { queueBytesMax }) };
      return Array.from({ length: count }, () => new RedisStreamsBackplane(options));
    },
    oneOrderForAll: true,
    crossesProcesses: true,
    onlyWanted: true,
  });

  test('a node to which nobody says anything keeps its connections, and is ready all the time', async () => {
    const meter = createBackplaneMeter();
    const options = { url: service.url, channel: `test:${randomUUID()}`, heartbeatIntervalMs: 20 };
    const backplane = new RedisStreamsBackplane({ ...options, silentTicksMax: 2, meter });
    const admin = new Redis(service.url);
    const pings = async () =>
      Number(/^cmdstat_ping:calls=(\d+)/m.exec(await admin.info('commandstats'))?.[1] ?? 0);
    try {
      await backplane.start({ deliver: () => {}, gap: () => {} });
      // The reading connection asks at every heartbeat as well, so that these are enough heartbeats.
      const enough = (await pings()) + 20;
      while ((await pings()) < enough) {
        assert.ok(backplane.ready);
        await sleep(1);
      }
      assert.equal((await meter.reconnects.get()).values[0]!.value, 0);
    } finally {
      await backplane.close();
      admin.disconnect();
    }
  });
}
