import { randomUUID } from 'node:crypto';
import { after } from 'node:test';
import { findRedis, noRedis } from '../../testing/redis.ts';
import { backplaneContract } from './backplane.contract.ts';
import { redisPubSub } from './redis-pub-sub.ts';

const startRedis = await findRedis();
if (startRedis === null) console.log(`skipped: the Redis backplane: ${noRedis}`);
else {
  const service = await startRedis();
  after(() => service[Symbol.asyncDispose]());
  backplaneContract({
    name: 'redis',
    create: (count, queueBytesMax) => {
      const channel = `test:${randomUUID()}`;
      const options = { url: service.url, channel, ...(queueBytesMax && { queueBytesMax }) };
      return Array.from({ length: count }, () => redisPubSub(options));
    },
    oneOrderForAll: true,
    crossesProcesses: true,
  });
}
