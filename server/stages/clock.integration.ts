/** A clock that is set an hour forward, and then two hours back, while people talk. */
import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Person } from '../../testing/person.ts';
import { findRedis, noRedis } from '../../testing/redis.ts';
import { noRate, ServerProcess } from '../../testing/server.ts';
import { stages } from './index.ts';
import { isBounded } from './stage.ts';

const forwardAfterMs = 1500;
const backAfterMs = 2500;
const talkUntilMs = 3500;
const hourMs = 3_600_000;

/**
 * Runs in the server before its own code. Only the wall clock changes: Linux counts the monotonic one, which
 * timers and `performance.now` use, on through every change of the time.
 */
const changedClock = `
  const Real = Date;
  const shift = () => {
    const uptimeMs = performance.now();
    return uptimeMs < ${forwardAfterMs} ? 0 : uptimeMs < ${backAfterMs} ? ${hourMs} : -${hourMs};
  };
  globalThis.Date = class extends Real {
    constructor(...time) {
      super(...(time.length === 0 ? [Real.now() + shift()] : time));
    }
    static now() {
      return Real.now() + shift();
    }
  };`;
const nodeArgs = ['--import', `data:text/javascript,${encodeURIComponent(changedClock)}`];

const startRedis = await findRedis();
const redis = startRedis && (await startRedis());
after(() => redis?.[Symbol.asyncDispose]());

describe('a clock that is set', { concurrency: true }, () => {
  for (const [database, stage] of stages.filter(isBounded).entries()) {
    const needsRedis = stage.services.includes('redis');
    const skip = needsRedis && !redis ? noRedis : false;
    test(`${stage.name}: nobody is closed, and every message arrives once and in order`, {
      skip,
    }, async () => {
      const beganMs = performance.now();
      // In one database, stages with the same backplane are one chat.
      const timeouts = '--heartbeat-interval 400ms --message-timeout 400ms --workers 2'.split(' ');
      const args = [
        ...timeouts,
        ...noRate,
        ...(needsRedis ? ['--redis-url', `${redis!.url}/${database}`] : []),
      ];
      const server = await ServerProcess.start(stage.name, args, nodeArgs);
      await using _ = server;
      const people = await Promise.all(['alice', 'bob'].map((id) => Person.join(server.url(), id)));
      let said = 0;
      while (performance.now() - beganMs < talkUntilMs) {
        people[0]!.say(`${said++}`);
        await sleep(10);
      }
      for (const person of people) {
        await person.hears(said);
        assert.deepEqual(person.texts, [...Array(said).keys()].map(String));
        assert.equal(person.ws.readyState, 1);
      }
      await Promise.all(people.map((person) => person.leave()));
      await server.stop();
      const atMs = Number(server.log.at(-1)!.time);
      assert.ok(Math.abs(Date.now() - hourMs - atMs) < hourMs / 2, 'the clock of the server was changed');
    });
  }
});
