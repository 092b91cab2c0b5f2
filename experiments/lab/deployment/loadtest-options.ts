/** What the lab asks of the simulator, and its two spellings: arguments for a process, environment for a container. */

/** Options of one run of the simulator, with their units; the simulator's own defaults hold for fields left out. */
export type LoadtestOptions = {
  urls: readonly string[];
  clients: number;
  /** Messages per second of all rooms together. */
  ratePerSecond: number;
  durationSeconds: number;
  warmUpSeconds: number;
  drainSeconds: number;
  payloadBytes: number;
  seed: number;
  rooms?: number;
  sendersPerRoom?: number;
  arrival?: 'constant' | 'poisson';
  connectPerSecond?: number;
  workers?: number;
  sourceAddresses?: readonly string[];
  stalledReaders?: number;
  /** Such as `p99<250ms` and `lost=0`. */
  limits: readonly string[];
  metricsPort?: number;
  /** Address that the metrics port listens on; the simulator's own default is loopback. */
  metricsHost?: string;
};

type Values = readonly string[];

/** Command-line arguments, without `--json` and `--progress`, which belong to who starts the process. */
export function loadtestArguments(options: LoadtestOptions): string[] {
  return [...flagsOf(options)].flatMap(([flag, values]) => values.flatMap((value) => [`--${flag}`, value]));
}

/** The same as `LOADTEST_…` variables; what may be repeated as a flag is one value with blanks. */
export function loadtestEnvironment(options: LoadtestOptions): Record<string, string> {
  const variables = [...flagsOf(options)].map(([flag, values]) => [
    `LOADTEST_${flag.replaceAll('-', '_').toUpperCase()}`,
    values.join(' '),
  ]);
  return Object.fromEntries(variables) as Record<string, string>;
}

function flagsOf(options: LoadtestOptions): Map<string, Values> {
  const flags = new Map<string, Values>();
  const set = (flag: string, value: number | string | undefined, unit = '') => {
    if (value !== undefined) flags.set(flag, [`${value}${unit}`]);
  };
  const setAll = (flag: string, values: Values | undefined) => {
    if (values !== undefined && values.length > 0) flags.set(flag, values);
  };
  setAll('url', options.urls);
  set('clients', options.clients);
  set('rate', options.ratePerSecond);
  set('duration', options.durationSeconds, 's');
  set('warm-up', options.warmUpSeconds, 's');
  set('drain', options.drainSeconds, 's');
  set('payload-bytes', options.payloadBytes);
  set('seed', options.seed);
  set('rooms', options.rooms);
  set('senders', options.sendersPerRoom);
  set('arrival', options.arrival);
  set('connect-rate', options.connectPerSecond);
  set('workers', options.workers);
  setAll('source-address', options.sourceAddresses);
  set('stalled-readers', options.stalledReaders);
  setAll('limit', options.limits);
  set('metrics-port', options.metricsPort);
  set('metrics-host', options.metricsHost);
  return flags;
}
