/**
 * `npm run bench`: the figures this project promises, side by side in one run, as ratios where the machine
 * would otherwise decide. Exit code 0 when every figure reaches its minimum, 1 when one does not.
 */
import { Command } from 'commander';
import { medianOf } from '../lab/analysis/statistics.ts';
import { capacity, idleMemory, load, withStage, yardstick } from './measurement.ts';
import { messagesPerPublish, workersEfficiency } from './processes.ts';

type Figure = {
  what: string;
  measured: number;
  atLeast: string;
  aim: string;
  reached: boolean;
  unit: string;
};

/**
 * Rates at which the yardstick is tried; the best counts, because it gains from bulk until it falls behind.
 */
const yardstickRates = [300, 500, 700];

async function main(): Promise<void> {
  const command = new Command('npm run bench --')
    .description('Measures the promised figures on this machine, in about twelve minutes per repetition.')
    .option('--repetitions <n>', 'how often everything is measured; medians count', '1')
    .option('--seed <n>', 'seed of the schedules', '1');
  const options = command.parse().opts<{ repetitions: string; seed: string }>();
  const repetitions = wholeNumber('--repetitions', options.repetitions);
  const seed = wholeNumber('--seed', options.seed);
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort(new Error('interrupted')));
  const rounds: Figure[][] = [];
  for (let round = 0; round < repetitions; round++)
    rounds.push(await measure(seed + round, interrupt.signal));
  const figures = rounds[0]!.map((figure, index) =>
    median(
      rounds.map((round) => round[index]!),
      figure,
    ),
  );
  console.log(`\n${table(figures)}`);
  process.exitCode = figures.every(({ reached }) => reached) ? 0 : 1;
}

/** Everything once, the compared things next to each other in time. */
async function measure(seed: number, signal: AbortSignal): Promise<Figure[]> {
  say('Capacity at 1,000 clients, 128 B, p99 < 250 ms, nothing lost');
  const naive = await capacity('01-naive', 80, seed, signal, say);
  const cursor = await capacity('03-cursor', 10_000, seed, signal, say);
  const node = await capacity('05-backplane', 10_000, seed, signal, say);
  const perPublish = await messagesPerPublish(node.messagesPerSecond, seed, signal);
  say(`  05-backplane: ${perPublish.toFixed(1)} messages in one Redis publish`);
  say('CPU time of two workers against one process, 1,000 clients, rounds of 50 ms');
  const workers = await workersEfficiency(seed, signal, say);
  say('10,000 clients: 03-cursor at 100 messages/s, 01-naive at 10');
  const crowd = (stage: string, ratePerSecond: number) =>
    withStage(stage, signal, (target) =>
      load(target, { clients: 10_000, ratePerSecond, seconds: 15, seed }, signal),
    );
  const crowdNaive = await crowd('01-naive', 10);
  const crowdCursor = await crowd('03-cursor', 100);
  say(
    `  01-naive p99 ${crowdNaive.deliveryLatencyMs.p99} ms (${crowdNaive.verdict}), 03-cursor p99 ${crowdCursor.deliveryLatencyMs.p99} ms (${crowdCursor.verdict})`,
  );
  say('10,000 idle sessions');
  const idle = await idleMemory('03-cursor', seed, signal);
  say('The simulator against plain ws clients, both on 03-cursor');
  const yardsticks = [];
  for (const rate of yardstickRates) {
    const result = await yardstick('03-cursor', rate, 4, signal);
    const perCpuSecond = result.deliveries / result.cpuSeconds;
    say(
      `  ws clients at ${rate} messages/s: ${millions(perCpuSecond)} deliveries per CPU second, ${result.faults} faults`,
    );
    if (result.faults === 0) yardsticks.push(perCpuSecond);
  }
  const audited = cursor.result;
  const simulatorPerCpuSecond = audited.audit.delivered / audited.instrument.cpuSeconds;
  say(
    `  simulator at ${audited.workload.ratePerSecond} messages/s: ${millions(simulatorPerCpuSecond)} audited deliveries per CPU second`,
  );
  return [
    floor(
      '03-cursor ÷ 01-naive, deliveries/s at capacity',
      cursor.result.deliveriesPerSecond / naive.result.deliveriesPerSecond,
      60,
      180,
      '×',
    ),
    floor(
      '03-cursor, audited deliveries/s at 1,000 clients',
      cursor.result.deliveriesPerSecond / 1e6,
      6,
      20,
      'M/s',
    ),
    ceiling(
      'p99 at 10,000 clients: 03-cursor at 100/s ÷ 01-naive at 10/s',
      crowdCursor.deliveryLatencyMs.p99 / crowdNaive.deliveryLatencyMs.p99,
      1,
      0.3,
      '×',
    ),
    ceiling('server RSS per idle session, 10,000 sessions', idle.serverBytesPerSession / 1000, 12, 6, 'kB'),
    ceiling(
      'simulator RSS per virtual client, 10,000 clients in one process',
      idle.simulatorBytesPerClient / 1000,
      6,
      6,
      'kB',
    ),
    floor(
      '05-backplane with one node ÷ 03-cursor, messages/s at capacity',
      node.messagesPerSecond / cursor.messagesPerSecond,
      0.5,
      0.8,
      '×',
    ),
    floor('05-backplane at capacity, chat messages in one Redis publish', perPublish, 20, 40, ''),
    floor(
      '04-cores with 2 workers ÷ 03-cursor, deliveries per CPU second of the server',
      workers,
      0.8,
      0.9,
      '×',
    ),
    floor(
      'simulator in one worker, audited deliveries/s',
      cursor.result.deliveriesPerSecond / 1e6,
      5,
      10,
      'M/s',
    ),
    floor(
      'simulator ÷ ws clients, audited deliveries per CPU second',
      simulatorPerCpuSecond / Math.max(...yardsticks),
      10,
      25,
      '×',
    ),
  ];
}

function floor(what: string, measured: number, least: number, aim: number, unit: string): Figure {
  return { what, measured, atLeast: `≥ ${least}`, aim: `${aim}`, reached: measured >= least, unit };
}

function ceiling(what: string, measured: number, most: number, aim: number, unit: string): Figure {
  return { what, measured, atLeast: `≤ ${most}`, aim: `${aim}`, reached: measured <= most, unit };
}

/** The figure of the median round; with an even number of rounds, the lower of the two in the middle. */
function median(rounds: readonly Figure[], first: Figure): Figure {
  const value = medianOf(rounds.map(({ measured }) => measured));
  return rounds.find(({ measured }) => measured === value) ?? first;
}

function table(figures: readonly Figure[]): string {
  const width = Math.max(...figures.map(({ what }) => what.length));
  const row = (what: string, measured: string, least: string, aim: string, verdict: string) =>
    `${what.padEnd(width)}  ${measured.padStart(10)}  ${least.padStart(8)}  ${aim.padStart(5)}  ${verdict}`;
  return [
    row('what', 'measured', 'at least', 'aim', ''),
    ...figures.map((f) =>
      row(
        f.what,
        `${f.measured.toPrecision(3)} ${f.unit}`,
        f.atLeast,
        f.aim,
        f.reached ? 'reached' : 'MISSED',
      ),
    ),
  ].join('\n');
}

function wholeNumber(flag: string, given: string): number {
  if (/^[1-9]\d{0,5}$/.test(given)) return Number(given);
  console.error(`Set ${flag} to a whole number from 1 to 999999; given was "${given}".`);
  process.exit(2);
}

const millions = (value: number) => `${(value / 1e6).toFixed(2)} M`;
const say = (line: string) => console.log(line);

await main();
