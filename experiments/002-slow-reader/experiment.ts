/** What do readers that never read cost the server's memory, and everybody else's patience? */
import { type Experiment, variantPerStage } from '../lab/shapes/experiment.ts';

export const slowReader: Experiment = {
  name: '002-slow-reader',
  question:
    'What do stalled readers in a busy room do to the memory of the server and to the latency of everybody else?',
  varied: { quantity: 'stalled readers', unit: 'stalled readers' },
  method: { kind: 'fixed', loads: [0, 100], repetitions: 1 },
  limits: ['p99<250ms', 'lost=0', 'duplicated=0', 'reordered=0', 'misrouted=0', 'corrupted=0'],
  timing: { warmUpSeconds: 1, measureSeconds: 10, drainSeconds: 2 },
  workloadAt: (load) => ({ clients: 20, ratePerSecond: 200, payloadBytes: 4000, stalledReaders: load }),
  variants: (stages) => variantPerStage(stages),
  notes: [
    'The room is busy with 200 messages/s of 4,000 B from 20 clients that do read: 0.8 MB/s owed to every reader.',
    'The kernel takes the first few hundred kilobytes to a few megabytes for each stalled reader before the server has to keep anything: its memory (TCP buffers) is not in the figures.',
  ],
};
