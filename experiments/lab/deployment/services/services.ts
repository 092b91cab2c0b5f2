/** The services that the lab can provide, by the names that stages use in `services`. */
import { StartError } from '#host/readiness.ts';
import { haproxyFinder } from './haproxy.ts';
import { redisProvider } from './redis.ts';
import { redisClusterProvider } from './redis-cluster.ts';
import type { RunningService, ServiceFinder, ServiceProvider, ServiceRequest } from './service.ts';

const providers: readonly ServiceProvider[] = [redisProvider, redisClusterProvider];
/** The balancer is no service of a stage: it is started after the nodes. */
const finders: readonly ServiceFinder[] = [...providers, haproxyFinder];

/** Whether each service can be had, by its name. */
export type ServicesFound = ReadonlyMap<string, Awaited<ReturnType<ServiceFinder['find']>>>;

/** Looks for what has these names, or for all. A name that the lab does not know is left out. */
export async function findServices(
  target?: ServiceRequest['target'],
  names?: readonly string[],
): Promise<ServicesFound> {
  const wanted = finders.filter(({ name }) => names?.includes(name) ?? true);
  return new Map(
    await Promise.all(wanted.map(async ({ name, find }) => [name, await find(target)] as const)),
  );
}

/** Rejects with a `StartError`, also for a name that the lab does not know. */
export async function startService(name: string, request: ServiceRequest): Promise<RunningService> {
  const provider = providers.find((candidate) => candidate.name === name);
  if (provider === undefined) throw new StartError(`This lab does not know how to provide ${name}.`);
  return provider.start(request);
}
