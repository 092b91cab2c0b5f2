/** Capacity of one room in a small container: the experiment of scale-chat, with its CPU and memory. */
import { isOneProcess } from '../lab/deployment/list-stages.ts';
import { type CapacityExperiment, capacity, search } from '../lab/shapes/capacity/capacity.ts';
import { exactDelivery } from '../lab/shapes/load-trials.ts';
import { variantOfStage } from '../lab/trial/variant.ts';

const allocation = { serverCpus: 0.25, serverMemoryMb: 512, loadtestCpus: 1, loadtestMemoryMb: 2048 };

export const smallBox: CapacityExperiment = {
  name: '004-small-box',
  question:
    'How many clients can one room hold in 0.25 CPU and 512 MB when each sends one message of 256 B per second?',
  varied: { quantity: 'clients', unit: 'clients' },
  target: 'container',
  shape: capacity,
  method: { ...search, start: 70, loadMin: 2, loadMax: 8000 },
  // scale-chat's server held this at 70 clients (p99 984 ms, nothing lost), and no longer at 80.
  limits: ['p99<1s', ...exactDelivery],
  timing: { warmUpSeconds: 2, measureSeconds: 8, drainSeconds: 5 },
  // A quarter of a core completes few handshakes per second, and the ramp is not the question.
  workloadAt: (load) => ({
    clients: load,
    sendersPerRoom: load,
    ratePerSecond: load,
    payloadBytes: 256,
    connectPerSecond: 200,
  }),
  variants: (stages) => {
    const variants = stages.filter(isOneProcess).map((stage) => ({ ...variantOfStage(stage), allocation }));
    // A fan-out over a log can wait between its rounds: the limit of 1 s lets it trade latency for CPU.
    const overLog = variants.filter(({ stage }) => 'segmentsBehindMax' in stage.limits);
    const inRounds = overLog.map((variant) => ({
      ...variant,
      name: `${variant.name}, rounds of 200 ms`,
      settings: { 'fan-out-interval-ms': '200' },
    }));
    return [...variants, ...inRounds];
  },
  notes: [
    'scale-chat published for this workload and container: 70 clients p50 385 ms, p99 984 ms, nothing lost; 80 clients p99 21.6 s; 90 clients 16 % lost; 100 clients 47 % lost.',
    'The limit is what its server held at 70 clients: p99 below 1 s and nothing lost. By that limit its capacity was 70 clients and 4,900 deliveries/s.',
    'Deliveries grow with the square of the clients: ten times the clients is a hundred times the deliveries.',
    'Same: one room, one message of 256 B per second and client, 0.25 CPU and 512 MB for the server, no swap, server and clients in separate containers.',
    'In rounds of 200 ms the same server writes to each session five times a second at most: it trades latency, which the limit allows, for fewer writes, which cost its CPU.',
    'Different: its clients waited for a timer and measured from the actual send; here the schedule is fixed and latency counts from the due time, which can only be longer.',
    'Different: another machine, a CPU of another generation, another runtime version; a quarter of a core is not the same quarter.',
    'A quota of 0.25 CPU runs 25 ms of every 100 ms: a server that has used its share sleeps up to 75 ms. Throttling is shown beside the latency.',
  ],
};
