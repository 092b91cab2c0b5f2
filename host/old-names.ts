/**
 * The one table of options that had another name before. They are still read, with one line that says how
 * they are written now. Their values had no unit: the name said it.
 */
import { percent, rate, size, time } from './units.ts';

/** Old name, new name, and what follows an old value. The variables of the environment follow. */
const oldNames: readonly (readonly [old: string, now: string, unit: string])[] = [
  // server
  ['heartbeat-interval-ms', 'heartbeat-interval', 'ms'],
  ['seat-load-percent', 'seat-load', '%'],
  ['seat-stable-ms', 'seat-stable', 'ms'],
  ['moves-per-second', 'move-rate', '/s'],
  ['messages-per-second-max', 'message-rate-max', '/s'],
  ['control-frames-per-second-max', 'control-frame-rate-max', '/s'],
  ['eviction-grace-ms', 'eviction-grace', 'ms'],
  ['drain-deadline-ms', 'drain-deadline', 'ms'],
  ['drain-notice-ms', 'drain-notice', 'ms'],
  ['drain-batch-interval-ms', 'drain-batch-interval', 'ms'],
  ['reconnect-wait-ms-max', 'reconnect-wait-max', 'ms'],
  ['message-bytes-max', 'message-size-max', 'B'],
  ['message-timeout-ms', 'message-timeout', 'ms'],
  ['handshake-timeout-ms', 'handshake-timeout', 'ms'],
  ['overload-lag-ms', 'overload-lag', 'ms'],
  ['log-bytes-per-partition', 'log-size-per-partition', 'B'],
  ['log-age-ms', 'log-age', 'ms'],
  ['tail-bytes-max', 'tail-size-max', 'B'],
  ['resume-bytes-max', 'resume-size-max', 'B'],
  ['resume-deadline-ms', 'resume-deadline', 'ms'],
  ['worker-silence-ms-max', 'worker-silence-max', 'ms'],
  ['segment-bytes', 'segment-size', 'B'],
  ['log-bytes-max', 'log-size-max', 'B'],
  ['fan-out-slice-ms', 'fan-out-slice', 'ms'],
  ['fan-out-interval-ms', 'fan-out-interval', 'ms'],
  ['outbound-bytes-max', 'outbound-size-max', 'B'],
  ['outbound-total-bytes-max', 'outbound-total-size-max', 'B'],
  // simulator
  ['payload-bytes', 'payload-size', 'B'],
  // client
  ['echo-wait-ms', 'echo-wait', 'ms'],
  // experiments
  ['server-memory-mb', 'server-memory', 'MiB'],
  ['loadtest-memory-mb', 'loadtest-memory', 'MiB'],
  ['cpu-period-ms', 'cpu-period', 'ms'],
  ['measure-seconds', 'duration', 's'],
  ['warm-up-seconds', 'warm-up', 's'],
  ['minutes', 'time', 'm'],
  ['repeat', 'trials', ''],
];

/** Names of old that a command was given, and their names now. */
export type Translated = {
  argv: string[];
  /** One line; undefined where every name was one of now. */
  warning: string | undefined;
};

/**
 * Writes old names as those of now: in the arguments, which are returned, and in `environment`, which is
 * changed. A variable of the new name outranks one of the old. `known` says whether this command has an
 * option of that name.
 */
export function translateOldNames(
  prefix: string,
  argv: readonly string[],
  environment: Record<string, string | undefined>,
  known: (name: string) => boolean,
): Translated {
  const told: [old: string, now: string][] = [];
  const rows = oldNames.filter(([old, now]) => known(now) && !known(old));
  const translated: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const [, name, attached] = /^--([a-z-]+)(?:=(.*))?$/s.exec(argv[at]!) ?? [];
    const [, now, unit] = rows.find(([old]) => old === name) ?? [];
    const value = attached ?? argv[at + 1];
    if (now === undefined || value === undefined) {
      translated.push(argv[at]!);
      continue;
    }
    if (attached === undefined) at++;
    translated.push(`--${now}`, value + unit);
    told.push([`--${name}`, `--${now} ${value}${unit}`]);
  }
  for (const [old, now, unit] of rows) {
    const [variable, variableNow] = [old, now].map((name) => variableOf(prefix, name)) as [string, string];
    const value = environment[variable];
    if (value === undefined) continue;
    delete environment[variable];
    environment[variableNow] ??= value + unit;
    told.push([variable, `${variableNow}=${value}${unit}`]);
  }
  const warning = told.length === 0 ? undefined : oldNamesTold(told);
  return { argv: translated, warning };
}

/** One line on names of old and how they are written now. */
export function oldNamesTold(names: readonly (readonly [old: string, now: string])[]): string {
  return `Old names, still read: ${names.map(([old, now]) => `${old} (now ${now})`).join(', ')}.`;
}

/** A flag of the server and its value, as they are written now. */
export function settingOfNow(flag: string, value: string): readonly [flag: string, value: string] {
  const [, now, unit] = oldNames.find(([old]) => old === flag) ?? [];
  return now === undefined ? [flag, value] : [now, value + unit];
}

/** The same for a server of before these names: its values are numbers of milliseconds, bytes and so on. */
export function settingOfBefore(flag: string, value: string): readonly [flag: string, value: string] {
  const [old] = oldNames.find(([, now]) => now === flag) ?? [];
  if (old === undefined) return [flag, value];
  const numbers = [time, size, rate, percent].map((unit) => unit.parse(value));
  return [old, String(numbers.find((number) => number !== undefined) ?? value)];
}

/** The variable of an option: `warm-up` of the simulator is `LOADTEST_WARM_UP`. */
export function variableOf(prefix: string, name: string): string {
  return prefix + name.replaceAll('-', '_').toUpperCase();
}
