/** Tests every stage of the table against the contract. */
import { after, test } from 'node:test';
import { findRedis, noRedis } from '../../testing/redis.ts';
import { stages } from './index.ts';
import { stageContract } from './stage.contract.ts';

for (const stage of stages.filter(({ services }) => services.length === 0)) stageContract(stage);

const onRedis = stages.filter(({ services }) => services.includes('redis'));
const startRedis = await findRedis();
if (startRedis) {
  const service = await startRedis();
  after(() => service[Symbol.asyncDispose]());
  for (const stage of onRedis) stageContract(stage, ['--redis-url', service.url]);
} else {
  for (const { name } of onRedis) test(name, { skip: noRedis }, () => {});
}
