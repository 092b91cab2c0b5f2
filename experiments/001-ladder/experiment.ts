/** Capacity of each stage: messages per second to 1,000 clients in one room. */
import { type CapacityExperiment, capacity } from '../lab/shapes/capacity/capacity.ts';
import { variantOfStage } from '../lab/trial/variant.ts';

export const ladder: CapacityExperiment = {
  name: '001-ladder',
  question:
    'How many messages per second does each stage carry to 1,000 clients in one room with a p99 below 250 ms?',
  varied: { quantity: 'offered messages', unit: 'messages/s' },
  shape: capacity,
  method: {
    kind: 'capacity',
    start: 100,
    growth: 1.5,
    tolerance: 0.11,
    confirmations: 3,
    trialsMax: 24,
    loadMin: 1,
    loadMax: 200_000,
  },
  limits: ['p99<250ms', 'lost=0', 'duplicated=0', 'reordered=0', 'misrouted=0', 'corrupted=0'],
  timing: { warmUpSeconds: 2, measureSeconds: 3, drainSeconds: 1 },
  workloadAt: (load) => ({ clients: 1000, ratePerSecond: load, payloadBytes: 128 }),
  variants: (stages) => stages.map(variantOfStage),
  notes: ['All clients are in one room, so that each message is delivered 1,000 times.'],
};
