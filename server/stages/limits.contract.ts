/** The stage contract about limits: each one has a close code or status, and a counter. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { encodeMessage } from '#protocol';
import { Person, refusedAt } from '../../testing/person.ts';
import { secretFile } from '../../testing/secret-file.ts';
import { noRate, type ServerProcess } from '../../testing/server.ts';
import { isBounded, type StageDeclaration } from './stage.ts';

export function limitsContract(
  stage: StageDeclaration,
  startServer: (...options: string[]) => Promise<ServerProcess>,
): void {
  // The control bounds nothing on purpose.
  if (!isBounded(stage)) return;
  const start = (...limits: string[]) => startServer('--workers', '1', ...limits);

  describe('limits', () => {
    test('a wrong Origin is refused with 403, an allowed one and none at all are let in', async () => {
      await using server = await start('--origins', 'https://one.example, https://two.example');
      assert.equal((await refusedAt(server.url(), { origin: 'https://evil.example' })).status, 403);
      await (await Person.join(server.url(), 'alice', { origin: 'https://two.example' })).leave();
      await (await Person.join(server.url(), 'bob')).leave();
      assert.equal((await server.metrics())('chat_rejections_total{reason="origin"}'), 1);
    });

    test('without the token a session is closed with 1008, with it, in header or query, it is let in', async () => {
      await using server = await start('--token-file', secretFile('secret'));
      for (const url of [server.url(), `${server.url()}?token=Secret`, `${server.url()}?token=secrets`]) {
        assert.equal((await (await Person.join(url, 'mallory')).closed).code, 1008);
      }
      const inQuery = await Person.join(`${server.url('tea')}?token=secret`, 'alice');
      const headers = { authorization: 'Bearer secret' };
      for (const alice of [inQuery, await Person.join(server.url('coffee'), 'alice', { headers })]) {
        alice.say('in');
        await alice.hears(1);
        await alice.leave();
      }
      assert.equal((await server.metrics())('chat_rejections_total{reason="token"}'), 3);
    });

    test('when all places are taken the answer is 503 with Retry-After, and a place that was left is free', async () => {
      await using server = await start('--sessions-max', '2', '--reconnect-wait-max', '3s');
      const alice = await Person.join(server.url(), 'alice');
      await Person.join(server.url('tea'), 'bob');
      const { status, headers } = await refusedAt(server.url());
      assert.equal(status, 503);
      assert.match(headers['retry-after'] ?? '', /^[123]$/);
      assert.equal((await server.metrics())('chat_rejections_total{reason="full"}'), 1);
      await alice.leave();
      await server.reaches('chat_sessions', 1);
      await Person.join(server.url(), 'carol');
    });

    test('a room too many is refused with 1013, and the existing rooms stay open to more sessions', async () => {
      await using server = await start('--rooms-max', '1');
      const alice = await Person.join(server.url('tea'), 'alice');
      assert.equal((await (await Person.join(server.url('coffee'), 'bob')).closed).code, 1013);
      const carol = await Person.join(server.url('tea'), 'carol');
      alice.say('still here');
      await carol.hears(1);
      assert.equal((await server.metrics())('chat_rejections_total{reason="rooms"}'), 1);
    });

    test('a session that sends more than the rate is closed with 1008, and its messages within the rate arrive', async () => {
      await using server = await start('--message-rate-max', '1/s', '--messages-burst-max', '10');
      const [alice, mallory] = await Person.joinAll(server.url(), ['alice', 'mallory']);
      for (let number = 0; number < 11; number++) mallory!.say(`${number}`);
      assert.equal((await mallory!.closed).code, 1008);
      alice!.say('my own allowance');
      const expected = [...numbersBelow(10).map(String), 'my own allowance'];
      assert.deepEqual((await alice!.hears(11)).texts, expected);
      assert.equal((await server.metrics())('chat_messages_received_total'), 11);
    });

    test('a Message, a frame or a clientId over its limit is refused: 1009, 1009 and 1007', async () => {
      await using server = await start('--message-size-max', '100B', '--client-id-chars-max', '5');
      const alice = await Person.join(server.url(), 'alice');
      const cases: [number, string][] = [
        [1009, encodeMessage({ clientId: 'm', Message: 'é'.repeat(51) })],
        [1009, 'x'.repeat(100_000)],
        [1007, encodeMessage({ clientId: 'mallory', Message: '' })],
        [1007, encodeMessage({ clientId: '', Message: '' })],
      ];
      for (const [code, text] of cases) {
        const mallory = await Person.join(server.url(), 'm');
        mallory.ws.send(text);
        assert.equal((await mallory.closed).code, code);
      }
      alice.say('é'.repeat(50));
      await alice.hears(1);
      for (const code of [1007, 1009]) await server.reaches(`chat_closes_total{code="${code}"}`, 2);
    });

    test('a peer that answers no pings is closed and counted, a peer that does stays', async () => {
      await using server = await start('--heartbeat-interval', '200ms');
      const alice = await Person.join(server.url(), 'alice');
      const ghost = await Person.join(server.url(), 'ghost', { autoPong: false });
      assert.equal((await ghost.closed).code, 1006);
      await server.reaches('chat_evictions_total{reason="dead_peer"}', 1);
      alice.say('alive');
      await alice.hears(1);
    });

    test('a slow consumer is closed with 4008 after the messages sent so far, whole and in order', async () => {
      const bounds = '--outbound-size-max 64KiB --segment-size 16KiB --segments-behind-max 4'.split(' ');
      await using server = await start(...bounds, ...noRate, '--eviction-grace', '10s');
      const [alice, slow] = await Person.joinAll(server.url(), ['alice', 'slow']);
      slow!.ws.pause();
      const evicted = 'chat_evictions_total{reason="slow_consumer"}';
      let sent = 0;
      // The kernel's buffers take some megabytes before the server notices anything.
      while ((await server.metrics())(evicted) === 0) {
        for (let number = 0; number < 100; number++) alice!.say(`${sent++} ${'x'.repeat(4_000)}`);
        await alice!.hears(sent);
      }
      slow!.ws.resume();
      assert.equal((await slow!.closed).code, 4008);
      const order = (person: Person) => person.texts.map((text) => Number.parseInt(text, 10));
      assert.deepEqual(order(alice!), numbersBelow(sent));
      const before = order(slow!);
      assert.ok(before.length > 0 && before.length < sent, `${before.length} of ${sent}`);
      assert.deepEqual(before, numbersBelow(before.length));
      assert.equal((await server.metrics())(evicted), 1);
      assert.ok((await server.metrics())('chat_writes_partial_total') >= 1);
    });
  });
}

function numbersBelow(count: number): number[] {
  return [...Array(count).keys()];
}
