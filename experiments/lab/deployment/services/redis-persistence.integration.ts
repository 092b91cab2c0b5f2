/** What a Redis of the lab still has after SIGKILL, and what is left of its files in the end. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, test } from 'node:test';
import { Redis } from 'ioredis';
import { findRedis, noRedis } from '../../../../testing/redis.ts';
import { ContainerSite } from '../container.ts';
import { findEngine } from '../container-engine.ts';
import type { Persistence, TargetKind } from '../deployment.ts';
import { redisProvider } from './redis.ts';
import type { RunningService } from './service.ts';

const { signal } = new AbortController();
const engine = await findEngine();
const skips: Record<TargetKind, string | false> = {
  process: process.env.REDIS_URL
    ? 'REDIS_URL names one that is not ours'
    : (await findRedis()) === null && noRedis,
  container: !engine.found && `no container engine answers: ${engine.why}`,
};
const cases: [TargetKind, Persistence][] = [
  ['process', 'always'],
  ['process', 'everysec'],
  ['process', 'none'],
  ['container', 'always'],
];

describe('what Redis keeps', { concurrency: true }, () => {
  for (const [target, persistence] of cases) {
    const isKept = persistence !== 'none';
    test(`${persistence} (${target}): what it has acknowledged is ${isKept ? 'there' : 'gone'} after SIGKILL`, {
      skip: skips[target],
    }, async () => {
      let directory = '';
      {
        await using stack = new AsyncDisposableStack();
        const containers = async () => stack.use(await ContainerSite.open('127.0.0.1', signal));
        const redis = stack.use(
          await redisProvider.start({ target, containers, persistence, launcher: [], signal }),
        );
        directory = await ask(redis, 'CONFIG', 'GET', 'dir');
        assert.equal(await ask(redis, 'SET', 'written', 'yes'), 'OK');
        await redis.signal('SIGKILL');
        await redis.restart();
        assert.equal(await ask(redis, 'GET', 'written'), isKept ? 'yes' : 'null');
        assert.match(redis.fact, isKept ? new RegExp(`appendfsync ${persistence}`) : /^[^,]*$/);
      }
      const name = directory.split('/').at(-1)!;
      if (target === 'process') assert.ok(!readdirSync(tmpdir()).includes(name), directory);
    });
  }
});

/** The answer as text; of a list, its last entry. */
async function ask({ url }: RunningService, command: string, ...args: string[]): Promise<string> {
  const client = new Redis(url, { maxRetriesPerRequest: 20 });
  client.on('error', () => {}); // It connects again, while Redis starts.
  try {
    const answer = await client.call(command, args);
    return String(Array.isArray(answer) ? answer.at(-1) : answer);
  } finally {
    client.disconnect();
  }
}
