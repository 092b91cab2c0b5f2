/** Capacity of one room in clients that each send one message per second. */
import { type CapacityExperiment, capacity, search } from '../lab/shapes/capacity/capacity.ts';
import { exactDelivery } from '../lab/shapes/load-trials.ts';
import { variantOfStage } from '../lab/trial/variant.ts';

export const crowd: CapacityExperiment = {
  name: '003-crowd',
  question: 'How many clients can one room hold when each sends one message of 256 B per second?',
  varied: { quantity: 'clients', unit: 'clients' },
  shape: capacity,
  method: { ...search, start: 200, loadMin: 2, loadMax: 15_000 },
  minutes: 8,
  limits: ['p99<250ms', ...exactDelivery],
  timing: { warmUpSeconds: 2, measureSeconds: 3, drainSeconds: 2 },
  workloadAt: (load) => ({
    clients: load,
    sendersPerRoom: load,
    ratePerSecond: load,
    payloadBytes: 256,
    connectPerSecond: 1000,
  }),
  variants: (stages) => stages.map(variantOfStage),
  notes: [
    'Deliveries grow with the square of the clients: N clients make N² deliveries per second.',
    'The load is that of scale-chat’s first load test, whose server had 0.25 CPU. The boxes here are larger and the limit is stricter: 004-small-box and 017-scale-chat-room are to be compared with its figures, and this table is not.',
    'With as many senders as clients each sends few messages, so that the order of messages is hardly tested here.',
  ],
};
