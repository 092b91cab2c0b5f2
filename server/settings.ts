/** Every setting of the server: flag, environment variable, default, unit. The only reader of process.env. */
import { Command, Option } from 'commander';
import { findStage, stages } from './stages/index.ts';

/** One setting; `key` is its name in `Config`, from which flag and environment variable follow. */
type Setting<T> = {
  readonly default: T;
  readonly read: (given: string) => T | undefined;
  readonly required: string;
  readonly about: string;
};

const integer = (min: number, max: number, fallback: number, about: string): Setting<number> => ({
  default: fallback,
  read: (given) =>
    /^\d{1,15}$/.test(given) && Number(given) >= min && Number(given) <= max ? Number(given) : undefined,
  required: `a whole number from ${min} to ${max}`,
  about,
});

const text = (fallback: string, about: string): Setting<string> => ({
  default: fallback,
  read: (given) => given,
  required: 'a text',
  about,
});

const list = (about: string): Setting<readonly string[]> => ({
  default: [],
  read: (given) =>
    given
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  required: 'a comma-separated list',
  about,
});

const stage: Setting<string> = {
  default: '',
  read: (given) => (given === '' || findStage(given) ? given : undefined),
  required: `one of ${stages.map(({ name }) => name).join(', ')}`,
  about: 'stage to run, by number or name (default: the newest that needs no service)',
};

const port = (fallback: number, about: string) => integer(0, 65535, fallback, about);
const gib = 1024 ** 3;

/** Bounds are chosen, not measured, unless the sentence says otherwise. */
const settings = {
  stage,
  host: text('127.0.0.1', 'address that the chat listens on'),
  port: port(8080, 'port of the chat; 0 takes a free one'),
  internalHost: text('127.0.0.1', 'address that metrics and health listen on'),
  internalPort: port(8081, 'port of /metrics, /healthz and /readyz; 0 takes a free one'),
  logLevel: text('info', 'least severe log line that is written (debug, info, warn, error, silent)'),
  token: text('', 'shared token that clients must present (?token= or Authorization: Bearer); empty: none'),
  origins: list('Origin headers that are let in; empty: every one, and clients without Origin always'),
  clientIdCharsMax: integer(1, 4096, 64, 'longest clientId in characters'),
  messageBytesMax: integer(1, 1024 * 1024, 4096, 'longest Message in bytes of UTF-8'),
  messagesPerSecondMax: integer(
    1,
    1_000_000,
    100,
    'messages per second that one session may send, on average',
  ),
  messagesBurstMax: integer(1, 1_000_000, 200, 'messages that one session may send at once'),
  sessionsMax: integer(1, 1_000_000, 15_000, 'sessions in this process'),
  roomsMax: integer(1, 1_000_000, 10_000, 'rooms that have sessions, in this process'),
  handshakeTimeoutMs: integer(100, 600_000, 5_000, 'time a client has to complete its handshake, in ms'),
  heartbeatIntervalMs: integer(
    100,
    3_600_000,
    30_000,
    'time between pings, in ms; a peer silent for two is closed',
  ),
  outboundBytesMax: integer(1024, gib, 1024 * 1024, 'bytes queued for one session before it is evicted (02)'),
  outboundTotalBytesMax: integer(
    1024,
    64 * gib,
    256 * 1024 * 1024,
    'bytes queued for one room; beyond it each session may have only its equal share (02)',
  ),
  segmentBytes: integer(
    4096,
    64 * 1024 * 1024,
    256 * 1024,
    'largest segment of a room log in bytes (03 and later)',
  ),
  segmentsBehindMax: integer(
    1,
    100_000,
    32,
    'segments that a session may lag behind before it is evicted (03 and later)',
  ),
  logBytesMax: integer(
    4096,
    64 * gib,
    256 * 1024 * 1024,
    'bytes that slow readers may keep alive in all room logs, shared equally by the rooms (03 and later)',
  ),
  fanOutSliceMs: integer(
    1,
    1000,
    4,
    'longest stretch of fan-out before the event loop gets its turn, in ms (03 and later)',
  ),
  fanOutIntervalMs: integer(
    0,
    10_000,
    0,
    'least time between two rounds of a room, in ms: trades latency for CPU (03 and later)',
  ),
  evictionGraceMs: integer(0, 60_000, 1_000, 'time a peer has to take and answer our close frame, in ms'),
  overloadLagMs: integer(10, 600_000, 2_000, 'event-loop lag from which new sessions are refused, in ms'),
  drainDeadlineMs: integer(0, 600_000, 10_000, 'longest drain after SIGTERM, in ms'),
  drainNoticeMs: integer(
    0,
    600_000,
    0,
    'time between unready and the first closed session, for load balancers, in ms',
  ),
  drainBatchSessions: integer(1, 1_000_000, 200, 'sessions closed per batch of a drain'),
  drainBatchIntervalMs: integer(0, 60_000, 50, 'time between two batches of a drain, in ms'),
  reconnectWaitMsMax: integer(
    0,
    600_000,
    5_000,
    'longest wait that a restart asks of a client, in ms (uniform jitter)',
  ),
  workers: integer(0, 1024, 0, 'processes of the stages with one per core; 0: one for each core (04)'),
  redisUrl: text('redis://127.0.0.1:6379', 'Redis that carries frames between nodes (05)'),
} satisfies Record<string, Setting<unknown>>;

type Settings = typeof settings;
export type Config = { readonly [K in keyof Settings]: Settings[K]['default'] } & {
  /** The place of this process among the workers of one machine, set by their supervisor and not by people. */
  readonly worker?: WorkerPlace;
};

export type WorkerPlace = {
  /** From 0. */
  readonly slot: number;
  readonly workers: number;
  /** Private to the workers: where their sockets are. */
  readonly directory: string;
};

/** What is wrong with the input: each sentence says what to do, what was required and what was given. */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

const kebab = (key: string) => key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The flag of a setting, such as `--internal-port` for `internalPort`. */
const flagOf = (key: keyof Settings): string => `--${kebab(key)}`;

/** The environment variable of a setting, such as `CHAT_INTERNAL_PORT` for `internalPort`. */
const variableOf = (key: keyof Settings): string => `CHAT_${kebab(key).replaceAll('-', '_').toUpperCase()}`;

/** The command line of the server with every setting as an option; values stay raw text until `readConfig`. */
function commandLine(): Command {
  const command = new Command('npm start --')
    .description('A global-broadcast chat server in numbered stages.')
    .allowExcessArguments(false)
    .addOption(new Option('--list-stages', 'print the stages as JSON and exit'));
  for (const key of Object.keys(settings) as (keyof Settings)[]) {
    const setting: Setting<unknown> = settings[key];
    const fallback = String(setting.default);
    const about = fallback === '' ? setting.about : `${setting.about} (default: ${fallback})`;
    command.addOption(new Option(`${flagOf(key)} <value>`, about).env(variableOf(key)));
  }
  return command;
}

/**
 * Reads flags over environment variables over defaults, and freezes the outcome.
 * Throws `ConfigError` with every problem at once; `--help` and unknown flags are answered by commander itself.
 */
export function readConfig(argv: readonly string[]): { config: Config; listStages: boolean } {
  const command = commandLine().exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  command.parse(argv as string[], { from: 'user' });
  const given = command.opts<Record<string, string | boolean | undefined>>();
  const problems: string[] = [];
  const config: Record<string, unknown> = {};
  for (const key of Object.keys(settings) as (keyof Settings)[]) {
    const setting: Setting<unknown> = settings[key];
    const raw = given[key];
    const value = typeof raw === 'string' ? setting.read(raw) : setting.default;
    if (value === undefined) {
      problems.push(
        `Set ${flagOf(key)} (or ${variableOf(key)}) to ${setting.required}; given was "${String(raw)}".`,
      );
    }
    config[key] = value;
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return { config: Object.freeze(config) as Config, listStages: given.listStages === true };
}
