/**
 * 02-bounded: every resource has a bound, and exceeding it has a name. Made necessary by
 * experiments/002-slow-reader: on 01-naive one stalled reader grows the heap until the process dies.
 */
import { MemoryBackplane } from '../backplane/memory.ts';
import { BoundedFanOut, boundedFanOutSettings } from '../chat/bounded-fan-out.ts';
import { roomSettings } from '../chat/chat.ts';
import { gatewaySettings } from '../gateway/gateway-parts.ts';
import { limitsOf } from '../settings.ts';
import { boundedParts, oneProcess, type Stage } from './stage.ts';

export const bounded: Stage = {
  name: '02-bounded',
  summary: 'heartbeats, size and rate limits, bounded buffers, slow consumers evicted, staged drain',
  processes: oneProcess,
  services: [],
  limits: limitsOf([...gatewaySettings, roomSettings, boundedFanOutSettings]),
  order: 'one for all',
  delivery: 'at most once',
  compose: (config, metrics) =>
    boundedParts(config, new MemoryBackplane(), new BoundedFanOut(config, metrics)),
};
