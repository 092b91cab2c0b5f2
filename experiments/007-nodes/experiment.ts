/** What does another node add, when everybody is in one room, and when people are in many? */
import { allocate } from '../lab/deployment/allocation.ts';
import type { Experiment, Variant } from '../lab/shapes/experiment.ts';

const nodeCounts = [1, 2, 3];
const rooms = 100;

export const nodes: Experiment = {
  name: '007-nodes',
  question: `How many messages per second do 1, 2 and 3 nodes behind Redis carry to 1,000 clients, in one room and in ${rooms}?`,
  varied: { quantity: 'offered messages', unit: 'messages/s' },
  method: {
    kind: 'capacity',
    start: 8000,
    growth: 1.5,
    tolerance: 0.15,
    confirmations: 2,
    trialsMax: 24,
    loadMin: 1,
    loadMax: 200_000,
  },
  limits: ['p99<250ms', 'lost=0', 'duplicated=0', 'reordered=0', 'misrouted=0', 'corrupted=0'],
  timing: { warmUpSeconds: 2, measureSeconds: 3, drainSeconds: 1 },
  workloadAt: (load) => ({ clients: 1000, ratePerSecond: load, payloadBytes: 128 }),
  variants: (stages) =>
    stages
      .filter(({ name }) => name === '05-backplane')
      .flatMap(({ name }) => [
        ...nodeCounts.map((count) => variantOf(name, count, 1)),
        ...nodeCounts.map((count) => variantOf(name, count, rooms)),
      ]),
  notes: [
    'The simulator has half of the cores to itself, and the nodes share the others: one each where there are enough. Where several nodes take turns on a core their capacity says little: read the CPU of each node for a message, which is what a node of its own would have to give.',
    'Every node hears every message through Redis, whether it has sessions of that room or not: more nodes share the writing to sessions, and each does all of the reading.',
    'Clients are spread over the nodes by the simulator, in turn, as a load balancer would by least connections.',
    `In ${rooms} rooms a message has 10 recipients and not 1,000: messages per second there are not comparable with those of one room, deliveries per second are.`,
  ],
};

function variantOf(stage: string, count: number, roomCount: number): Variant {
  const where = roomCount === 1 ? 'one room' : `${roomCount} rooms`;
  return {
    name: `${count} node${count === 1 ? '' : 's'}, ${where}`,
    stage,
    // A session may say as much as the search asks of it; the rate limit is another experiment's subject.
    settings: { 'messages-per-second-max': '10000', 'messages-burst-max': '20000' },
    nodes: count,
    targetLimits: allocate(),
    // What is delivered tenfold instead of a thousandfold can be said several times as often.
    start: roomCount === 1 ? 12_000 : 40_000,
    workload: { rooms: roomCount },
  };
}
