/**
 * 02-bounded: every resource has a bound, and exceeding it has a name. Asked for by experiments/002-slow-reader: on
 * 01-naive one stalled reader grows the heap until the process dies.
 */
import { MemoryBackplane } from '../backplane/memory.ts';
import { BoundedFanOut } from '../chat/bounded-fan-out.ts';
import { RelayedChat } from '../chat/chat.ts';
import type { Stage } from './stage.ts';

export const bounded: Stage = {
  name: '02-bounded',
  summary: 'heartbeats, size and rate limits, bounded buffers, slow consumers evicted, staged drain',
  needs: [],
  bounded: true,
  perCore: false,
  compose: (config, metrics) => new RelayedChat(new MemoryBackplane(), new BoundedFanOut(config, metrics)),
};
