/** What the user may ask for: every option once, with its environment variable, its default and its check. */
import { Command, Option } from 'commander';
import { messageNumberMax, payloadBytesMin, roomsMax, usersMax } from './model/stamp.ts';
import { checkUrl, parseCount, parseOneOf, parseRate, parseTimeMs } from './option-values.ts';
import { defaultHealthLimits, type HealthLimits } from './result/health.ts';
import { type Limit, limitMetrics, parseLimit, withDefaults } from './result/limits.ts';
import type { ProgressStyle } from './result/progress.ts';

/** Checked options; times in the unit of their names. */
export type Options = {
  urls: string[];
  origin: string | undefined;
  token: string | undefined;
  clients: number;
  rooms: number;
  senders: number;
  ratePerSecond: number;
  arrival: 'constant' | 'poisson';
  payloadBytes: number;
  seed: number;
  durationMs: number;
  warmUpMs: number;
  drainMs: number;
  connectPerSecond: number;
  connectTimeoutMs: number;
  probeTimeoutMs: number;
  stalledReaders: number;
  churnPerSecond: number;
  workers: number | undefined;
  sourceAddresses: string[];
  limits: Limit[];
  health: HealthLimits;
  json: string | undefined;
  progress: ProgressStyle | 'auto';
  metricsPort: number | undefined;
  metricsHost: string;
};

const lesson = `
A message is due when the schedule says so, whether or not the server has answered (open model); delivery latency counts
from that due time. Every delivery to every client is audited: lost, duplicated, reordered, misrouted, corrupted.

Limits decide the exit code: 0 all held, 1 one broke, 2 bad input, 3 void (the simulator itself was not well), 130
interrupted. A limit is <metric><operator><number>[us|ms|s]; metrics: ${limitMetrics.join(' ')}.
Lost, duplicated, reordered, misrouted, corrupted, refused, closed, silent and blocked must be 0 unless you say otherwise.

Examples:
  npm run loadtest -- --url ws://127.0.0.1:8080/ws --clients 2000 --rate 500 --duration 20s --limit 'p99<250ms'
  npm run loadtest -- --clients 1000 --rooms 50 --rate 2000 --arrival poisson --seed 7 --json result.json
  LOADTEST_CLIENTS=70 LOADTEST_RATE=70 LOADTEST_PAYLOAD_BYTES=256 npm run loadtest
`;

/** The command; the texts of its options are the manual. */
export function newCommand(): Command {
  return new Command('loadtest')
    .description(
      'Drives a chat server with thousands of virtual users, audits every delivery, and judges itself first.',
    )
    .addOption(
      listOption(
        '--url <url>',
        'LOADTEST_URL',
        'target, ws://host:port/ws; repeat to spread clients over several',
      ),
    )
    .addOption(option('--clients <n>', 'CLIENTS', 'virtual users, each with its own connection', '100'))
    .addOption(option('--rate <n>', 'RATE', 'messages per second, of all rooms together', '100'))
    .addOption(
      option('--duration <time>', 'DURATION', 'length of the measure phase, such as 20s or 500ms', '10s'),
    )
    .addOption(
      option(
        '--warm-up <time>',
        'WARM_UP',
        'before it, not measured: three quarters to climb to the rate, the rest at it',
        '2s',
      ),
    )
    .addOption(
      option('--drain <time>', 'DRAIN', 'wait for what is under way; what comes later is lost', '2s'),
    )
    .addOption(
      option('--rooms <n>', 'ROOMS', 'rooms, of equal size; with more than one, room i is <url>/load-i', '1'),
    )
    .addOption(
      option('--senders <n>', 'SENDERS', 'how many users of each room speak, in turn (default: all)'),
    )
    .addOption(
      option(
        '--payload-bytes <n>',
        'PAYLOAD_BYTES',
        `bytes of a message's JSON, at least ${payloadBytesMin}`,
        '128',
      ),
    )
    .addOption(option('--arrival <kind>', 'ARRIVAL', 'constant or poisson', 'constant'))
    .addOption(option('--seed <n>', 'SEED', 'of everything that chance decides', '1'))
    .addOption(option('--connect-rate <n>', 'CONNECT_RATE', 'connections opened per second', '2000'))
    .addOption(option('--connect-timeout <time>', 'CONNECT_TIMEOUT', 'longest wait for a handshake', '10s'))
    .addOption(
      option(
        '--probe-timeout <time>',
        'PROBE_TIMEOUT',
        'longest wait until each client has heard something',
        '10s',
      ),
    )
    .addOption(
      option('--stalled-readers <n>', 'STALLED_READERS', 'extra connections that join and never read', '0'),
    )
    .addOption(
      option('--churn <n>', 'CHURN', 'extra connections per second that join, stay a second and leave', '0'),
    )
    .addOption(option('--workers <n>', 'WORKERS', 'simulator processes (default: as few as the load needs)'))
    .addOption(
      listOption('--source-address <ip>', 'LOADTEST_SOURCE_ADDRESS', 'connect from this address; repeatable'),
    )
    .addOption(option('--origin <origin>', 'ORIGIN', 'Origin header of the handshake'))
    .addOption(option('--token <token>', 'TOKEN', 'sent as Authorization: Bearer in the handshake'))
    .addOption(
      listOption('--limit <limit>', 'LOADTEST_LIMIT', "what must hold, such as 'p99<250ms'; repeatable"),
    )
    .addOption(
      option(
        '--lag-limit <time>',
        'LAG_LIMIT',
        'void when the p99 of the schedule lag is above',
        `${defaultHealthLimits.scheduleLagMsP99Max}ms`,
      ),
    )
    .addOption(
      option(
        '--turn-limit <time>',
        'TURN_LIMIT',
        'void when a busy worker takes longer to read what waits (p99)',
        `${defaultHealthLimits.turnMsP99Max}ms`,
      ),
    )
    .addOption(
      option(
        '--throttled-limit <time>',
        'THROTTLED_LIMIT',
        'void when its container was throttled for longer',
        '0ms',
      ),
    )
    .addOption(option('--json <file>', 'JSON', 'write the result there; - is standard output'))
    .addOption(option('--progress <style>', 'PROGRESS', 'auto, tty, plain, json or none', 'auto'))
    .addOption(option('--metrics-port <n>', 'METRICS_PORT', 'serve Prometheus metrics there while running'))
    .addOption(option('--metrics-host <host>', 'METRICS_HOST', 'address of that port', '127.0.0.1'))
    .addHelpText('after', lesson)
    .allowExcessArguments(false);
}

function option(flags: string, variable: string, description: string, fallback?: string): Option {
  const made = new Option(flags, description).env(`LOADTEST_${variable}`);
  return fallback === undefined ? made : made.default(fallback);
}

function listOption(flags: string, variable: string, description: string): Option {
  return new Option(flags, `${description}; separated by blanks in the environment`)
    .env(variable)
    .argParser((value, before: string[] | undefined) => [
      ...(before ?? []),
      ...value.split(/\s+/).filter(Boolean),
    ]);
}

/** Checks everything at once; the problems say what to do, what is required and what was given. */
export function checkOptions(raw: Record<string, unknown>): { options: Options; problems: string[] } {
  const problems: string[] = [];
  const text = (name: string) => raw[name] as string | undefined;
  const attempt = <T>(fallback: T, check: () => T): T => {
    try {
      return check();
    } catch (error) {
      problems.push((error as Error).message);
      return fallback;
    }
  };
  const count = (name: string, flag: string, min: number, max: number) =>
    attempt(min, () => parseCount(text(name)!, flag, min, max));
  const optionalCount = (name: string, flag: string, min: number, max: number) =>
    text(name) === undefined ? undefined : count(name, flag, min, max);
  const time = (name: string, flag: string, minMs: number) =>
    attempt(minMs, () => parseTimeMs(text(name)!, flag, minMs));
  const oneOf = <T extends string>(name: string, flag: string, values: readonly T[]) =>
    attempt(values[0]!, () => parseOneOf(text(name)!, flag, values));
  const urls = (raw.url as string[] | undefined) ?? ['ws://127.0.0.1:8080/ws'];
  for (const url of urls) attempt(undefined, () => checkUrl(url));
  const given = ((raw.limit as string[] | undefined) ?? []).map((expression) =>
    attempt(undefined, () => parseLimit(expression)),
  );
  const options: Options = {
    urls,
    origin: text('origin'),
    token: text('token'),
    clients: count('clients', '--clients', 1, usersMax),
    rooms: count('rooms', '--rooms', 1, roomsMax),
    senders: optionalCount('senders', '--senders', 1, usersMax) ?? usersMax,
    ratePerSecond: attempt(1, () => parseRate(text('rate')!)),
    arrival: oneOf('arrival', '--arrival', ['constant', 'poisson']),
    payloadBytes: count('payloadBytes', '--payload-bytes', payloadBytesMin, 16_777_216),
    seed: count('seed', '--seed', 0, 2 ** 32 - 1),
    durationMs: time('duration', '--duration', 1),
    warmUpMs: time('warmUp', '--warm-up', 0),
    drainMs: time('drain', '--drain', 0),
    connectPerSecond: count('connectRate', '--connect-rate', 1, 1e6),
    connectTimeoutMs: time('connectTimeout', '--connect-timeout', 1),
    probeTimeoutMs: time('probeTimeout', '--probe-timeout', 1),
    stalledReaders: count('stalledReaders', '--stalled-readers', 0, usersMax),
    churnPerSecond: count('churn', '--churn', 0, 100_000),
    workers: optionalCount('workers', '--workers', 1, 256),
    sourceAddresses: (raw.sourceAddress as string[] | undefined) ?? [],
    limits: withDefaults(given.filter((limit) => limit !== undefined)),
    health: {
      ...defaultHealthLimits,
      scheduleLagMsP99Max: time('lagLimit', '--lag-limit', 0),
      turnMsP99Max: time('turnLimit', '--turn-limit', 0),
      throttledMsMax: time('throttledLimit', '--throttled-limit', 0),
    },
    json: text('json'),
    progress: oneOf('progress', '--progress', ['auto', 'tty', 'plain', 'json', 'none']),
    metricsPort: optionalCount('metricsPort', '--metrics-port', 0, 65535),
    metricsHost: text('metricsHost')!,
  };
  if (options.rooms > options.clients)
    problems.push(`--rooms must be at most --clients (${options.clients}); given: ${options.rooms}`);
  const messages = (options.ratePerSecond * (options.warmUpMs + options.durationMs)) / 1000;
  if (messages > messageNumberMax)
    problems.push(
      `a run holds at most ${messageNumberMax} messages; --rate × (--warm-up + --duration) is ${messages}`,
    );
  return { options, problems };
}
