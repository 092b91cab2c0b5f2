import { randomUUID } from 'node:crypto';
import { after } from 'node:test';
import { redisProvider } from '../../testing/redis.ts';
import { backplaneContract } from './backplane.contract.ts';
import { RedisPubSubBackplane } from './redis-pub-sub.ts';

const found = await redisProvider.find();
if (!found.found) {
  console.log(`skipped: the Redis backplane. ${found.ways.join(' ')}`);
} else {
  const service = await redisProvider.start(new AbortController().signal);
  after(() => service[Symbol.asyncDispose]());
  backplaneContract({
    name: `redis, ${service.fact}`,
    create: (count, queueBytesMax) => {
      const channel = `test:${randomUUID()}`;
      const options = { url: service.url, channel, ...(queueBytesMax && { queueBytesMax }) };
      return Array.from({ length: count }, () => new RedisPubSubBackplane(options));
    },
    oneOrderForAll: true,
    crossesProcesses: true,
  });
}
