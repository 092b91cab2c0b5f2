/** The model of mailboxes, with a real Redis. */
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { findRedis, noRedis } from '../../testing/redis.ts';
import { RedisStore } from '../redis/store.ts';
import { checkMailboxModel } from './mailbox-model.fixture.ts';
import { RedisMailbox } from './redis-mailbox.ts';

const startRedis = await findRedis();
const redis = await startRedis?.();
after(() => redis?.[Symbol.asyncDispose]());

test(
  'whatever was acknowledged is received once, in order, by every device',
  {
    skip: startRedis ? false : noRedis,
  },
  () =>
    checkMailboxModel(
      (limits, nowMs) => {
        const store = new RedisStore({ url: redis!.url });
        return new RedisMailbox({
          ...limits,
          store,
          channel: `test:${randomUUID()}`,
          isCluster: false,
          nowMs,
        });
      },
      60,
      15_000,
    ),
);
