/** Senders that together bring more than the backplane carries are slowed down; nobody is closed for it. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { RawPeer, textFrame } from '#host/raw-peer.ts';
import { encodeMessage } from '#protocol';
import { Person } from '../../testing/person.ts';
import { findRedis, noRedis } from '../../testing/redis.ts';
import { ServerProcess } from '../../testing/server.ts';
import { stages } from '../stages/index.ts';
import { isPerCore } from '../stages/stage.ts';

const senders = 40;
/** Each sender's whole burst: 32 MB of all together, four times what may wait for a backplane. */
const burst = 200;
const message = textFrame(encodeMessage({ clientId: 'm', Message: 'x'.repeat(4000) }));
const bytes = Buffer.concat(Array<Buffer>(burst).fill(message));

const startRedis = await findRedis();
const redis = startRedis && (await startRedis());
after(() => redis?.[Symbol.asyncDispose]());

/** Each brings 32 MB: more of them at once would wait for a core, and not for the backplane. */
const atOnce = 2;

describe('more than the backplane carries', { concurrency: atOnce }, () => {
  for (const stage of stages) {
    const needsRedis = stage.services.includes('redis');
    if (!needsRedis && !isPerCore(stage)) continue;
    const skip = needsRedis && !redis ? noRedis : false;
    test(`${stage.name}: every message of ${senders} bursts is carried, and others hear each other meanwhile`, {
      skip,
    }, async () => {
      // A held peer's pong is not read: it must not count as dead, nor its half message as unfinished.
      const args = '--heartbeat-interval 400ms --message-timeout 400ms --workers 2'.split(' ');
      const service = needsRedis ? ['--redis-url', redis!.url, '--redis-namespace', stage.name] : [];
      await using server = await ServerProcess.start(stage.name, [...args, ...service]);
      const people = await Person.joinAll(server.url('tea'), ['alice', 'bob']);
      const joins = Array.from({ length: senders }, (_, at) => RawPeer.join(server.url(`own-${at}`)));
      const peers = await Promise.all(joins);
      let said = 0;
      const timer = setInterval(() => people[0]!.say(`${said++}`), 20);
      try {
        for (const peer of peers) peer.write(bytes);
        const received = await server.eventually(
          (metrics) => metrics('chat_messages_received_total') - said,
          (count) => count >= senders * burst - 10,
        );
        clearInterval(timer);
        assert.ok(received <= senders * burst + 10, `${received}`);
        for (const person of people) await person.hears(said);
        const metrics = await server.metrics();
        assert.ok(metrics('chat_sender_pauses_total') > 0, 'senders were held');
        for (const code of [1008, 1012, 1013, 'other'])
          assert.equal(metrics(`chat_closes_total{code="${code}"}`), 0, `${code}`);
        for (const person of people) assert.equal(person.ws.readyState, 1);
      } finally {
        clearInterval(timer);
        for (const peer of peers) peer.destroy();
      }
    });
  }
});
