/** Capacity against message size: whether messages or bytes cost. scale-chat named it and never ran it. */
import { allocate } from '../lab/deployment/allocation.ts';
import { isOneProcess } from '../lab/deployment/list-stages.ts';
import { type CapacityExperiment, search, thousandClients } from '../lab/shapes/capacity/capacity.ts';

/** Bytes of a message's JSON: about a word, a sentence, a paragraph, a page, and a page with a thumbnail. */
const payloadBytes = [64, 256, 1024, 4096, 16_384] as const;

export const messageSize: CapacityExperiment = {
  ...thousandClients,
  name: '005-message-size',
  question: 'How does the capacity in messages/s fall as messages grow from 64 B to 16 kB?',
  method: { ...search, start: 90 },
  minutes: 8,
  // Of the stages of one process the first is the control; the last, which contains the changes of those
  // before it, is the one in question.
  variants: (stages) => {
    const single = stages.filter(isOneProcess);
    const ends = [...new Set([...single.slice(0, 1), ...single.slice(-1)])];
    return ends.flatMap((stage) =>
      payloadBytes.map((bytes) => ({
        name: `${stage.name} ${bytes} B`,
        stage,
        nodes: 1,
        allocation: allocate(),
        settings: { 'message-size-max': '16KiB' },
        workload: { payloadBytes: bytes },
      })),
    );
  },
  notes: [
    'All clients are in one room, so that each message is delivered 1,000 times.',
    'The server’s --message-size-max is raised to 16KiB for all variants; its default would refuse the largest message.',
    'A size is that of the JSON of a message; its frame adds 2 to 4 bytes.',
  ],
};
