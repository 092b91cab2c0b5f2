/** The stage contract about the drain: every session gets a close frame, and it ends in time. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeCode, parseReconnectWaitMs } from '#protocol';
import { Person, refusedAt } from '../../testing/person.ts';
import type { ServerProcess } from '../../testing/server.ts';
import { isBounded, type StageDeclaration } from './stage.ts';

export function drainContract(
  stage: StageDeclaration,
  start: (...options: string[]) => Promise<ServerProcess>,
): void {
  // A drain mostly waits, so the processes can run side by side.
  describe('drain', { concurrency: true }, () => {
    test('on SIGTERM every session receives the last messages and a close frame, and the process exits 0', async () => {
      await using server = await start('--drain-batch-sessions', '2', '--drain-batch-interval', '10ms');
      const people = await Person.joinAll(server.url(), ['a', 'b', 'c', 'd', 'e']);
      people[0]!.say('before');
      await Promise.all(people.map((person) => person.hears(1)));
      const { code, tookMs } = await server.stop();
      assert.equal(code, 0);
      assert.ok(tookMs < 3_000, `took ${tookMs} ms`);
      const expected = isBounded(stage) ? closeCode.restart : closeCode.goingAway;
      for (const { closed } of people) assert.equal((await closed).code, expected);
      assert.deepEqual(server.log.map(({ event }) => event).slice(-2), ['draining', 'stopped']);
    });

    if (!isBounded(stage)) return;

    test('it is unready first, refuses newcomers with 503, and the open sessions still talk', async () => {
      await using server = await start('--drain-notice', '1500ms');
      const [alice, bob] = await Person.joinAll(server.url(), ['alice', 'bob']);
      const stopped = server.stop();
      while ((await server.get('/readyz')).status !== 503) await sleep(5);
      assert.equal((await server.get('/healthz')).status, 200);
      const { status, headers } = await refusedAt(server.url());
      assert.equal(status, 503);
      assert.ok(Number(headers['retry-after']) >= 1);
      alice!.say('one more thing');
      await bob!.hears(1);
      assert.equal((await stopped).code, 0);
    });

    test('sessions are closed in batches, each with a wait of its own within the bound', async () => {
      const batches = ['--drain-batch-sessions', '4', '--drain-batch-interval', '300ms'];
      await using server = await start(...batches, '--reconnect-wait-max', '5s', '--workers', '1');
      const people = await Person.joinAll(server.url(), [...'abcdefghijkl']);
      const closedAtMs: number[] = [];
      for (const { closed } of people) void closed.then(() => closedAtMs.push(performance.now()));
      assert.equal((await server.stop()).code, 0);
      const closes = await Promise.all(people.map(({ closed }) => closed));
      const waits = closes.map(({ reason }) => parseReconnectWaitMs(reason) ?? Number.NaN);
      for (const waitMs of waits) assert.ok(waitMs >= 0 && waitMs <= 5_000, `${waits}`);
      assert.ok(new Set(waits).size > 6, `waits are spread: ${waits}`);
      // Three batches have two pauses of 300 ms between them.
      const spreadMs = Math.max(...closedAtMs) - Math.min(...closedAtMs);
      assert.ok(spreadMs > 300, `all within ${spreadMs} ms`);
    });

    test('a peer that neither reads nor answers does not hold it beyond the deadline', async () => {
      await using server = await start('--drain-deadline', '700ms', '--eviction-grace', '1m');
      const [alice, stalled] = await Person.joinAll(server.url(), ['alice', 'stalled']);
      stalled!.ws.pause();
      const { code, tookMs } = await server.stop();
      assert.equal(code, 0);
      assert.ok(tookMs > 600 && tookMs < 3_000, `took ${tookMs} ms`);
      assert.equal((await alice!.closed).code, closeCode.restart);
      assert.equal(server.log.at(-1)?.cutSessions, 1);
      stalled!.ws.terminate();
    });
  });
}
