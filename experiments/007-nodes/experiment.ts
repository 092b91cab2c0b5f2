/** Capacity against the number of nodes, in one room and in many, directly and through a load balancer. */
import { allocateSmallBoxes, balancedBoxesMax, smallBoxCpus } from '../lab/deployment/allocation.ts';
import { isScalable, type StageInfo } from '../lab/deployment/list-stages.ts';
import { type CapacityExperiment, clientsOfSmallBoxes, search } from '../lab/shapes/capacity/capacity.ts';
import type { Variant } from '../lab/trial/variant.ts';

const nodeCounts = [1, 2, 3, 4];
/** Of ten people each. */
const rooms = 50;

export const nodes: CapacityExperiment = {
  ...clientsOfSmallBoxes,
  name: '007-nodes',
  question: `How many messages per second do 1, 2, 3 and 4 nodes of ${smallBoxCpus} CPU each behind Redis carry to 500 clients, in one room and in ${rooms}, directly and through HAProxy?`,
  // Without its quota a node would take what another needs.
  target: 'container',
  method: { ...search, start: 2000 },
  minutes: 30,
  variants: (stages) =>
    stages.filter(isScalable).flatMap((stage) => [1, rooms].flatMap((roomCount) => growth(stage, roomCount))),
  notes: [
    `Each node has a container of ${smallBoxCpus} CPU. They take turns on the cores that the simulator leaves, on which Redis, and HAProxy where there is one, have what the nodes leave.`,
    'Every node receives every message through Redis, whether it has sessions of that room or not: more nodes share the writes to sessions, and each does all of the reading.',
    'Directly, the simulator spreads clients over the nodes in turn, as a load balancer does by least connections. Through HAProxy it knows the address of that alone; only as many nodes are tried as leave HAProxy and Redis half of the CPU of the server’s side, because HAProxy reads and writes again all that the nodes write. Its CPU is in the series of every trial (haproxy).',
    `Each node reads from and writes to each of its clients once in a round, whatever the load: in ${smallBoxCpus} CPU some 50 ms with 500 clients. A collection of garbage takes up to 400 ms there. More nodes share both, so that capacity under the same limit on latency can grow by more than the number of nodes.`,
    `In ${rooms} rooms a message has 10 recipients and not 500: compare deliveries per second with those of one room, not messages per second.`,
  ],
};

/** The variants of one stage that differ in the number of nodes: directly, then through the balancer. */
function growth(stage: StageInfo, roomCount: number): Variant[] {
  const where = roomCount === 1 ? 'one room' : `${roomCount} rooms`;
  return [false, true].flatMap((balancer) => {
    const through = balancer ? `${where}, through HAProxy` : where;
    const counts = balancer ? nodeCounts.filter((count) => count <= balancedBoxesMax()) : nodeCounts;
    return counts.map((count) => ({
      name: `${stage.name} × ${count}, ${through}`,
      stage,
      // A session may send as much as the search asks for; the rate limit is not the question.
      settings: { 'message-rate-max': '10000/s', 'messages-burst-max': '20000' },
      nodes: count,
      balancer,
      scale: { of: 'nodes' as const, count, group: `${stage.name}, ${through}` },
      allocation: allocateSmallBoxes(1),
      workload: { rooms: roomCount },
    }));
  });
}
