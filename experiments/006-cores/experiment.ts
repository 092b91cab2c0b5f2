/** Capacity of one machine against its worker processes. */
import { availableParallelism } from 'node:os';
import { allocate } from '../lab/deployment/allocation.ts';
import { isOneProcess, isPerCore, type StageInfo } from '../lab/deployment/list-stages.ts';
import { type CapacityExperiment, search, thousandClients } from '../lab/shapes/capacity/capacity.ts';
import type { Variant } from '../lab/trial/variant.ts';

export const cores: CapacityExperiment = {
  ...thousandClients,
  name: '006-cores',
  question:
    'How many messages per second do 1, 2, 4 … worker processes of one machine carry to 1,000 clients in one room?',
  method: { ...search, start: 10_000, trialsMax: 20 },
  timing: { warmUpSeconds: 2, measureSeconds: 4, drainSeconds: 1 },
  // Each stage of one process per core; its control is the last stage of one process before it.
  variants: (stages) =>
    stages.flatMap((stage, index) => {
      if (!isPerCore(stage)) return [];
      const control = stages.slice(0, index).findLast(isOneProcess);
      return [
        ...(control === undefined ? [] : [variantOf(control.name, control, 1, {})]),
        ...workerCounts(availableParallelism()).map((workers) => ({
          ...variantOf(`${stage.name} × ${workers}`, stage, workers, { workers: String(workers) }),
          scale: { of: 'workers' as const, count: workers, group: stage.name },
        })),
      ];
    }),
  notes: [
    'The simulator has half of the cores to itself, and the workers share the others: one core each where there are enough. Where several workers take turns on a core, compare deliveries per CPU second of the server, not the capacity.',
    'Every worker handles every message of the room, and writes it to its own sessions only: two workers halve the writes of each, not the reading.',
    'With several workers, clients may receive two simultaneous messages in different orders; messages of one sender arrive in their order everywhere.',
  ],
};

/** 1, 2, 4 … up to the cores, and at least 2, because several workers are the question. */
function workerCounts(coresOfMachine: number): number[] {
  const counts: number[] = [];
  for (let count = 1; count <= Math.max(2, coresOfMachine); count *= 2) counts.push(count);
  return counts;
}

function variantOf(name: string, stage: StageInfo, cores: number, settings: Variant['settings']): Variant {
  return { name, stage, settings, nodes: 1, allocation: allocate(cores) };
}
