/** How many messages per second does each stage carry to a thousand people before they feel it? */
import { type Experiment, variantPerStage } from '../lab/shapes/experiment.ts';

/** Where each stage's search begins, near what it did on two cores of 2026: fewer trials, the same answer anywhere. */
const hints = {
  '01-naive': 110,
  '02-bounded': 140,
  '03-cursor': 15_000,
  '04-cores': 11_000,
  '05-backplane': 11_000,
};

export const ladder: Experiment = {
  name: '001-ladder',
  question:
    'How many messages per second does each stage carry to 1,000 clients in one room before people feel it?',
  varied: { quantity: 'offered messages', unit: 'messages/s' },
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
  variants: (stages) => variantPerStage(stages, hints),
  notes: ['Everybody is in one room, so each message is delivered 1,000 times.'],
};
