/**
 * Capacity against message size: whether messages or bytes cost. scale-chat named this question and never ran
 * it.
 */
import { allocate } from '../lab/deployment/allocation.ts';
import type { StageInfo } from '../lab/deployment/stage-table.ts';
import { type CapacityExperiment, capacity } from '../lab/shapes/capacity/capacity.ts';
import { isOneProcess, type Variant } from '../lab/trial/variant.ts';

/** Bytes of a message's JSON: about a word, a sentence, a paragraph, a page, and a page with a thumbnail. */
const payloadBytes = [64, 256, 1024, 4096, 16_384] as const;

export const messageSize: CapacityExperiment = {
  name: '005-message-size',
  question: 'How does the capacity in messages/s fall as messages grow from 64 B to 16 kB?',
  varied: { quantity: 'offered messages', unit: 'messages/s' },
  shape: capacity,
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
  // The first stage is the control; the last one of a single process has the cheapest fan-out of these.
  variants: (stages) => {
    const single = stages.filter(isOneProcess);
    const ends = [...new Set([...single.slice(0, 1), ...single.slice(-1)])];
    return ends.flatMap((stage) => payloadBytes.map((bytes) => variantOf(stage, bytes)));
  },
  notes: [
    'All clients are in one room, so that each message is delivered 1,000 times.',
    'The server’s --message-bytes-max is raised to 16,384 for all variants; its default would refuse the largest message.',
    'A size is that of the JSON of a message; its frame adds 2 to 4 bytes.',
  ],
};

function variantOf(stage: StageInfo, bytes: number): Variant {
  return {
    name: `${stage.name} ${bytes} B`,
    stage,
    settings: { 'message-bytes-max': '16384' },
    nodes: 1,
    allocation: allocate(),
    workload: { payloadBytes: bytes },
  };
}
