/** Measurements of the benchmark. Each starts what it needs, loads it for seconds, and stops it. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { LoadtestResult } from '../../loadtest/result/schema.ts';
import { searchCapacity } from '../lab/analysis/capacity-search.ts';
import { allocate } from '../lab/deployment/allocation.ts';
import type { Deployment } from '../lab/deployment/deployment.ts';
import { listStages, type StageInfo } from '../lab/deployment/list-stages.ts';
import { startDeployment } from '../lab/deployment/start.ts';
import type { Effort } from './effort.ts';
import type { YardstickResult } from './ws-clients.ts';

/** What all measurements of one round have in common. */
export type Round = { effort: Effort; seed: number; signal: AbortSignal; say: (line: string) => void };

const yardstickMain = fileURLToPath(new URL('./ws-clients.ts', import.meta.url));
const payloadBytes = 128;
/** The limits of the ladder experiment: a latency that people do not notice, and nothing lost. */
const limits = ['p99<250ms', 'lost=0', 'duplicated=0', 'corrupted=0', 'misrouted=0'];

/** Asked of the server once. */
let stages: Promise<StageInfo[]> | undefined;

/** Warms up for 2 s by default: long enough for latency figures, but not for CPU time. */
type Load = {
  clients: number;
  ratePerSecond: number;
  seconds: number;
  seed: number;
  warmUpSeconds?: number;
};

/** Starts a stage as one node, on one core where it can be pinned; stops it after use. */
export async function withStage<T>(
  stage: string,
  signal: AbortSignal,
  use: (deployment: Deployment) => Promise<T>,
  settings: Readonly<Record<string, string>> = {},
): Promise<T> {
  stages ??= listStages();
  const info = (await stages).find(({ name }) => name === stage);
  if (info === undefined) throw new Error(`There is no stage ${stage}.`);
  const place = { nodes: 1, allocation: allocate(), scrapeHost: '127.0.0.1', signal };
  const processes = { target: 'process', simulator: 'process' } as const;
  await using deployment = await startDeployment(processes, { stage: info, settings, ...place });
  return await use(deployment);
}

/** One run of the simulator; rejects with its last output when it ends without a result. */
export async function load(
  deployment: Deployment,
  { seconds: durationSeconds, warmUpSeconds = 2, ...work }: Load,
  signal: AbortSignal,
  onPhase: (phase: string) => void = () => {},
): Promise<LoadtestResult> {
  const phases = { warmUpSeconds, durationSeconds, drainSeconds: 2 };
  const options = { ...work, ...phases, payloadBytes, workers: 1, limits };
  await using simulator = await deployment.startSimulator(options, {
    signal,
    onProgress: (progress) => progress.event === 'phase' && onPhase(progress.phase),
    onScrapeAddress: () => {},
  });
  return await simulator.step({ last: true });
}

/** Capacity in messages/s at 1,000 clients, and the result of the highest trial that passed. */
export async function capacity(
  stage: string,
  start: number,
  { effort, seed, signal, say }: Round,
): Promise<{ messagesPerSecond: number; result: LoadtestResult }> {
  const { warmUpSeconds, measureSeconds, ...search } = effort.capacity;
  let best: LoadtestResult | undefined;
  const method = { kind: 'capacity', start, loadMin: 10, loadMax: 60_000, ...search } as const;
  const answer = await searchCapacity(method, async (ratePerSecond) => {
    const work = { clients: 1000, ratePerSecond, seconds: measureSeconds, warmUpSeconds, seed };
    const result = await withStage(stage, signal, (deployment) => load(deployment, work, signal));
    const p99 = result.deliveryLatencyMs.p99.toFixed(0);
    const reason = result.reasons[0] === undefined ? '' : ` (${result.reasons[0]})`;
    say(`  ${stage} at ${ratePerSecond} messages/s: ${result.verdict}, p99 ${p99} ms${reason}`);
    const isHigher = ratePerSecond >= (best?.workload.ratePerSecond ?? 0);
    if (result.verdict === 'pass' && isHigher) best = result;
    return result.verdict;
  });
  const { threshold, end } = answer;
  if (threshold === null || best === undefined)
    throw new Error(`${stage} held the limits at no load (${end}).`);
  return { messagesPerSecond: threshold.capacity.middle, result: best };
}

/** A stage at 10,000 clients. */
export function crowd(
  stage: string,
  ratePerSecond: number,
  { effort, seed, signal }: Round,
): Promise<LoadtestResult> {
  const work = { clients: 10_000, ratePerSecond, seconds: effort.crowdSeconds, seed };
  return withStage(stage, signal, (deployment) => load(deployment, work, signal));
}

/** Memory of the server per idle session, and of the simulator per virtual user, at 10,000 of each. */
export async function idleMemory(
  stage: string,
  { effort, seed, signal }: Round,
): Promise<{ serverBytesPerSession: number; simulatorBytesPerClient: number }> {
  const clients = 10_000;
  return withStage(stage, signal, async (deployment) => {
    const rssBytes = async () => (await deployment.sample())[0]!.rssBytes;
    const before = await rssBytes();
    let full = 0;
    const reading = setInterval(async () => {
      full = Math.max(full, await rssBytes());
    }, 250);
    // The audit needs at least one message to check; beside it the sessions are idle.
    const work = { clients, ratePerSecond: 1, seconds: effort.idleSeconds, seed };
    const result = await load(deployment, work, signal).finally(() => clearInterval(reading));
    return {
      serverBytesPerSession: (full - before) / clients,
      simulatorBytesPerClient: result.instrument.rssBytesPerClient,
    };
  });
}

/** Deliveries per CPU second of 1,000 plain `ws` clients that check each message, at the best rate. */
export async function yardstick(stage: string, { effort, signal, say }: Round): Promise<number> {
  const bestOf: number[] = [];
  for (const rate of effort.yardstickRates) {
    const { deliveries, cpuSeconds, faults } = await withStage(stage, signal, async ({ nodes }) => {
      const numbers = [1000, rate, effort.yardstickSeconds, payloadBytes].map(String);
      const args = [yardstickMain, nodes[0]!.chatUrl, ...numbers];
      const { stdout } = await promisify(execFile)(process.execPath, args, { signal });
      return JSON.parse(stdout) as YardstickResult;
    });
    const perCpuSecond = deliveries / cpuSeconds;
    const millions = (perCpuSecond / 1e6).toFixed(2);
    say(`  ws clients at ${rate} messages/s: ${millions} M deliveries per CPU second, ${faults} faults`);
    if (faults === 0) bestOf.push(perCpuSecond);
  }
  return Math.max(...bestOf);
}
