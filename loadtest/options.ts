/** The simulator's command line: the workload's table, and the options beside it with their checks. */
import { randomInt } from 'node:crypto';
import { Command, Option } from 'commander';
import { shapeHelp } from '#host/help.ts';
import { readSecret } from '#host/secrets.ts';
import { writeFault } from '#host/whole-file.ts';
import { manual } from './manual.ts';
import { checkTogether } from './option-conflicts.ts';
import {
  parseCount,
  parseOneOf,
  parseRate,
  parseShare,
  parseTimeMs,
  variableOfFlag,
} from './option-values.ts';
import type { StepQuantities } from './result/control.ts';
import { defaultHealthLimits, type HealthLimits } from './result/health.ts';
import { isOfPeople, type Limit, parseLimit, returnMetrics, withDefaults } from './result/limits.ts';
import type { ProgressStyle } from './result/progress.ts';
import { type RunResult, readRunResult } from './result/schema.ts';
import {
  checkWorkload,
  defaultWorkload,
  quantities,
  readWorkload,
  type Workload,
  withPeople,
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
  /** Path of the report. */
  html: string | undefined;
  /** Port of the live page, 0 for a free one; undefined: none. */
  livePort: number | undefined;
  /** An earlier result to compare with, and what may differ without being a difference: 0.1 is 10 %. */
  baseline: RunResult | undefined;
  margin: number;
  /** A step ends when a limit can no longer hold, and the run ends with a step that failed. */
  abortOnFail: boolean;
  /** Paths of files for continuous integration. */
  summary: string | undefined;
  junit: string | undefined;
  progress: ProgressStyle | 'auto';
  isWide: boolean;
  metricsPort: number | undefined;
  metricsHost: string;
  /** The label `stage` of all metrics. */
  stage: string | undefined;
};

/** The command; its help text is the manual of the simulator. */
export function newCommand(): Command {
  const command = new Command('npm run loadtest --').description(
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
  return shapeHelp(command, manual)
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
    .addOption(option('--html <file>', 'write a report there: one HTML file that needs no network'))
    .addOption(
      option(
        '--live [port]',
        'show the run on a page at 127.0.0.1 while it goes (default: a free port); it becomes the report',
      ).preset('0'),
    )
    .addOption(
      option('--baseline <file>', 'compare with that result of --json; exit code 1 if a figure is worse'),
    )
    .addOption(option('--margin <share>', 'what a figure may differ by from the baseline', '10%'))
    .addOption(option('--abort-on-fail', 'end a step when a limit can no longer hold, and the run with it'))
    .addOption(
      option('--summary <file>', 'append a Markdown summary, to $GITHUB_STEP_SUMMARY too where it is set'),
    )
    .addOption(option('--junit <file>', 'write JUnit XML: a test case for each limit and comparison'))
    .addOption(option('--progress <style>', 'auto, tty, plain, json or none', 'auto'))
    .addOption(option('--wide', 'tables that may be wider than 80 columns'))
    .addOption(option('--metrics-port <n>', 'serve Prometheus metrics there while running'))
    .addOption(option('--metrics-host <host>', 'address of that port', '127.0.0.1'))
    .addOption(
      option('--stage-label <stage>', 'the stage under load, if it is known: a label of all metrics'),
    )
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
  const asked = withThinkTimes({ ...defaultWorkload, ...given });
  const workload = withPeople(asked, newPeoplePrefix());
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
  const livePort = text('live');
  const limits = ((raw.limit as string[] | undefined) ?? []).map((expression) =>
    attempt(undefined, () => parseLimit(expression)),
  );
  const steps = (raw.step as string[] | undefined)?.map((step) => attempt({}, () => parseStep(step)));
  for (const step of steps ?? [{}]) problems.push(...checkWorkload({ ...workload, ...step }));
  problems.push(...checkTogether(command, workload));
  for (const limit of limits)
    if (
      limit !== undefined &&
      returnMetrics.includes(limit.metric) &&
      !workload.resume &&
      !(limit.metric === 'away' && workload.people > 0)
    )
      problems.push(`--limit ${limit.expression} needs --resume: nobody comes back without it`);
    else if (limit !== undefined && isOfPeople(limit.metric) && workload.people === 0)
      problems.push(`--limit ${limit.expression} needs --people: nobody has an account without it`);
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
      workload,
    ),
    health: {
      ...defaultHealthLimits,
      scheduleLagMsP99Max: time('lagLimit', '--lag-limit'),
      turnMsP99Max: time('turnLimit', '--turn-limit'),
      throttledMsMax: time('throttledLimit', '--throttled-limit'),
    },
    json: attempt(undefined, () => checkFile('--json', text('json'))),
    html: attempt(undefined, () => checkFile('--html', text('html'))),
    livePort: livePort === undefined ? undefined : attempt(0, () => parseCount(livePort, '--live', 0, 65535)),
    baseline: attempt(undefined, () => readBaseline(text('baseline'))),
    margin: attempt(0, () => parseShare(text('margin')!, '--margin')),
    abortOnFail: raw.abortOnFail === true,
    summary: attempt(undefined, () => checkFile('--summary', text('summary'))),
    junit: attempt(undefined, () => checkFile('--junit', text('junit'))),
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

/** The path of a file that can be written. Throws a sentence with what is in the way. */
function checkFile(flag: string, path: string | undefined): string | undefined {
  if (path === undefined || (path === '-' && flag === '--json')) return path;
  const required = `${flag} must name a file${flag === '--json' ? ', or - for standard output' : ''}`;
  if (path === '') throw new Error(`${required}; given: an empty name`);
  const fault = writeFault(path);
  if (fault !== null) throw new Error(`the result cannot be written to ${flag} ${path}: ${fault}`);
  return path;
}

/** Throws a sentence for a file that is no result. */
function readBaseline(path: string | undefined): RunResult | undefined {
  if (path === undefined) return undefined;
  try {
    return readRunResult(path);
  } catch (error) {
    throw new Error(
      `--baseline must name a file that --json wrote; given ${path}: ${(error as Error).message}`,
    );
  }
}

/** Reads a step such as `100/s:10s`. Throws a sentence with the syntax. */
function parseStep(text: string): Partial<StepQuantities> {
  const [, rate, time] = /^([^:]+):([^:]+)$/.exec(text) ?? [];
  if (rate === undefined || time === undefined)
    throw new Error(`--step must be <rate>:<time>, such as 100/s:10s; given: ${text}`);
  return { ratePerSecond: parseRate(rate, '--step'), durationSeconds: parseTimeMs(time, '--step', 1) / 1000 };
}

/** Names that no earlier run has used. */
function newPeoplePrefix(): string {
  return `p${randomInt(36 ** 5)
    .toString(36)
    .padStart(5, '0')}-`;
}
