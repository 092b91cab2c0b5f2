/** Everybody reconnects at once: until all have caught up, and what those feel who never left. */
import { allocate } from '../lab/deployment/allocation.ts';
import { canResume, isOneProcess, isScalable, type StageInfo } from '../lab/deployment/list-stages.ts';
import { type FixedLoadExperiment, fixedLoad } from '../lab/shapes/fixed-load/fixed-load.ts';
import { exactDelivery } from '../lab/shapes/load-trials.ts';
import type { Variant } from '../lab/trial/variant.ts';

const serverCpus = 1;
/** All; and all but enough to see what those feel who stay. */
const shares = [1, 0.9];
const peoplePerRoom = 10;

export const storm: FixedLoadExperiment = {
  name: '012-storm',
  question: `When 1,000 to 10,000 clients lose their connections at once, how long does one node of ${serverCpus} CPU take until 99 % have caught up, and what do those feel who never left?`,
  varied: { quantity: 'clients', unit: 'clients' },
  shape: fixedLoad,
  // Without its quota a node would take what the simulator needs.
  target: 'container',
  method: { kind: 'fixed', loads: [1000, 2000, 5000, 10_000], repetitions: 1, emphasis: 'storm' },
  // The storm itself delays deliveries and lets a backlog grow; a stage that keeps no log misses messages.
  limits: ['caught-up-p99<5s', 'growth<60s', 'missed>=0', ...exactDelivery],
  // Thousands of handshakes keep its one process from sending on time; no time of a return depends on that.
  lagLimitMs: 1000,
  timing: { warmUpSeconds: 1, measureSeconds: 10, drainSeconds: 3 },
  workloadAt: (load) => ({
    clients: load,
    rooms: Math.ceil(load / peoplePerRoom),
    // One person of each room says a message per second: the one who stays, where not all leave.
    ratePerSecond: load / peoplePerRoom,
    sendersPerRoom: 1,
    payloadBytes: 128,
    connectPerSecond: 1000,
    resume: true,
    stormAtSeconds: 2,
  }),
  // The last stage of one process, then those of any number of nodes.
  variants: (stages) => {
    const oneProcess = stages.filter(isOneProcess).slice(-1);
    return [...oneProcess, ...stages.filter(isScalable)].flatMap((stage) =>
      (canResume(stage) ? [false, true] : [false]).flatMap((seated) =>
        shares.map((share) => variantOf(stage, seated, share)),
      ),
    );
  },
  notes: [
    'In the middle of a steady load a share of the clients drop their connections and come back at once, without a wait: no client of ours does that, and no server may rely on it. Each client joins with ?after= and is caught up once all that it had missed has come; where the server keeps no log, once it is connected.',
    'Missed: deliveries to people who were away, on stages that keep no log. A stage that lets people resume owes them everything.',
    `Rooms of ${peoplePerRoom} people, in each of which one says a message per second: the one who stays, where 90 % leave.`,
    'With seats, each client asks the node first where to connect (GET /connect), which is one more request each.',
    'The latency of those who stayed counts from the moment a message was due, and so contains what the simulator, busy with handshakes, sent late: both are in the table.',
    'The simulator makes at most 256 handshakes at a time with each of its processes, and the wait for them counts.',
  ],
};

function variantOf(stage: StageInfo, seated: boolean, share: number): Variant {
  const who = share === 1 ? 'all leave' : `${Math.round(100 * share)} % leave`;
  return {
    name: `${stage.name}${seated ? ' seated' : ''}, ${who}`,
    stage,
    settings: {},
    nodes: 1,
    seated,
    allocation: allocate(serverCpus),
    workload: { stormShare: share },
  };
}
