/** How does the capacity of one machine grow with its worker processes? */
import { availableParallelism } from 'node:os';
import { allocate } from '../lab/deployment/allocation.ts';
import type { Experiment, Variant } from '../lab/shapes/experiment.ts';

/** The same messages, limits and clients as in 001-ladder, so that its rows and these can be laid side by side. */
export const cores: Experiment = {
  name: '006-cores',
  question:
    'How many messages per second do 1, 2, 4 … worker processes of one machine carry to 1,000 clients in one room?',
  varied: { quantity: 'offered messages', unit: 'messages/s' },
  method: {
    kind: 'capacity',
    start: 10_000,
    growth: 1.5,
    tolerance: 0.15,
    confirmations: 3,
    trialsMax: 20,
    loadMin: 1,
    loadMax: 200_000,
  },
  limits: ['p99<250ms', 'lost=0', 'duplicated=0', 'reordered=0', 'misrouted=0', 'corrupted=0'],
  timing: { warmUpSeconds: 2, measureSeconds: 4, drainSeconds: 1 },
  workloadAt: (load) => ({ clients: 1000, ratePerSecond: load, payloadBytes: 128 }),
  variants: (stages) => [
    ...stages.filter(({ name }) => name === '03-cursor').map(({ name }) => variantOf(name, name, 1, {})),
    ...stages
      .filter(({ name }) => name === '04-cores')
      .flatMap(({ name }) =>
        workerCounts(availableParallelism()).map((workers) =>
          variantOf(`${name} × ${workers}`, name, workers, { workers: String(workers) }),
        ),
      ),
  ],
  notes: [
    'The simulator has half of the cores to itself, and the workers share the others: one each where there are enough. Where several workers take turns on a core, compare deliveries per CPU second of the server, not the capacity.',
    'Every worker handles every message of the room, and writes it to its own sessions only: two workers halve the writes of each, not the reading.',
    'With several workers, two messages said at the same time may be heard in either order; what one sender says is heard in his order by all.',
  ],
};

/** 1, 2, 4 … up to the cores, and at least two, because one worker among others is the question. */
function workerCounts(coresOfMachine: number): number[] {
  const counts: number[] = [];
  for (let count = 1; count <= Math.max(2, coresOfMachine); count *= 2) counts.push(count);
  return counts;
}

function variantOf(name: string, stage: string, cores: number, settings: Variant['settings']): Variant {
  return { name, stage, settings, nodes: 1, targetLimits: allocate(cores) };
}
