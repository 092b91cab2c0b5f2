/** The figures that this project promises: how each is measured, and its minimum and aim. */
import { medianOf } from '../lab/analysis/statistics.ts';
import { capacity, crowd, idleMemory, type Round, yardstick } from './measurement.ts';
import { messagesPerPublish, workersEfficiency } from './processes.ts';

export type Figure = {
  subject: string;
  measured: number;
  /** `≥ 60` or `≤ 1`. */
  bound: string;
  aim: number;
  reached: boolean;
  unit: string;
};

/** Measures everything once. Quantities that are compared follow one another. */
export async function measureFigures(round: Round): Promise<Figure[]> {
  const { say } = round;
  say('Capacity at 1,000 clients, 128 B, p99 < 250 ms, nothing lost');
  const naive = await capacity('01-naive', 80, round);
  const cursor = await capacity('03-cursor', 10_000, round);
  const node = await capacity('05-backplane', 10_000, round);
  const perPublish = await messagesPerPublish(node.messagesPerSecond, round);
  say(`  05-backplane: ${perPublish.toFixed(1)} messages in one Redis publish`);
  say('CPU time of two workers against one process, 1,000 clients, rounds of 50 ms');
  const workers = await workersEfficiency(round);
  say('10,000 clients: 03-cursor at 100 messages/s, 01-naive at 10');
  const crowdNaive = await crowd('01-naive', 10, round);
  const crowdCursor = await crowd('03-cursor', 100, round);
  const [naiveMs, cursorMs] = [crowdNaive.deliveryLatencyMs.p99, crowdCursor.deliveryLatencyMs.p99];
  const naiveText = `01-naive p99 ${naiveMs} ms (${crowdNaive.verdict})`;
  say(`  ${naiveText}, 03-cursor p99 ${cursorMs} ms (${crowdCursor.verdict})`);
  say('10,000 idle sessions');
  const idle = await idleMemory('03-cursor', round);
  say('The simulator against plain ws clients, both on 03-cursor');
  const plainClients = await yardstick('03-cursor', round);
  const { audit, instrument, workload } = cursor.result;
  const simulator = audit.delivered / instrument.cpuSeconds;
  const millions = (simulator / 1e6).toFixed(2);
  say(`  simulator at ${workload.ratePerSecond} messages/s: ${millions} M audited deliveries per CPU second`);
  const cursorDeliveries = cursor.result.deliveriesPerSecond;
  const naiveDeliveries = naive.result.deliveriesPerSecond;
  const nodeShare = node.messagesPerSecond / cursor.messagesPerSecond;
  const [serverKb, clientKb] = [idle.serverBytesPerSession / 1000, idle.simulatorBytesPerClient / 1000];
  return [
    least('03-cursor ÷ 01-naive, deliveries/s at capacity', cursorDeliveries / naiveDeliveries, 60, 180, '×'),
    least('03-cursor, audited deliveries/s at 1,000 clients', cursorDeliveries / 1e6, 6, 20, 'M/s'),
    most('p99 at 10,000 clients: 03-cursor at 100/s ÷ 01-naive at 10/s', cursorMs / naiveMs, 1, 0.3, '×'),
    most('server RSS per idle session, 10,000 sessions', serverKb, 12, 6, 'kB'),
    most('simulator RSS per virtual user, 10,000 users in one process', clientKb, 6, 6, 'kB'),
    least('05-backplane with one node ÷ 03-cursor, messages/s at capacity', nodeShare, 0.5, 0.8, '×'),
    least('05-backplane at capacity, chat messages in one Redis publish', perPublish, 20, 40, ''),
    least('04-cores with 2 workers ÷ 03-cursor, deliveries per server CPU second', workers, 0.8, 0.9, '×'),
    least('simulator in one worker, audited deliveries/s', cursorDeliveries / 1e6, 5, 10, 'M/s'),
    least('simulator ÷ ws clients, deliveries per CPU second', simulator / plainClients, 10, 25, '×'),
  ];
}

/** Each figure of its median round; of an even number of rounds, the lower of the middle two. */
export function medianFigures(rounds: readonly (readonly Figure[])[]): Figure[] {
  const [first = []] = rounds;
  return first.map((figure, index) => {
    const same = rounds.flatMap((round) => round[index] ?? []);
    const value = medianOf(same.map(({ measured }) => measured));
    return same.find(({ measured }) => measured === value) ?? figure;
  });
}

function least(subject: string, measured: number, min: number, aim: number, unit: string): Figure {
  return { subject, measured, bound: `≥ ${min}`, aim, reached: measured >= min, unit };
}

function most(subject: string, measured: number, max: number, aim: number, unit: string): Figure {
  return { subject, measured, bound: `≤ ${max}`, aim, reached: measured <= max, unit };
}
