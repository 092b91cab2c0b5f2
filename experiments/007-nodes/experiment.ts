/** Capacity against the number of nodes, in one room and in many, directly and through a load balancer. */
import { allocateSmallBoxes, balancedBoxesMax, smallBoxCpus } from '../lab/deployment/allocation.ts';
import { isScalable, type StageInfo } from '../lab/deployment/list-stages.ts';
import { type CapacityExperiment, search, thousandClients } from '../lab/shapes/capacity/capacity.ts';
import type { Variant } from '../lab/trial/variant.ts';

const nodeCounts = [1, 2, 3, 4];
const rooms = 100;

export const nodes: CapacityExperiment = {
  ...thousandClients,
  name: '007-nodes',
  question: `How many messages per second do 1, 2, 3 and 4 nodes of ${smallBoxCpus} CPU each behind Redis carry to 1,000 clients, in one room and in ${rooms}, directly and through HAProxy?`,
  // Without its quota a node would take what another needs.
  target: 'container',
  method: { ...search, start: 2000 },
  minutes: 30,
  // A fifth of a core completes few handshakes per second, and the ramp is not the question.
  workloadAt: (load) => ({ ...thousandClients.workloadAt(load), connectPerSecond: 200 }),
  variants: (stages) =>
    stages.filter(isScalable).flatMap((stage) => [1, rooms].flatMap((roomCount) => growth(stage, roomCount))),
  notes: [
    `Each node has a container of ${smallBoxCpus} CPU. They take turns on the cores that the simulator leaves, on which Redis, and HAProxy where there is one, have what the nodes leave.`,
    'Every node receives every message through Redis, whether it has sessions of that room or not: more nodes share the writes to sessions, and each does all of the reading.',
    'Directly, the simulator spreads clients over the nodes in turn, as a load balancer does by least connections. Through HAProxy it knows the address of that alone; only as many nodes are tried as leave HAProxy and Redis half of the CPU of the server’s side, because HAProxy reads and writes again all that the nodes write. Its CPU is in the series of every trial (haproxy).',
    `In ${smallBoxCpus} CPU a round of writes to all clients takes some 100 ms, and a message waits for up to two: the p99 lies near its limit over a wide range of loads, where a collection of garbage decides between pass and fail.`,
    `In ${rooms} rooms a message has 10 recipients and not 1,000: compare deliveries per second with those of one room, not messages per second.`,
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
