/** A real Redis for tests: the one that REDIS_URL names, else a process of our own, else a container. */
import { ownRedisBinary, redisReadyText, startRedisServer, withoutPersistence } from '#host/redis-server.ts';
import { splitUrls } from '#host/secrets.ts';

type TestRedis = AsyncDisposable & { url: string };

const image = process.env.REDIS_IMAGE ?? 'redis:8';
export const noRedis =
  'there is no Redis: install redis-server, start a container engine, or set REDIS_URL=redis://host:6379';

/** The way to start a Redis here, null where there is none. Disposing it stops only what was started here. */
export async function findRedis(): Promise<(() => Promise<TestRedis>) | null> {
  const url = process.env.REDIS_URL;
  // The tests need one Redis of which they may kill connections: a cluster is none.
  if (url && splitUrls(url).length === 1) return async () => ({ url, [Symbol.asyncDispose]: async () => {} });
  const binary = await ownRedisBinary();
  if (binary) return () => startRedisServer(binary);
  const { GenericContainer, getContainerRuntimeClient, Wait } = await import('testcontainers');
  if (!(await getContainerRuntimeClient().catch(() => null))) return null;
  return async () => {
    const container = await new GenericContainer(image)
      .withCommand(withoutPersistence)
      .withExposedPorts(6379)
      .withWaitStrategy(Wait.forLogMessage(redisReadyText))
      .start();
    const address = `${container.getHost()}:${container.getMappedPort(6379)}`;
    return { url: `redis://${address}`, [Symbol.asyncDispose]: async () => void (await container.stop()) };
  };
}
