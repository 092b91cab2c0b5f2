/** Signals over real streams, beside rooms, and across the loss of all data. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, test } from 'node:test';
import { Redis } from 'ioredis';
import { findRedis, noRedis } from '../../testing/redis.ts';
import { until } from '../../testing/until.ts';
import { withSignals } from './log-signals.ts';
import { RedisStreamsBackplane } from './redis-streams.ts';
import { listenTo, signalsContract } from './signals.contract.ts';

const startRedis = await findRedis();
if (startRedis === null) console.log(`skipped: signals over streams: ${noRedis}`);
else {
  const service = await startRedis();
  after(() => service[Symbol.asyncDispose]());

  const startPair = async (channel: string = `test:${randomUUID()}`) => {
    const texts: string[] = [];
    const both = [0, 1].map(() =>
      withSignals(new RedisStreamsBackplane({ url: service.url, channel, heartbeatIntervalMs: 50 })),
    );
    for (const { rooms } of both) {
      await rooms.start({ deliver: (_, payload) => texts.push(payload.toString()), gap: () => {} });
      after(() => rooms.close());
    }
    return { channel, texts, near: both[0]!, far: both[1]! };
  };

  signalsContract('streams', async () => {
    const { near, far } = await startPair();
    return [near.signals, far.signals];
  });

  test('rooms and signals of one partition do not hear each other', async () => {
    const { near, far, texts } = await startPair();
    const { heard } = await listenTo(far.signals, '@bob');
    await new Promise((resolve) => {
      far.rooms.prepare('tea', undefined, (prepared) => {
        far.rooms.want('tea');
        resolve(prepared);
      });
    });
    near.rooms.publish('tea', Buffer.from('in the room'));
    near.signals.publish('@bob', Buffer.from('to bob'));
    await until(() => heard.length > 0 && texts.length > 0, 'heard');
    assert.deepEqual([heard, texts], [['to bob'], ['in the room']]);
  });

  test('after Redis has lost everything a gap is told, and what is published after it arrives', async () => {
    const { near, far, channel } = await startPair();
    const { heard, state } = await listenTo(far.signals, '@bob');
    near.signals.publish('@bob', Buffer.from('1'));
    await until(() => heard.length === 1, 'heard');
    const admin = new Redis(service.url);
    try {
      const keys = await admin.keys(`${channel}:*`);
      await admin.del(...keys);
      await until(() => state.gaps > 0, 'a gap');
      near.signals.publish('@bob', Buffer.from('2'));
      await until(() => heard.at(-1) === '2', 'heard again');
    } finally {
      admin.disconnect();
    }
  });
}
