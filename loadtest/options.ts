/** The simulator's command line: the workload's table, and the options beside it with their checks. */
import { Command, Option } from 'commander';
import { readSecret } from '#host/secrets.ts';
import { writeFault } from '#host/whole-file.ts';
import { parseCount, parseOneOf, parseRate, parseTimeMs, variableOfFlag } from './option-values.ts';
import type { StepQuantities } from './result/control.ts';
import { defaultHealthLimits, type HealthLimits } from './result/health.ts';
import { type Limit, limitMetrics, parseLimit, returnMetrics, withDefaults } from './result/limits.ts';
import type { ProgressStyle } from './result/progress.ts';
import {
  checkWorkload,
  defaultWorkload,
  quantities,
  readWorkload,
  type Workload,
  withThinkTimes,
} from './workload.ts';

/** Checked options. */
export type Options = {
  workload: Workload;
  /** What each step changes in the workload: one step that changes nothing, unless steps are given. */
  steps: Partial<StepQuantities>[];
  /** Steps come as commands on standard input. */
  isControlled: boolean;
  origin: string | undefined;
  token: string | undefined;
  limits: Limit[];
  health: HealthLimits;
  /** Path of the result file; `-` is standard output. */
  json: string | undefined;
  progress: ProgressStyle | 'auto';
  isWide: boolean;
  metricsPort: number | undefined;
  metricsHost: string;
  /** The label `stage` of all metrics. */
  stage: string | undefined;
};

const explanation = `
A message is due when the schedule says so, whether or not the server has answered (open model).
Delivery latency counts from the due time. Every delivery to every client is audited: lost, duplicated,
reordered, misrouted, corrupted. What is outstanding when the drain ends is lost, and infinitely late in every
percentile (2147483.647 ms in the result file).

The limits decide the exit code: 0 all limits held, 1 a limit broke, 2 bad input, 3 void (the simulator
itself failed) or undetermined (a latency limit broke, but would have held with twice the p99 of the
simulator's own turn taken off), 4 the result could not be written, 130 interrupted. A limit is
<metric><operator><value>, such as p99<250ms, lost=0 or achieved>99/s; metrics:
${limitMetrics.join(' ')}.
Lost, duplicated, reordered, misrouted, corrupted, refused, closed, silent and blocked must be 0 unless a
limit names another bound. The backlog of deliveries must not grow (growth<50ms): growth is how much further
behind the target is in the last third of the measure phase than in the first, in a phase of at least 3 s.

Steps: with --step, the connections stay, and each step has its own warm-up, schedule, audit, limits and
verdict. A drain ends when nothing is outstanding; only the last one takes its full time. The exit code is
that of the worst step.

With --resume, users join with ?after=, come back as our clients do, and the audit goes across reconnects:
each delivery once and in order per person, over the whole step. After a return that was told to have missed
nothing, whatever does not come is lost. After one that was told otherwise, it is "missed": counted apart,
with the people and the gaps. missed and misannounced must be 0 unless a limit names another bound; closed
counts only those who do not come back. caught-up-p99 is the time from leaving until all that was missed has
come. Handshakes of a storm: at most 256 at a time for each worker; the wait for them counts.

Examples:
  npm run loadtest -- --url ws://127.0.0.1:8080/ws --clients 2000 --rate 500/s --limit 'p99<250ms'
  npm run loadtest -- --clients 1000 --rooms 50 --rate 2000/s --arrival poisson --seed 7 --json result.json
  npm run loadtest -- --clients 1000 --step 1000/s:10s --step 2000/s:10s --step 4000/s:10s
  npm run loadtest -- --connect http://127.0.0.1:8080 --clients 5000 --rooms 500 --think-time 5s..30s \\
    --duration 30s --resume --storm 100% --at 5s --limit 'caught-up-p99<2s'
  LOADTEST_CLIENTS=70 LOADTEST_RATE=70/s LOADTEST_PAYLOAD_SIZE=256B npm run loadtest
`;

/** The command; its help text is the manual of the simulator. */
export function newCommand(): Command {
  const command = new Command('loadtest').description(
    'Drives a chat server with thousands of virtual users, audits every delivery, and judges itself first.',
  );
  for (const [, { flag, argument, help, fallback, isList, write }] of quantities())
    command.addOption(
      option(
        `${flag} ${argument}`.trim(),
        help,
        isList ? undefined : write(fallback)[0] || undefined,
        isList,
      ),
    );
  const { scheduleLagMsP99Max, turnMsP99Max, throttledMsMax } = defaultHealthLimits;
  return command
    .addOption(
      option(
        '--step <rate:time>',
        'one step, such as 100/s:10s, in place of --rate and --duration; repeatable, on the same connections',
        undefined,
        true,
      ),
    )
    .addOption(option('--control', 'take steps as JSON commands from standard input (result/control.ts)'))
    .addOption(option('--origin <origin>', 'Origin header of the handshake'))
    .addOption(
      option(
        '--token <token>',
        'sent as Authorization: Bearer in the handshake; other users see arguments, but neither variables nor files',
      ),
    )
    .addOption(option('--token-file <file>', 'the same from a file'))
    .addOption(option('--limit <limit>', "must hold, such as 'p99<250ms'; repeatable", undefined, true))
    .addOption(
      option('--lag-limit <time>', 'void above this p99 of the schedule lag', `${scheduleLagMsP99Max}ms`),
    )
    .addOption(
      option(
        '--turn-limit <time>',
        'a worker that is busy and takes longer to read what waits is saturated; void if that lasts',
        `${turnMsP99Max}ms`,
      ),
    )
    .addOption(
      option('--throttled-limit <time>', 'void if the cgroup throttled it longer', `${throttledMsMax}ms`),
    )
    .addOption(option('--json <file>', 'write the result there; - is standard output'))
    .addOption(option('--progress <style>', 'auto, tty, plain, json or none', 'auto'))
    .addOption(option('--wide', 'tables that may be wider than 80 columns'))
    .addOption(option('--metrics-port <n>', 'serve Prometheus metrics there while running'))
    .addOption(option('--metrics-host <host>', 'address of that port', '127.0.0.1'))
    .addOption(
      option('--stage-label <stage>', 'the stage under load, if it is known: a label of all metrics'),
    )
    .addHelpText('after', explanation)
    .allowExcessArguments(false);
}

function option(flags: string, help: string, fallback?: string, isList = false): Option {
  const made = new Option(flags, isList ? `${help}; separated by blanks in the environment` : help);
  const variable = variableOfFlag(flags.split(' ')[0]!);
  // For commander a variable that is set turns a switch on, whatever its value.
  const isOff = made.isBoolean() && ['', '0', 'false'].includes(process.env[variable] ?? '1');
  if (!isOff) made.env(variable);
  if (fallback !== undefined) made.default(fallback);
  if (isList)
    made.argParser((value, before: string[] = []) => [...before, ...value.split(/\s+/).filter(Boolean)]);
  return made;
}

/** Checks all options at once. Each problem says what is required and what was given. */
export function checkOptions(command: Command): { options: Options; problems: string[] } {
  const raw: Readonly<Record<string, unknown>> = command.opts();
  const { workload: given, problems } = readWorkload(raw);
  const workload = withThinkTimes({ ...defaultWorkload, ...given });
  const text = (name: string) => raw[name] as string | undefined;
  const attempt = <T>(fallback: T, check: () => T): T => {
    try {
      return check();
    } catch (error) {
      problems.push((error as Error).message);
      return fallback;
    }
  };
  const time = (name: string, flag: string) => attempt(0, () => parseTimeMs(text(name)!, flag, 0));
  const port = text('metricsPort');
  const limits = ((raw.limit as string[] | undefined) ?? []).map((expression) =>
    attempt(undefined, () => parseLimit(expression)),
  );
  const steps = (raw.step as string[] | undefined)?.map((step) => attempt({}, () => parseStep(step)));
  for (const step of steps ?? [{}]) problems.push(...checkWorkload({ ...workload, ...step }));
  problems.push(...checkTogether(command));
  for (const limit of limits)
    if (limit !== undefined && returnMetrics.includes(limit.metric) && !workload.resume)
      problems.push(`--limit ${limit.expression} needs --resume: nobody comes back without it`);
  const options: Options = {
    workload,
    steps: steps ?? [{}],
    isControlled: raw.control === true,
    origin: attempt(undefined, () => checkOrigin(text('origin'))),
    token: attempt(undefined, () =>
      readSecret({ flag: '--token', given: text('token'), file: text('tokenFile') }),
    ),
    limits: withDefaults(
      limits.filter((limit) => limit !== undefined),
      workload.resume,
    ),
    health: {
      ...defaultHealthLimits,
      scheduleLagMsP99Max: time('lagLimit', '--lag-limit'),
      turnMsP99Max: time('turnLimit', '--turn-limit'),
      throttledMsMax: time('throttledLimit', '--throttled-limit'),
    },
    json: attempt(undefined, () => checkJson(text('json'))),
    progress: attempt('auto', () =>
      parseOneOf(text('progress')!, '--progress', ['auto', 'tty', 'plain', 'json', 'none']),
    ),
    isWide: raw.wide === true,
    metricsPort:
      port === undefined ? undefined : attempt(0, () => parseCount(port, '--metrics-port', 0, 65535)),
    metricsHost: text('metricsHost')!,
    stage: attempt(undefined, () => checkStage(text('stageLabel'))),
  };
  return { options, problems };
}

/** A line break would begin another header. Throws a sentence. */
function checkOrigin(origin: string | undefined): string | undefined {
  if (origin === undefined || /^[\x21-\x7e]+$/.test(origin)) return origin;
  throw new Error(`--origin must be visible ASCII characters; given: ${JSON.stringify(origin)}`);
}

function checkStage(stage: string | undefined): string | undefined {
  if (stage === undefined || /^[\w.-]{1,64}$/.test(stage)) return stage;
  throw new Error(`--stage-label must be 1 to 64 of A-Z a-z 0-9 _ . -; given: ${JSON.stringify(stage)}`);
}

/** The path of a result that can be written. Throws a sentence with what is in the way. */
function checkJson(path: string | undefined): string | undefined {
  if (path === undefined || path === '-') return path;
  const required = '--json must name a file, or - for standard output';
  if (path === '') throw new Error(`${required}; given: an empty name`);
  const fault = writeFault(path);
  if (fault !== null) throw new Error(`the result cannot be written to --json ${path}: ${fault}`);
  return path;
}

/** Reads a step such as `100/s:10s`. Throws a sentence with the syntax. */
function parseStep(text: string): Partial<StepQuantities> {
  const [, rate, time] = /^([^:]+):([^:]+)$/.exec(text) ?? [];
  if (rate === undefined || time === undefined)
    throw new Error(`--step must be <rate>:<time>, such as 100/s:10s; given: ${text}`);
  return { ratePerSecond: parseRate(rate, '--step'), durationSeconds: parseTimeMs(time, '--step', 1) / 1000 };
}

/** Options that exclude each other, one sentence for each pair that is given. */
function checkTogether(command: Command): string[] {
  const isGiven = (name: string) => (command.getOptionValueSource(name) ?? 'default') !== 'default';
  const pairs = [
    ['step', 'rate', 'the rate of each step is in --step'],
    ['step', 'duration', 'the duration of each step is in --step'],
    ['thinkTime', 'rate', 'the rate follows from the think times'],
    ['thinkTime', 'step', 'the rate follows from the think times'],
    ['thinkTime', 'senders', 'every user is a sender'],
    ['thinkTime', 'arrival', 'every user has a schedule of its own'],
    ['control', 'step', 'steps come as commands'],
    ['control', 'json', 'results come on standard output'],
    ['control', 'progress', 'progress is always json'],
  ] as const;
  return pairs
    .filter(([one, other]) => isGiven(one) && isGiven(other))
    .map(([one, other, why]) => `${flagOf(one)} and ${flagOf(other)} cannot be given together: ${why}`);
}

function flagOf(attribute: string): string {
  return `--${attribute.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
