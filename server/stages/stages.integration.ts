/** Holds every stage of the table to the contract. */
import { after, test } from 'node:test';
import { redisProvider } from '../../testing/redis.ts';
import { stages } from './index.ts';
import { stageContract } from './stage.contract.ts';

for (const stage of stages.filter(({ needs }) => needs.length === 0)) stageContract(stage);

const needy = stages.filter(({ needs }) => needs.includes('redis'));
const redis = needy.length > 0 ? await redisProvider.find() : undefined;
if (redis?.found) {
  const service = await redisProvider.start(new AbortController().signal);
  after(() => service[Symbol.asyncDispose]());
  for (const stage of needy) stageContract(stage, ['--redis-url', service.url]);
} else if (redis) {
  for (const { name } of needy) test(name, { skip: `there is no Redis. ${redis.ways.join(' ')}` }, () => {});
}
