/** Capacity against the number of nodes, with all clients in one room and with clients in many rooms. */
import { allocate } from '../lab/deployment/allocation.ts';
import { isScalable } from '../lab/deployment/list-stages.ts';
import { type CapacityExperiment, search, thousandClients } from '../lab/shapes/capacity/capacity.ts';

const rooms = 100;

export const nodes: CapacityExperiment = {
  ...thousandClients,
  name: '007-nodes',
  question: `How many messages per second do 1, 2 and 3 nodes behind Redis carry to 1,000 clients, in one room and in ${rooms}?`,
  method: { ...search, start: 12_000 },
  variants: (stages) => {
    const scalable = stages.filter(isScalable);
    return scalable.flatMap((stage) =>
      [1, rooms].flatMap((roomCount) => {
        const prefix = scalable.length > 1 ? `${stage.name}, ` : '';
        const where = roomCount === 1 ? 'one room' : `${roomCount} rooms`;
        return [1, 2, 3].map((count) => ({
          name: `${prefix}${count} node${count === 1 ? '' : 's'}, ${where}`,
          stage,
          // A session may send as much as the search asks for; the rate limit is not the question.
          settings: { 'messages-per-second-max': '10000', 'messages-burst-max': '20000' },
          nodes: count,
          scale: { of: 'nodes' as const, count, group: `${stage.name}, ${where}` },
          allocation: allocate(),
          workload: { rooms: roomCount },
        }));
      }),
    );
  },
  notes: [
    'The simulator has half of the cores to itself, and the nodes share the others: one core each where there are enough. Where several nodes take turns on a core, their capacity means little: read the CPU of each node per message, which is what a node of its own would need.',
    'Every node receives every message through Redis, whether it has sessions of that room or not: more nodes share the writes to sessions, and each does all of the reading.',
    'The simulator spreads clients over the nodes in turn, as a load balancer does by least connections.',
    `In ${rooms} rooms a message has 10 recipients and not 1,000: compare deliveries per second with those of one room, not messages per second.`,
  ],
};
