/** One node becomes four, and four become one, while people talk. */
import { allocateSmallBoxes, smallBoxCpus } from '../lab/deployment/allocation.ts';
import { canResume, isScalable } from '../lab/deployment/list-stages.ts';
import { type FixedLoadExperiment, fixedLoad } from '../lab/shapes/fixed-load/fixed-load.ts';
import { exactDelivery } from '../lab/shapes/load-trials.ts';

const nodesMax = 4;
const peoplePerRoom = 10;
/** Three quarters of 2,000 people move at 100 per second, after the 5 s for which a seat must be stable. */
const growAtSeconds = 5;
const shrinkAtSeconds = 40;
const measureSeconds = 65;

export const resize: FixedLoadExperiment = {
  name: '011-resize',
  question: `What do 2,000 clients who talk miss and feel while one node of ${smallBoxCpus} CPU becomes ${nodesMax}, and these become one again?`,
  varied: { quantity: 'clients', unit: 'clients' },
  shape: fixedLoad,
  method: { kind: 'fixed', loads: [2000], repetitions: 1, emphasis: 'resize' },
  // The start of a node takes CPU that the others need; how late messages come then is in the table.
  limits: ['missed=0', 'growth<60s', ...exactDelivery],
  timing: { warmUpSeconds: 2, measureSeconds, drainSeconds: 5 },
  workloadAt: (load) => ({
    clients: load,
    rooms: Math.ceil(load / peoplePerRoom),
    // A message per second in each room, said by its people in turn.
    ratePerSecond: load / peoplePerRoom,
    payloadBytes: 128,
    connectPerSecond: 200,
    resume: true,
  }),
  variants: (stages) =>
    stages
      .filter((stage) => isScalable(stage) && canResume(stage))
      .map((stage) => ({
        name: stage.name,
        stage,
        settings: {},
        nodes: 1,
        resize: { nodesMax, growAtSeconds, shrinkAtSeconds },
        seated: true,
        allocation: allocateSmallBoxes(1),
      })),
  notes: [
    `${nodesMax - 1} nodes are added ${growAtSeconds} s after the measure phase began, one after the other, and are told to leave at ${shrinkAtSeconds} s, the newest first, each once the one before has ended.`,
    'Clients that should sit on a new node are moved there: each node closes at most moves-per-second=100 of them (4012), after their seat has been elsewhere for seat-stable-ms=5000. A node that leaves closes all of its own, and asks each to wait for a random time of at most reconnect-wait-ms-max=5000. Each client then asks a node where to go, joins there with its position, and hears what it has missed.',
    'Who waits hears late what is said meanwhile, and that is in the latency: while nodes leave, its p99 is near that longest wait.',
    'Moved: connections that a node closed with 4012. Came back per second: joins with a position that the nodes counted. Missed: deliveries of the measure phase that a client never got, told of it or not.',
    `Rooms of ${peoplePerRoom} people, with a message per second in each room.`,
    'Only the first node is asked where to go: the addresses of the others are in its answers.',
  ],
};
