/** How many people fit in one room when each says one thing per second? The load that scale-chat ran, on this lab. */
import { type Experiment, variantPerStage } from '../lab/shapes/experiment.ts';

const hints = {
  '01-naive': 250,
  '02-bounded': 250,
  '03-cursor': 2500,
  '04-cores': 2000,
  '05-backplane': 1500,
};

export const crowd: Experiment = {
  name: '003-crowd',
  question: 'How many clients can one room hold when each sends one message of 256 B per second?',
  varied: { quantity: 'clients', unit: 'clients' },
  method: {
    kind: 'capacity',
    start: 200,
    growth: 2,
    tolerance: 0.1,
    confirmations: 3,
    trialsMax: 24,
    loadMin: 2,
    loadMax: 15_000,
  },
  limits: ['p99<250ms', 'lost=0', 'duplicated=0', 'reordered=0', 'misrouted=0', 'corrupted=0'],
  timing: { warmUpSeconds: 2, measureSeconds: 3, drainSeconds: 2 },
  workloadAt: (load) => ({ clients: load, ratePerSecond: load, payloadBytes: 256 }),
  variants: (stages) => variantPerStage(stages, hints),
  notes: [
    'Deliveries grow with the square of the clients: N clients make N² deliveries per second.',
    'scale-chat published for the same load, server in a container of 0.25 CPU and 512 MB: 70 clients p50 385 ms, p99 984 ms, nothing lost; 80 clients p99 21.6 s; 90 clients 16 % lost; 100 clients 47 % lost.',
    'Its box was a quarter of a core; here server and simulator are plain processes that share the machine, so the two tables must not be divided by one another.',
    'Its clients waited for a timer and measured from the actual send; here latency counts from the moment a message was due, and the limit is p99 below 250 ms.',
  ],
};
