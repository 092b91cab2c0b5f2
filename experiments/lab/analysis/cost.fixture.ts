/** Capacity runs whose trials cost what a known model says, for tests. */
import { loadtestFixture, runFixture, trialFixture, variantFixture } from '../records/run.fixture.ts';
import type { LoadRun, TrialRecord } from '../records/schema.ts';

/** Seconds of CPU. */
export const trueCost = { up: 0.02, entry: 20e-6, write: 6e-6, byte: 0.1e-9 };

export type Measured = {
  /** Of all rooms together. */
  messages: number;
  rooms: number;
  payloadBytes: number;
  framesPerWrite: number;
  processes: number;
  outcome: TrialRecord['outcome'];
  /** False: as a result from before the servers' counters were kept. */
  counted: boolean;
};

const clients = 1000;
const usual: Measured = {
  ...{ messages: 1000, rooms: 1, payloadBytes: 128, framesPerWrite: 1, processes: 1 },
  ...{ outcome: 'pass', counted: true },
};

/** One variant of the stage for each list of trials. */
export function costRun(stage: string, variants: readonly (readonly Partial<Measured>[])[]): LoadRun {
  const names = variants.map((_, index) => `${stage} ${index + 1}`);
  return runFixture(
    names.map((name) => variantFixture(name, { stage })),
    variants.flatMap((trials, index) => {
      return trials.map((trial, number) => costTrial(stage, names[index]!, number, { ...usual, ...trial }));
    }),
  );
}

function costTrial(stage: string, variant: string, number: number, measured: Measured): TrialRecord {
  const { messages, rooms, payloadBytes, framesPerWrite, processes, outcome, counted } = measured;
  const deliveries = (messages * clients) / rooms;
  const frameBytes = payloadBytes + 4;
  const writes = deliveries / framesPerWrite;
  const cpuCores =
    processes * (trueCost.up + messages * trueCost.entry) +
    writes * trueCost.write +
    deliveries * frameBytes * trueCost.byte;
  const base = loadtestFixture(messages, 50);
  const loadtest = {
    ...base,
    deliveriesPerSecond: deliveries,
    workload: { ...base.workload, clients, rooms, payloadBytes },
  };
  const trial = trialFixture(number, messages, 50, { stage, variant, outcome, loadtest });
  const perWrite = { messagesPerWrite: framesPerWrite, bytesPerWrite: framesPerWrite * frameBytes };
  const server = { ...trial.server!, cpuCores, eventLoops: processes, ...(counted ? perWrite : {}) };
  return {
    ...trial,
    server: { ...server, rssIdleBytes: 60e6 * processes, rssMaxBytes: 60e6 * processes + 30e6 },
  };
}
