/** Cost of clients that never read: memory of the server, and latency of the other clients. */
import { type FixedLoadExperiment, fixedLoad } from '../lab/shapes/fixed-load/fixed-load.ts';
import { exactDelivery } from '../lab/shapes/load-trials.ts';
import { variantOfStage } from '../lab/trial/variant.ts';

export const slowReader: FixedLoadExperiment = {
  name: '002-slow-reader',
  question:
    'What do stalled readers in a busy room do to the memory of the server and to the latency of the other clients?',
  varied: { quantity: 'stalled readers', unit: 'stalled readers' },
  shape: fixedLoad,
  method: { kind: 'fixed', loads: [0, 100], repetitions: 1, emphasis: 'cost' },
  limits: ['p99<250ms', ...exactDelivery],
  timing: { warmUpSeconds: 1, measureSeconds: 10, drainSeconds: 2 },
  workloadAt: (load) => ({ clients: 20, ratePerSecond: 200, payloadBytes: 4000, stalledReaders: load }),
  // Memory is the question: each box has more of it than the readers can make any stage take.
  variants: (stages) =>
    stages.map(variantOfStage).map((variant) => ({
      ...variant,
      allocation: { ...variant.allocation, serverMemoryMb: 2048 },
    })),
  notes: [
    'The room is busy with 200 messages/s of 4,000 B from 20 clients that read: 0.8 MB/s to every reader.',
    'In containers each server has 2 GB, twice what the readers are sent in the ten seconds, so that it is not killed for its memory.',
    'The kernel takes the first few hundred kilobytes to a few megabytes for each stalled reader before the server has to keep anything. The memory of the kernel (TCP buffers) is not in the figures.',
  ],
};
