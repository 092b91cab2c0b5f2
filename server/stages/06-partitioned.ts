/**
 * 06-partitioned: a partition is a stream, a node a cursor in those that its sessions need; who comes back
 * resumes. Made necessary by experiments/007-nodes and 008-kill: on 05 every node reads everything, and a
 * lost link costs everybody the connection.
 */
import type { LogBackplane } from '../backplane/backplane.ts';
import { createBackplaneMeter } from '../backplane/meter.ts';
import { createPartitionMeter } from '../backplane/partition-meter.ts';
import { redisOptionsOf } from '../backplane/redis-pub-sub.ts';
import { RedisStreamsBackplane } from '../backplane/redis-streams.ts';
import { streamOptionsOf, streamSettings } from '../backplane/stream-options.ts';
import { CursorFanOut } from '../chat/fan-out.ts';
import { resumingChat } from '../chat/resuming.ts';
import { drainInBatches } from '../gateway/drain.ts';
import type { GatewayParts } from '../gateway/gateway-parts.ts';
import { seatingOnRedis } from '../gateway/seating.ts';
import type { Metrics } from '../ops/metrics.ts';
import { limitsOf } from '../settings.ts';
import { cursor } from './03-cursor.ts';
import type { Config, Stage } from './stage.ts';

export const partitioned: Stage = {
  name: '06-partitioned',
  summary: 'a partition of the rooms is a stream, a node reads those it needs, who comes back resumes',
  processes: [{ role: 'server', count: 'any number' }],
  services: ['redis'],
  limits: { ...cursor.limits, ...limitsOf([streamSettings]) },
  order: 'one for all',
  delivery: 'exactly once for who resumes',
  compose: (config, metrics) => partitionedParts(config, metrics, streamsOf(config, metrics)),
};

/** The backplane of the rooms. */
export function streamsOf(config: Config, { registry }: Metrics): LogBackplane {
  const meters = { meter: createBackplaneMeter(registry), partitionMeter: createPartitionMeter(registry) };
  return new RedisStreamsBackplane({ ...redisOptionsOf(config), ...streamOptionsOf(config), ...meters });
}

/** The parts of the gateway over a backplane with a log. */
export function partitionedParts(config: Config, metrics: Metrics, backplane: LogBackplane): GatewayParts {
  return {
    settings: config,
    chat: resumingChat(backplane, new CursorFanOut(config, metrics)),
    drain: drainInBatches(config),
    seating: seatingOnRedis(config, metrics.registry),
  };
}
