/**
 * 05-backplane: nodes that hold no state of their own behind a load balancer, any client on any node; frames cross Redis in
 * batches. Asked for by experiments/008-kill: whatever one machine can carry, it takes everybody along when it dies.
 */
import { RedisBackplane } from '../backplane/redis-pub-sub.ts';
import { RelayedChat } from '../chat/chat.ts';
import { CursorFanOut } from '../chat/fan-out.ts';
import { createBackplaneMeter } from '../ops/metrics.ts';
import type { Stage } from './stage.ts';

export const backplane: Stage = {
  name: '05-backplane',
  summary: 'stateless nodes behind a load balancer, frames cross Redis in batches',
  needs: ['redis'],
  bounded: true,
  perCore: false,
  compose: (config, metrics) => {
    const meter = createBackplaneMeter(metrics.registry);
    return new RelayedChat(
      new RedisBackplane({ url: config.redisUrl, meter }),
      new CursorFanOut(config, metrics),
    );
  },
};
