/** Is it the messages or the bytes that cost? The question that scale-chat named and never ran. */
import { allocate } from '../lab/deployment/allocation.ts';
import type { Experiment, Variant } from '../lab/shapes/experiment.ts';

/** Bytes of a message's JSON: what a word, a sentence, a paragraph, a page and a page with a thumbnail take. */
const payloadBytes = [64, 256, 1024, 4096, 16_384] as const;
/** The control, and the stage whose fan-out is bytes rather than messages. */
const compared = { '01-naive': 90, '03-cursor': 8000 } as const;

export const messageSize: Experiment = {
  name: '005-message-size',
  question: 'How does the capacity in messages/s fall as messages grow from 64 B to 16 kB?',
  varied: { quantity: 'offered messages', unit: 'messages/s' },
  method: {
    kind: 'capacity',
    start: 90,
    growth: 2,
    tolerance: 0.15,
    confirmations: 2,
    trialsMax: 20,
    loadMin: 1,
    loadMax: 200_000,
  },
  limits: ['p99<250ms', 'lost=0', 'duplicated=0', 'reordered=0', 'misrouted=0', 'corrupted=0'],
  timing: { warmUpSeconds: 2, measureSeconds: 3, drainSeconds: 1 },
  workloadAt: (load) => ({ clients: 1000, ratePerSecond: load, payloadBytes: 128 }),
  variants: (stages) =>
    Object.entries(compared)
      .filter(([stage]) => stages.some(({ name }) => name === stage))
      .flatMap(([stage, hint]) => payloadBytes.map((bytes) => variantOf(stage, bytes, hint))),
  notes: [
    'Everybody is in one room, so each message is delivered 1,000 times.',
    'The server’s --message-bytes-max is raised to 16,384 for all variants; its default would refuse the largest.',
    'A size is that of the JSON of a message; its frame adds 2 to 4 bytes.',
  ],
};

function variantOf(stage: string, bytes: number, hint: number): Variant {
  return {
    name: `${stage} ${bytes} B`,
    stage,
    settings: { 'message-bytes-max': '16384' },
    nodes: 1,
    targetLimits: allocate(),
    // Where bytes cost more than messages, a larger one starts lower; it changes the number of trials only.
    start: bytes <= 256 ? hint : undefined,
    workload: { payloadBytes: bytes },
  };
}
