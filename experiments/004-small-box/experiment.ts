/** How many people fit in the smallest box anybody would rent? The experiment that scale-chat ran, as it ran it. */
import { type Experiment, type Variant, variantPerStage } from '../lab/shapes/experiment.ts';

/** The first three stages share nothing with other processes: the box holds all there is of them. */
const stagesInOneBox = ['01-naive', '02-bounded', '03-cursor'];
const targetLimits = { serverCpus: 0.25, serverMemoryMb: 512, loadtestCpus: 1, loadtestMemoryMb: 2048 };
const hints = { '01-naive': 70, '02-bounded': 70, '03-cursor': 500 };

export const smallBox: Experiment = {
  name: '004-small-box',
  question:
    'How many clients can one room hold in 0.25 CPU and 512 MB when each sends one message of 256 B per second?',
  varied: { quantity: 'clients', unit: 'clients' },
  target: 'container',
  method: {
    kind: 'capacity',
    start: 70,
    growth: 1.5,
    tolerance: 0.08,
    confirmations: 3,
    trialsMax: 24,
    loadMin: 2,
    loadMax: 8000,
  },
  // What scale-chat's server still held at 70 clients (p99 984 ms, nothing lost), and no longer at 80.
  limits: ['p99<1s', 'lost=0', 'duplicated=0', 'reordered=0', 'misrouted=0', 'corrupted=0'],
  timing: { warmUpSeconds: 2, measureSeconds: 8, drainSeconds: 5 },
  // A box of a quarter of a core shakes few hands per second, and the ramp is not the question.
  workloadAt: (load) => ({ clients: load, ratePerSecond: load, payloadBytes: 256, connectPerSecond: 200 }),
  variants: (stages) => {
    const inOneBox = stages.filter(({ name }) => stagesInOneBox.includes(name));
    return variantPerStage(inOneBox, hints)
      .flatMap((variant) => (variant.stage === '03-cursor' ? [variant, inRounds(variant)] : [variant]))
      .map((variant) => ({ ...variant, targetLimits }));
  },
  notes: [
    'scale-chat published for this workload and box: 70 clients p50 385 ms, p99 984 ms, nothing lost; 80 clients p99 21.6 s; 90 clients 16 % lost; 100 clients 47 % lost.',
    'The limit is what its server held at 70 clients: p99 below 1 s and nothing lost. By that limit its capacity was 70 clients and 4,900 deliveries/s.',
    'Deliveries grow with the square of the clients: ten times the clients is a hundred times the deliveries.',
    'Same: one room, one message of 256 B per second and client, 0.25 CPU and 512 MB for the server, no swap, server and clients in containers of their own.',
    'In rounds of 200 ms the same server writes to each session five times a second at most: it spends latency, which the limit leaves plenty of, to save writes, which cost its CPU.',
    'Different: its clients waited for a timer and measured from the actual send; here the schedule is fixed and latency counts from the moment a message was due, which can only be longer.',
    'Different: another machine, a CPU of other years, another runtime version; a quarter of a core is not the same quarter.',
    'A quota of 0.25 CPU runs 25 ms of every 100 ms: a server that has used its share sleeps up to 75 ms whatever its code does. Throttling is shown beside the latency.',
  ],
};

/** The same stage, told to wait between its rounds: with a limit of 1 s there is latency to spend. */
function inRounds(variant: Variant): Variant {
  return {
    ...variant,
    name: `${variant.stage}, rounds of 200 ms`,
    settings: { 'fan-out-interval-ms': '200' },
    start: 1000,
  };
}
