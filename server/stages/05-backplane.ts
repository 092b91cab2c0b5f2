/**
 * 05-backplane: stateless nodes behind a load balancer, any client on any node; frames cross in batches.
 * Made necessary by experiments/008-kill: a chat on one machine ends for everybody when that machine dies.
 */
import { createBackplaneMeter } from '../backplane/meter.ts';
import { redisOptionsOf, redisPubSub } from '../backplane/redis-pub-sub.ts';
import { CursorFanOut } from '../chat/fan-out.ts';
import { cursor } from './03-cursor.ts';
import { boundedParts, type Stage } from './stage.ts';

export const backplane: Stage = {
  name: '05-backplane',
  summary: 'stateless nodes behind a load balancer, frames cross Redis in batches',
  processes: [{ role: 'server', count: 'any number' }],
  services: ['redis'],
  limits: cursor.limits,
  order: 'one for all',
  delivery: 'at most once',
  compose: (config, metrics) => {
    const meter = createBackplaneMeter(metrics.registry);
    const redis = redisPubSub({ ...redisOptionsOf(config), meter });
    return boundedParts(config, redis, new CursorFanOut(config, metrics));
  },
};
