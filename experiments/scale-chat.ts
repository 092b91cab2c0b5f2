/**
 * What the experiments after scale-chat's three load tests have in common. Its code, setup and figures:
 * https://github.com/MerzMax/scale-chat (tags load-test-1 to load-test-3, csv-plotter/render-plots.ipynb).
 */
import type { LoadExperiment } from './lab/shapes/load-trials.ts';
import { exactDelivery } from './lab/shapes/load-trials.ts';
import type { Variant } from './lab/trial/variant.ts';

/** Of each server, in milliseconds: the period of the engine, which scale-chat had, and a smooth one. */
const cpuPeriodsMs = [100, 10];

/** Each variant in scale-chat's box of 0.25 CPU and 512 MB, once for each length of the quota's periods. */
export function inSmallBoxes(variants: readonly Variant[]): Variant[] {
  const box = { serverCpus: 0.25, serverMemoryMb: 512, loadtestCpus: 1, loadtestMemoryMb: 2048 };
  return variants.flatMap((variant) =>
    cpuPeriodsMs.map((cpuPeriodMs) => ({
      ...variant,
      name: `${variant.name}, periods of ${cpuPeriodMs} ms`,
      allocation: { ...box, cpuPeriodMs },
    })),
  );
}

/** So many clients in so many rooms, each client with one message per second. */
export function oneMessageEach(clients: number, rooms = 1) {
  return {
    clients,
    rooms,
    // The simulator has at most as many senders in a room as clients.
    sendersPerRoom: clients,
    ratePerSecond: clients,
    // A text of 256 bytes.
    payloadBytes: 291,
    // A quarter of a core completes few handshakes per second, and the ramp is not the question.
    connectPerSecond: 200,
  };
}

/** The parts of an experiment that all of them have. */
export const likeScaleChat = {
  target: 'container',
  // Its server held this with 70 clients in one room (p99 984 ms, nothing lost), and no longer with 80.
  limits: ['p99<1s', ...exactDelivery],
  timing: { warmUpSeconds: 1, measureSeconds: 4, drainSeconds: 3 },
} as const satisfies Pick<LoadExperiment, 'target' | 'limits' | 'timing'>;

/** Facts that a reader needs to compare any of them with the published figures. */
export const comparedWithScaleChat = [
  'Same as scale-chat: one message per second and client with a text of 256 B, 0.25 CPU and 512 MB for each server, no swap, server and clients in separate containers.',
  'Different: its frames carried a number, a time and a longer id beside the text, about 400 B in all; ours are 291 B.',
  'Different: its clients waited for a timer and measured from the actual send; here the schedule is fixed and latency counts from the due time, which can only be longer.',
  'Different: its trials lasted minutes. Above its capacity a server’s latency grows for as long as the trial lasts, so compare whether a load was held, and not by how much it was missed.',
  'Different: another machine, a CPU of another generation, another runtime (its server is written in Go); a quarter of a core is not the same quarter.',
  'A quota of 0.25 CPU with the engine’s period of 100 ms, which scale-chat had, runs 25 ms of each: a server that has used its share sleeps up to 75 ms. With periods of 10 ms it sleeps up to 7.5 ms. Throttling is shown beside the latency.',
];
