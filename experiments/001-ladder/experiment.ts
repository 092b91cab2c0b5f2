/** Capacity of each stage: messages per second to 1,000 clients in one room. */
import { type CapacityExperiment, search, thousandClients } from '../lab/shapes/capacity/capacity.ts';
import { variantOfStage } from '../lab/trial/variant.ts';

export const ladder: CapacityExperiment = {
  ...thousandClients,
  name: '001-ladder',
  question:
    'How many messages per second does each stage carry to 1,000 clients in one room with a p99 below 250 ms?',
  method: { ...search, start: 100 },
  // Five minutes with the image, where that is built anew.
  minutes: 4.75,
  variants: (stages) => stages.map(variantOfStage),
  notes: ['All clients are in one room, so that each message is delivered 1,000 times.'],
};
