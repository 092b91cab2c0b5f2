/**
 * The measurements of the benchmark: each starts what it needs on this machine, loads it for seconds, and
 * stops it.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { LoadtestResult } from '../../loadtest/result/schema.ts';
import { searchCapacity } from '../lab/analysis/capacity-search.ts';
import { allocate } from '../lab/deployment/allocation.ts';
import type { Deployment } from '../lab/deployment/deployment.ts';
import { listStages, type StageInfo } from '../lab/deployment/stage-table.ts';
import { startDeployment } from '../lab/deployment/start.ts';
import type { YardstickResult } from './ws-clients.ts';

const yardstickMain = fileURLToPath(new URL('./ws-clients.ts', import.meta.url));
const payloadBytes = 128;
/** The limits of the ladder: what people do not feel yet, and nothing lost. */
const limits = ['p99<250ms', 'lost=0', 'duplicated=0', 'corrupted=0', 'misrouted=0'];

/** Asked of the server once. */
let stages: Promise<StageInfo[]> | undefined;

export type Load = {
  clients: number;
  ratePerSecond: number;
  seconds: number;
  seed: number;
  /** 2 by default: long enough for what latency shows, not for what CPU time does. */
  warmUpSeconds?: number;
};

/**
 * Starts a stage as one node on this machine, on one core where that can be had, lets `use` have it, and
 * stops it.
 */
export async function withStage<T>(
  stage: string,
  signal: AbortSignal,
  use: (deployment: Deployment) => Promise<T>,
  settings: Readonly<Record<string, string>> = {},
): Promise<T> {
  stages ??= listStages();
  const info = (await stages).find(({ name }) => name === stage);
  if (info === undefined) throw new Error(`There is no stage ${stage}.`);
  await using deployment = await startDeployment(
    { target: 'process', simulator: 'process' },
    { stage: info, settings, nodes: 1, allocation: allocate(), scrapeHost: '127.0.0.1', signal },
  );
  return await use(deployment);
}

/** One run of the simulator; throws with what it said when it ends without a result. */
export async function load(
  deployment: Deployment,
  { clients, ratePerSecond, seconds, seed, warmUpSeconds = 2 }: Load,
  signal: AbortSignal,
  onPhase: (phase: string) => void = () => {},
) {
  const options = {
    clients,
    ratePerSecond,
    payloadBytes,
    seed,
    durationSeconds: seconds,
    warmUpSeconds,
    drainSeconds: 2,
    workers: 1,
    limits,
  };
  const { result, errorText } = await deployment.runLoadtest(options, {
    signal,
    onProgress: (progress) => progress.event === 'phase' && onPhase(progress.phase),
    onScrapeAddress: () => {},
  });
  signal.throwIfAborted();
  if (result === null) throw new Error(`The simulator ended without a result: ${errorText}`);
  return result;
}

/** Capacity in messages/s at 1,000 clients, and the result of the last trial that passed there. */
export async function capacity(
  stage: string,
  start: number,
  seed: number,
  signal: AbortSignal,
  say: (line: string) => void,
) {
  const plan = {
    kind: 'capacity' as const,
    start,
    growth: 2,
    tolerance: 0.1,
    confirmations: 2,
    trialsMax: 24,
    loadMin: 10,
    loadMax: 60_000,
  };
  let best: LoadtestResult | undefined;
  const answer = await searchCapacity(plan, async (ratePerSecond) => {
    const work = { clients: 1000, ratePerSecond, seconds: 3, seed };
    const result = await withStage(stage, signal, (deployment) => load(deployment, work, signal));
    const p99 = result.deliveryLatencyMs.p99.toFixed(0);
    say(
      `  ${stage} at ${ratePerSecond} messages/s: ${result.verdict}, p99 ${p99} ms${result.reasons[0] ? ` (${result.reasons[0]})` : ''}`,
    );
    if (result.verdict === 'pass') best = result;
    return result.verdict === 'undetermined' ? 'void' : result.verdict;
  });
  if (answer.capacity === null || best === undefined)
    throw new Error(`${stage} has no capacity that could be confirmed (${answer.end}).`);
  return { messagesPerSecond: answer.capacity, end: answer.end, result: best };
}

/** Memory of the server per idle session, and of the simulator per virtual client, at 10,000 of each. */
export async function idleMemory(stage: string, seed: number, signal: AbortSignal) {
  const clients = 10_000;
  return withStage(stage, signal, async (deployment) => {
    const before = (await deployment.sample())[0]!.rssBytes;
    let full = 0;
    const reading = setInterval(async () => {
      full = Math.max(full, (await deployment.sample())[0]!.rssBytes);
    }, 250);
    // One message per second is what the audit needs to have anything to check; the sessions are idle
    // otherwise.
    const result = await load(deployment, { clients, ratePerSecond: 1, seconds: 3, seed }, signal).finally(
      () => clearInterval(reading),
    );
    return {
      serverBytesPerSession: (full - before) / clients,
      simulatorBytesPerClient: result.instrument.rssBytesPerClient,
      verdict: result.verdict,
    };
  });
}

/** Deliveries per CPU second of plain `ws` clients that parse and check each message, at 1,000 clients. */
export async function yardstick(
  stage: string,
  ratePerSecond: number,
  seconds: number,
  signal: AbortSignal,
): Promise<YardstickResult> {
  return withStage(stage, signal, async (deployment) => {
    const args = [
      yardstickMain,
      deployment.nodes[0]!.chatUrl,
      '1000',
      String(ratePerSecond),
      String(seconds),
      String(payloadBytes),
    ];
    const { stdout } = await promisify(execFile)(process.execPath, args, { signal });
    return JSON.parse(stdout) as YardstickResult;
  });
}
