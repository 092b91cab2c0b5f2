/** Capacity of one machine against its worker processes, each with the same small share of CPU. */
import { allocateSmallBoxes, smallBoxCpus } from '../lab/deployment/allocation.ts';
import { isOneProcess, isPerCore, type StageInfo } from '../lab/deployment/list-stages.ts';
import { type CapacityExperiment, search, thousandClients } from '../lab/shapes/capacity/capacity.ts';
import type { Variant } from '../lab/trial/variant.ts';

const workerCounts = [1, 2, 3, 4];

export const cores: CapacityExperiment = {
  ...thousandClients,
  name: '006-cores',
  question: `How many messages per second do 1, 2, 3 and 4 worker processes of ${smallBoxCpus} CPU each carry to 1,000 clients in one room?`,
  // Without its quota a worker would take what another needs.
  target: 'container',
  method: { ...search, start: 2000 },
  minutes: 6,
  // A fifth of a core completes few handshakes per second, and the ramp is not the question.
  workloadAt: (load) => ({ ...thousandClients.workloadAt(load), connectPerSecond: 200 }),
  // Each stage of one process per core; its control is the last stage of one process before it.
  variants: (stages) =>
    stages.flatMap((stage, index) => {
      if (!isPerCore(stage)) return [];
      const control = stages.slice(0, index).findLast(isOneProcess);
      return [
        ...(control === undefined ? [] : [variantOf(control.name, control, 1)]),
        ...workerCounts.map((workers) => ({
          ...variantOf(`${stage.name} × ${workers}`, stage, workers),
          settings: { workers: String(workers) },
          scale: { of: 'workers' as const, count: workers, group: stage.name },
        })),
      ];
    }),
  notes: [
    `The workers of a variant share one container, whose quota is ${smallBoxCpus} CPU for each of them: a worker with more sessions may use more than its share while another uses less, as on a machine of that size.`,
    'All workers of a variant take turns on one core, on which together they need less than all of it. That they do not run at the same moment makes no difference to their CPU time, and hides waits for memory and caches that workers on cores of their own may have.',
    'Every worker handles every message of the room, and writes it to its own sessions only: two workers halve the writes of each, not the reading.',
    'With several workers, clients may receive two simultaneous messages in different orders; messages of one sender arrive in their order everywhere.',
  ],
};

function variantOf(name: string, stage: StageInfo, boxes: number): Variant {
  return { name, stage, settings: {}, nodes: 1, allocation: allocateSmallBoxes(boxes) };
}
