/** A real Redis for tests, got as the lab gets one. */
import type { ContainerSite } from '../experiments/lab/deployment/container.ts';
import { redisProvider as provider } from '../experiments/lab/deployment/services/redis.ts';
import type { RunningService } from '../experiments/lab/deployment/services/service.ts';

export {
  ownRedisBinary,
  type RedisServer,
  startRedisServer,
} from '../experiments/lab/deployment/services/redis.ts';

/** Finds and starts a Redis that processes of this machine reach; disposing it removes all that it needed. */
export const redisProvider = {
  find: () => provider.find('process'),
  async start(signal: AbortSignal): Promise<RunningService> {
    await using started = new AsyncDisposableStack();
    const containers = async (): Promise<ContainerSite> => {
      const { ContainerSite } = await import('../experiments/lab/deployment/container.ts');
      return started.use(await ContainerSite.open('127.0.0.1', signal));
    };
    const service = started.use(await provider.start({ target: 'process', containers, signal }));
    const owned = started.move();
    return { ...service, [Symbol.asyncDispose]: () => owned.disposeAsync() };
  },
};
