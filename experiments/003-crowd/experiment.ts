/** Capacity of one room in clients that each send one message per second: the load of scale-chat. */
import { type CapacityExperiment, capacity, search } from '../lab/shapes/capacity/capacity.ts';
import { exactDelivery } from '../lab/shapes/load-trials.ts';
import { variantOfStage } from '../lab/trial/variant.ts';

export const crowd: CapacityExperiment = {
  name: '003-crowd',
  question: 'How many clients can one room hold when each sends one message of 256 B per second?',
  varied: { quantity: 'clients', unit: 'clients' },
  shape: capacity,
  method: { ...search, start: 200, loadMin: 2, loadMax: 15_000 },
  limits: ['p99<250ms', ...exactDelivery],
  timing: { warmUpSeconds: 2, measureSeconds: 3, drainSeconds: 2 },
  workloadAt: (load) => ({ clients: load, sendersPerRoom: load, ratePerSecond: load, payloadBytes: 256 }),
  variants: (stages) => stages.map(variantOfStage),
  notes: [
    'Deliveries grow with the square of the clients: N clients make N² deliveries per second.',
    'scale-chat published for the same load, server in a container of 0.25 CPU and 512 MB: 70 clients p50 385 ms, p99 984 ms, nothing lost; 80 clients p99 21.6 s; 90 clients 16 % lost; 100 clients 47 % lost.',
    'Its server had a quarter of a core; here server and simulator share the machine, so that the two tables must not be compared.',
    'Its clients waited for a timer and measured from the actual send; here latency counts from the moment a message was due, and the limit is p99 below 250 ms.',
  ],
};
