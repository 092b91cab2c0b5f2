/** What the stages of several processes cost against the stage of one: the measurements of the benchmark about them. */
import { readMetric } from '../lab/server-metrics.ts';
import { load, withStage } from './measurement.ts';

/** Deliveries for each CPU second of the server, all its processes together, in the measure phase; and the verdict. */
export async function serverEfficiency(
  stage: string,
  settings: Readonly<Record<string, string>>,
  ratePerSecond: number,
  seed: number,
  signal: AbortSignal,
) {
  return withStage(
    stage,
    signal,
    async (target) => {
      const cpuSeconds = async () =>
        (await target.sample())
          .filter(({ role }) => role === 'server')
          .reduce((sum, node) => sum + node.cpuSeconds, 0);
      const marks = new Map<string, Promise<number>>();
      const work = { clients: 1000, ratePerSecond, seconds: 10, seed };
      const result = await load(target, work, signal, (phase) => marks.set(phase, cpuSeconds()));
      const spent = (await marks.get('drain')!) - (await marks.get('measure')!);
      const deliveries = result.deliveriesPerSecond * work.seconds;
      return { perCpuSecond: deliveries / spent, cores: spent / work.seconds, verdict: result.verdict };
    },
    settings,
  );
}

/** Chat messages in one Redis publish at a load, as the node itself counts them. */
export async function messagesPerPublish(
  ratePerSecond: number,
  seed: number,
  signal: AbortSignal,
): Promise<number> {
  return withStage('05-backplane', signal, async (target) => {
    await load(target, { clients: 1000, ratePerSecond, seconds: 3, seed }, signal);
    const response = await fetch(`${target.servers[0]!.internalUrl}/metrics`, { signal });
    const text = await response.text();
    const value = (name: string) => readMetric(text, `chat_backplane_batch_messages_${name}`) ?? Number.NaN;
    return value('sum') / value('count');
  });
}
