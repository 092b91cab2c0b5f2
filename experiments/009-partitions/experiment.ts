/** Capacity against the number of nodes: everything read by every node, or partitions with seats. */
import { allocateSmallBoxes, smallBoxCpus } from '../lab/deployment/allocation.ts';
import { canResume, isScalable, type StageInfo } from '../lab/deployment/list-stages.ts';
import { type CapacityExperiment, clientsOfSmallBoxes, search } from '../lab/shapes/capacity/capacity.ts';
import type { Variant } from '../lab/trial/variant.ts';

const nodeCounts = [1, 2, 4];
/**
 * Sessions of one partition from which it sits on two nodes; from twice as many on four. Less than a quarter
 * of the clients: else the first node of the one room keeps more than its share.
 */
const seatSessionsMax = 100;

/** All clients in so many rooms of equal size. */
type Crowd = { name: string; rooms: number };

const crowds: readonly Crowd[] = [
  { name: '50 rooms', rooms: 50 },
  { name: '250 rooms', rooms: 250 },
  { name: 'one room', rooms: 1 },
];

export const partitions: CapacityExperiment = {
  ...clientsOfSmallBoxes,
  name: '009-partitions',
  question: `How many messages per second do 1, 2 and 4 nodes of ${smallBoxCpus} CPU each carry to 500 clients, where every node reads everything, and where it reads the partitions of its sessions, with and without seats?`,
  // Without its quota a node would take what another needs.
  target: 'container',
  method: { ...search, start: 2000 },
  // Of 45 searches: each has its share, and is as precise as that allows.
  minutes: 30,
  variants: (stages) =>
    crowds.flatMap((crowd) =>
      stages.filter(isScalable).flatMap((stage) => {
        const seatings = canResume(stage) ? [false, true] : [false];
        return seatings.flatMap((seated) => growth(stage, crowd, seated));
      }),
    ),
  notes: [
    `Each node has a container of ${smallBoxCpus} CPU. They take turns on the cores that the simulator leaves, on which Redis has what they leave.`,
    'Unseated, the simulator spreads clients over the nodes in turn, as a load balancer does. Seated, each client first asks a node where the people of its room sit (GET /connect), and connects there.',
    'Read for nothing: of the entries that the nodes read from the logs of partitions, those with no message for a session of that node. A stage that reads everything by pub/sub does not count them.',
    'The seat of a room follows from the hash of its partition and of the addresses of the nodes, which are new in every run. The partitions are shared evenly; 50 rooms in 64 partitions are not quite, and the node with most of them is full first.',
    '250 rooms of 2 stand for many small rooms. More clients would need more than the one core that a simulator has on a machine of two.',
    `In one room, seated, the room is spread over all nodes by seat-sessions-max=${seatSessionsMax}: that is a huge room for a node of ${smallBoxCpus} CPU.`,
    `Ratios above the number of nodes do not mean that nodes help each other: they say how much too small a box of ${smallBoxCpus} CPU is for one node with 500 clients. It reads from and writes to each of them once in a round, whatever the load, which takes some 50 ms. And a collection of garbage takes up to 400 ms there: in 007, a single node of 06 or 07 in 50 rooms passed with a p99 of 150 to 310 ms and 3 to 6 % of the time in collections, and failed at nearly the same loads with 540 to 870 ms, in 8 of 11 trials with 8 to 15 %. With a quarter of the clients and of the log both are shorter.`,
    'Small rooms cost a stage with partitions more: what one turn brings is one entry for each partition that it touches, and one batch in all where every node reads everything. With 64 partitions and 50 rooms most entries carry one message. In one room both carry the same.',
    'A message has 10 recipients in 50 rooms, 2 in 250 and 500 in one: compare deliveries per second between them, not messages per second.',
  ],
};

/** The variants of one stage that differ in the number of nodes. */
function growth(stage: StageInfo, { name: where, rooms }: Crowd, seated: boolean): Variant[] {
  const seating = canResume(stage) ? (seated ? ' seated' : ' unseated') : '';
  return nodeCounts.map((count) => ({
    name: `${stage.name}${seating} × ${count}, ${where}`,
    stage,
    settings: {
      // A session may send as much as the search asks for; the rate limit is not the question.
      'message-rate-max': '10000/s',
      'messages-burst-max': '20000',
      ...(seated ? { 'seat-sessions-max': String(seatSessionsMax) } : {}),
    },
    nodes: count,
    seated,
    scale: { of: 'nodes' as const, count, group: `${stage.name}${seating}, ${where}` },
    allocation: allocateSmallBoxes(1),
    workload: { rooms },
  }));
}
