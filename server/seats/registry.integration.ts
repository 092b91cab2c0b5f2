/** The list of living nodes in a real Redis. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { findRedis, noRedis } from '../../testing/redis.ts';
import { RedisRegistry } from './registry.ts';

const startRedis = await findRedis();
const skip = startRedis ? false : noRedis;
const redis = await startRedis?.();
after(() => redis?.[Symbol.asyncDispose]());

function setUp(key: string) {
  const registry = new RedisRegistry({ url: redis!.url, key, answerMsMax: 1_000 });
  const client = new Redis(redis!.url);
  const close = async () => {
    registry.close();
    await client.del(key);
    client.disconnect();
  };
  return { registry, client, [Symbol.asyncDispose]: close };
}

test('each node reads the texts of all that live; one that stops renewing is gone', { skip }, async () => {
  await using setup = setUp('test:expiry');
  const { registry, client } = setup;
  assert.deepEqual(await registry.renew('a', 'text of a', 100), ['text of a']);
  assert.deepEqual((await registry.renew('b', 'text of b', 5_000)).toSorted(), ['text of a', 'text of b']);
  assert.deepEqual((await registry.renew('a', 'new\ntext', 100)).toSorted(), ['new\ntext', 'text of b']);
  const endAtMs = performance.now() + 5_000;
  while ((await registry.renew('b', 'text of b', 5_000)).length > 1) {
    assert.ok(performance.now() < endAtMs, 'a is still there');
    await sleep(10);
  }
  assert.deepEqual(await client.hkeys('test:expiry'), ['b'], 'the dead one is removed');
  await registry.remove('b');
  assert.equal(await client.exists('test:expiry'), 0);
});

test('the list of a chat that has ended expires as a whole; foreign fields are dropped', {
  skip,
}, async () => {
  await using setup = setUp('test:rest');
  const { registry, client } = setup;
  await client.hset('test:rest', 'foreign', 'no time before it');
  assert.deepEqual(await registry.renew('a', 'text', 3_000), ['text']);
  assert.deepEqual(await client.hkeys('test:rest'), ['a']);
  const leftMs = await client.pttl('test:rest');
  assert.ok(leftMs > 0 && leftMs <= 3_000, `${leftMs} ms`);
});

test('a lost connection fails the renewal under way, and a later one works', { skip }, async () => {
  await using setup = setUp('test:lost');
  const { registry, client } = setup;
  await registry.renew('a', 'text', 3_000);
  await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
  const endAtMs = performance.now() + 5_000;
  for (;;) {
    const answer = await registry.renew('a', 'text', 3_000).catch(() => undefined);
    if (answer) return assert.deepEqual(answer, ['text']);
    assert.ok(performance.now() < endAtMs, 'no renewal works');
    await sleep(10);
  }
});
