/**
 * What the stages of several processes cost against the stage of one: the measurements of the benchmark about
 * them.
 */

import { medianOf } from '../lab/analysis/statistics.ts';
import type { Deployment } from '../lab/deployment/deployment.ts';
import { readMetric } from '../lab/trial/server-metrics.ts';
import { load, withStage } from './measurement.ts';

/**
 * What the work costs shows only below saturation and in rounds of one length: a server that goes round as
 * fast as it can uses all the CPU there is at any rate, and then the figure would be the rate.
 */
const inRounds = { 'fan-out-interval-ms': '50' };
const ratePerSecond = 8000;
/**
 * Compilers are at work for the first seconds, in each process for itself; rounds of two processes on one
 * core may collide.
 */
const warmUpSeconds = 6;
const seconds = 14;
const pairs = 5;
const attemptsMax = 3;

/**
 * Deliveries for a CPU second of 04-cores with two workers, in those of 03-cursor: the median of rounds in
 * turn.
 */
export async function workersEfficiency(
  seed: number,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<number> {
  const ratios: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const one = await deliveriesPerCpuSecond('03-cursor', inRounds, seed + pair, signal, say);
    const two = await deliveriesPerCpuSecond(
      '04-cores',
      { ...inRounds, workers: '2' },
      seed + pair,
      signal,
      say,
    );
    ratios.push(two / one);
  }
  say(`  04-cores with 2 workers ÷ 03-cursor: ${ratios.map((ratio) => ratio.toFixed(2)).join(', ')}`);
  return medianOf(ratios);
}

/**
 * For each CPU second of the server in the measure phase, all its processes together; tries again where the
 * run was void.
 */
async function deliveriesPerCpuSecond(
  stage: string,
  settings: Readonly<Record<string, string>>,
  seed: number,
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const { result, cpuSeconds } = await withStage(
      stage,
      signal,
      async (deployment) => {
        const marks = new Map<string, Promise<number>>();
        const work = { clients: 1000, ratePerSecond, seconds, warmUpSeconds, seed };
        const result = await load(deployment, work, signal, (phase) =>
          marks.set(phase, serverCpu(deployment)),
        );
        return { result, cpuSeconds: (await marks.get('drain')!) - (await marks.get('measure')!) };
      },
      settings,
    );
    const perCpuSecond = (result.deliveriesPerSecond * seconds) / cpuSeconds;
    say(
      `  ${stage} at ${ratePerSecond} messages/s: ${(perCpuSecond / 1e6).toFixed(2)} M deliveries per CPU second, ${(cpuSeconds / seconds).toFixed(2)} cores (${result.verdict})`,
    );
    if (result.verdict === 'pass') return perCpuSecond;
    if (result.verdict === 'fail' || attempt === attemptsMax)
      throw new Error(`${stage} at ${ratePerSecond} messages/s: ${result.verdict}, ${result.reasons[0]}`);
  }
}

/** CPU seconds of all server processes together, since they started. */
async function serverCpu(deployment: Deployment): Promise<number> {
  const samples = await deployment.sample();
  return samples.filter(({ role }) => role === 'server').reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
}

/** Chat messages in one Redis publish at a load, as the node itself counts them. */
export async function messagesPerPublish(
  ratePerSecond: number,
  seed: number,
  signal: AbortSignal,
): Promise<number> {
  return withStage('05-backplane', signal, async (deployment) => {
    await load(deployment, { clients: 1000, ratePerSecond, seconds: 3, seed }, signal);
    const response = await fetch(`${deployment.nodes[0]!.internalUrl}/metrics`, { signal });
    const text = await response.text();
    const value = (name: string) => readMetric(text, `chat_backplane_batch_messages_${name}`) ?? Number.NaN;
    return value('sum') / value('count');
  });
}
