/** The cost of stages of several processes against a stage of one: measurements of the benchmark. */
import { medianOf } from '../lab/analysis/statistics.ts';
import type { Deployment } from '../lab/deployment/deployment.ts';
import { readMetric } from '../lab/trial/server-metrics.ts';
import { load, type Round, withStage } from './measurement.ts';

/**
 * The CPU time of the work shows only below saturation and in rounds of one length: a server without a pause
 * between its rounds uses all the CPU there is at any rate, and then the figure would be the rate.
 */
const inRounds = { 'fan-out-interval': '50ms' };
const ratePerSecond = 8000;
const attemptsMax = 3;

/** Deliveries per CPU second of 04-cores with two workers ÷ those of 03-cursor: the median of rounds. */
export async function workersEfficiency(round: Round): Promise<number> {
  const ratios: number[] = [];
  for (let pair = 0; pair < round.effort.workers.pairs; pair++) {
    const seeded = { ...round, seed: round.seed + pair };
    const one = await deliveriesPerCpuSecond('03-cursor', inRounds, seeded);
    const two = await deliveriesPerCpuSecond('04-cores', { ...inRounds, workers: '2' }, seeded);
    ratios.push(two / one);
  }
  round.say(`  04-cores with 2 workers ÷ 03-cursor: ${ratios.map((ratio) => ratio.toFixed(2)).join(', ')}`);
  return medianOf(ratios);
}

/** Of all processes of the server, in the measure phase. Tries again where the run was void. */
async function deliveriesPerCpuSecond(
  stage: string,
  settings: Readonly<Record<string, string>>,
  { effort, seed, signal, say }: Round,
): Promise<number> {
  const { warmUpSeconds, measureSeconds: seconds } = effort.workers;
  const work = { clients: 1000, ratePerSecond, seconds, warmUpSeconds, seed };
  const measureOnce = async (deployment: Deployment) => {
    const marks = new Map<string, Promise<number>>();
    const mark = (phase: string) => marks.set(phase, serverCpuSeconds(deployment));
    const result = await load(deployment, work, signal, mark);
    return { result, cpuSeconds: (await marks.get('drain')!) - (await marks.get('measure')!) };
  };
  for (let attempt = 1; ; attempt++) {
    const { result, cpuSeconds } = await withStage(stage, signal, measureOnce, settings);
    const { verdict, reasons, deliveriesPerSecond } = result;
    const perCpuSecond = (deliveriesPerSecond * seconds) / cpuSeconds;
    const figures = `${(perCpuSecond / 1e6).toFixed(2)} M deliveries per CPU second`;
    const title = `${stage} at ${ratePerSecond} messages/s`;
    say(`  ${title}: ${figures}, ${(cpuSeconds / seconds).toFixed(2)} cores (${verdict})`);
    if (verdict === 'pass') return perCpuSecond;
    if (verdict === 'fail' || attempt === attemptsMax) throw new Error(`${title}: ${verdict}, ${reasons[0]}`);
  }
}

async function serverCpuSeconds(deployment: Deployment): Promise<number> {
  const samples = await deployment.sample();
  return samples.filter(({ role }) => role === 'server').reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
}

/** Chat messages in one Redis publish at a load, as the node itself counts them. */
export async function messagesPerPublish(rate: number, { effort, seed, signal }: Round): Promise<number> {
  return withStage('05-backplane', signal, async (deployment) => {
    const seconds = effort.capacity.measureSeconds;
    await load(deployment, { clients: 1000, ratePerSecond: rate, seconds, seed }, signal);
    const response = await fetch(`${deployment.nodes[0]!.internalUrl}/metrics`, { signal });
    const text = await response.text();
    const value = (name: string) => readMetric(text, `chat_backplane_batch_messages_${name}`) ?? Number.NaN;
    return value('sum') / value('count');
  });
}
