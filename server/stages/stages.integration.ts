/** Tests every stage of the table against the contract. */
import { after, test } from 'node:test';
import { redisProvider } from '../../testing/redis.ts';
import { stages } from './index.ts';
import { stageContract } from './stage.contract.ts';

for (const stage of stages.filter(({ services }) => services.length === 0)) stageContract(stage);

const onRedis = stages.filter(({ services }) => services.includes('redis'));
const redis = onRedis.length > 0 ? await redisProvider.find() : undefined;
if (redis?.found) {
  const service = await redisProvider.start(new AbortController().signal);
  after(() => service[Symbol.asyncDispose]());
  for (const stage of onRedis) stageContract(stage, ['--redis-url', service.url]);
} else if (redis) {
  for (const { name } of onRedis)
    test(name, { skip: `there is no Redis. ${redis.ways.join(' ')}` }, () => {});
}
