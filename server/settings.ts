/**
 * The settings engine: reads flags, environment variables and defaults, and reports every mistake at once. It
 * is the only reader of process.env. Each part declares its own group of settings beside itself.
 */
import { isIP } from 'node:net';
import { type Command, Option } from 'commander';
import { shapeHelp } from '#host/help.ts';
import { translateOldNames, variableOf } from '#host/old-names.ts';
import { holdsSecret, notShown, parseServiceUrl, readSecretFile, splitUrls } from '#host/secrets.ts';
import { tellStrayVariables } from '#host/stray-variables.ts';
import type { Unit } from '#host/units.ts';
import { tell } from '#host/wrapped.ts';

/**
 * One setting. Its key in the group gives its flag and its environment variable. A key names the unit of the
 * value in code; a flag does not, because its value does.
 */
export type Setting<T> = {
  readonly default: T;
  /** Returns undefined for a text that is not allowed. */
  readonly read: (given: string) => T | undefined;
  /** The allowed values, for the error message. */
  readonly required: string;
  readonly about: string;
  /** How its value is written; left out: as it is. */
  readonly unit?: Unit;
  /** It bounds something; a stage may declare it infinite. */
  readonly isLimit?: true;
  /**
   * It may be a secret: it can come from a file too, and no message shows it. True for a value that must not
   * stand on a command line, which every user of the machine can read.
   */
  readonly isSecret?: (given: string) => boolean;
};

/** The settings of one part, under one heading of `--help`. */
export type SettingGroup = {
  readonly title: string;
  readonly settings: Readonly<Record<string, Setting<unknown>>>;
};

type Intersection<U> = (U extends unknown ? (of: U) => void : never) extends (of: infer I) => void
  ? I
  : never;

/** The values of one group, or of a union of groups. */
export type ValuesOf<G extends SettingGroup> = Intersection<
  G extends SettingGroup ? { readonly [K in keyof G['settings']]: G['settings'][K]['default'] } : never
>;

/** A group of settings; the type keeps the key and the type of each. */
export function group<S extends SettingGroup['settings']>(title: string, settings: S) {
  return { title: `${title}:`, settings };
}

/** A whole number within bounds, both included; of a unit where it has one. */
export function integer(
  min: number,
  max: number,
  fallback: number,
  about: string,
  unit?: Unit,
): Setting<number> {
  const parse = unit?.parse ?? ((given: string) => (/^\d{1,15}$/.test(given) ? Number(given) : undefined));
  const read = (given: string) => {
    const value = parse(given);
    return Number.isInteger(value) && value! >= min && value! <= max ? value : undefined;
  };
  if (unit === undefined)
    return { default: fallback, read, required: `a whole number from ${min} to ${max}`, about };
  const required = `${unit.noun} from ${unit.format(min)} to ${unit.format(max)} ${unit.example}`;
  return { default: fallback, read, required, about, unit };
}

/** An `integer` that bounds something. */
export function limit(...bounds: Parameters<typeof integer>): Setting<number> {
  return { ...integer(...bounds), isLimit: true };
}

/** A text that matches a pattern. */
export function text(pattern: RegExp, required: string, fallback: string, about: string): Setting<string> {
  const read = (given: string) => (pattern.test(given) ? given : undefined);
  return { default: fallback, read, required, about };
}

/** One of some words. */
export function choice(words: readonly string[], fallback: string, about: string): Setting<string> {
  const read = (given: string) => (words.includes(given) ? given : undefined);
  return { default: fallback, read, required: `one of ${words.join(', ')}`, about };
}

/** An address or a name to listen on; whether this machine has it shows when it listens. */
export function host(fallback: string, about: string): Setting<string> {
  const label = '[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?';
  const name = new RegExp(`^${label}(\\.${label})*$`);
  const read = (given: string) => (isIP(given) > 0 || name.test(given) ? given : undefined);
  return { default: fallback, read, required: 'an IP address or a host name', about };
}

/** A secret: visible ASCII without spaces. It is read from the environment or from a file. */
export function secret(about: string): Setting<string> {
  return { ...text(/^[!-~]{1,4096}$/, 'visible ASCII characters', '', about), isSecret: () => true };
}

/**
 * The URL of a service, which may hold a password; or URLs of several nodes of a cluster, which has no
 * database but 0.
 */
export function serviceUrl(protocols: readonly string[], fallback: string, about: string): Setting<string> {
  const read = (given: string) => {
    const urls = splitUrls(given).map(parseServiceUrl);
    const isAllowed = (url: URL | null) =>
      protocols.includes(url?.protocol ?? '') &&
      (urls.length === 1 || (url!.protocol === urls[0]?.protocol && databaseOf(url!) === 0));
    return urls.every(isAllowed) ? given : undefined;
  };
  const one = `${protocols.join('// or ')}//[user:password@]host[:port][/database], with %40 for an @ in it`;
  const required = `${one}; or several, with commas between them, for nodes of one cluster: all with the same protocol, and without a database`;
  return { default: fallback, read, required, about, isSecret: holdsSecret };
}

/** The number of the database that the URL of a Redis names. */
export function databaseOf(url: URL): number {
  return Number(url.pathname.slice(1) || url.searchParams.get('db'));
}

/** A comma-separated list of at least one item; spaces around an item are dropped, and so are empty items. */
export function list(about: string): Setting<readonly string[]> {
  const read = (given: string) => {
    const items = given.split(',').flatMap((part) => part.trim() || []);
    return items.length > 0 ? items : undefined;
  };
  return { default: [], read, required: 'a comma-separated list', about };
}

/** The settings that every process has. */
export const commonSettings = group('Process', {
  host: host('127.0.0.1', 'address that the chat listens on'),
  port: integer(0, 65535, 8080, 'port of the chat; 0 takes a free one'),
  internalHost: host('127.0.0.1', 'address that metrics and health listen on'),
  internalPort: integer(0, 65535, 8081, 'port of /metrics, /healthz and /readyz; 0 takes a free one'),
  logLevel: choice(
    ['debug', 'info', 'warn', 'error', 'silent'],
    'info',
    'least severe log line that is written',
  ),
});

/** Mistakes of the operator, one a line: what to do, what is required and what was given. */
export class SettingsError extends Error {}

/** The limits of some groups at their defaults, by setting key. */
export function limitsOf(groups: readonly SettingGroup[]): Record<string, number> {
  const limits = settingsOf(groups).filter(([, { isLimit }]) => isLimit);
  return Object.fromEntries(limits.map(([key, setting]) => [key, setting.default as number]));
}

/** The limits of some groups, all of them infinite. */
export function infiniteLimitsOf(groups: readonly SettingGroup[]): Record<string, number> {
  return Object.fromEntries(Object.keys(limitsOf(groups)).map((key) => [key, Number.POSITIVE_INFINITY]));
}

/**
 * Adds an option per setting to the command, parses, and returns the frozen values. Tells old names, and
 * variables that no setting has, on standard error. Throws a `SettingsError` with every problem. After
 * `--help` or an unknown flag the process exits, with code 0 or 2.
 */
export function readSettings<G extends SettingGroup>(
  command: Command,
  groups: readonly G[],
  argv: readonly string[],
): ValuesOf<G> {
  for (const { title, settings } of groups) {
    command.optionsGroup(title);
    for (const [key, setting] of Object.entries(settings)) addOptions(command, key, setting);
  }
  shapeHelp(command).exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  const known = new Set(command.options.map(({ long }) => long));
  const isKnown = (name: string) => known.has(`--${name}`);
  const { argv: translated, warning } = translateOldNames(prefix, argv, process.env, isKnown);
  // Told before anything can be refused: a variable that was misspelt may be the cause.
  const stray = tellStrayVariables(prefix, variablesOf(command), process.env);
  for (const line of [warning, stray]) if (line !== undefined) tell(line);
  command.parse(translated, { from: 'user' });
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, setting] of settingsOf(groups)) {
    try {
      values[key] = readSetting(command, key, setting);
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      problems.push(error.message);
    }
  }
  if (problems.length > 0) throw new SettingsError(problems.join('\n'));
  return Object.freeze(values) as ValuesOf<G>;
}

function variablesOf({ options }: Command): string[] {
  return options.flatMap(({ envVar }) => envVar ?? []);
}

/** A secret has no flag of its own in `--help`, only one for a file. */
function addOptions(command: Command, key: string, setting: Setting<unknown>) {
  const { about, default: fallback, isSecret, unit } = setting;
  const usual = unit === undefined ? String(fallback) : unit.format(fallback as number);
  const value = new Option(`${flagOf(key)} <value>`, about)
    .default(undefined, usual === '' ? undefined : usual)
    .env(variable(key));
  const inFile = `${about}: a file that holds it; or the variable ${variable(key)}`;
  command.addOption(isSecret?.(String(fallback)) ? value.hideHelp() : value);
  if (!isSecret) return;
  const fileKey = fileKeyOf(key);
  command.addOption(new Option(`${flagOf(fileKey)} <path>`, inFile).env(variable(fileKey)));
}

/** Throws a `SettingsError` for a value that is not allowed. */
function readSetting(command: Command, key: string, setting: Setting<unknown>): unknown {
  const { default: fallback, read, required, isSecret } = setting;
  const given = command.getOptionValue(attributeOf(key)) as string | undefined;
  if (given === undefined && isSecret && command.getOptionValue(fileKeyOf(key)) !== undefined)
    return readSettingFile(command, key, setting);
  if (given === undefined) return fallback;
  if (isSecret?.(given) && command.getOptionValueSource(attributeOf(key)) === 'cli') {
    const ways = `Set ${flagOf(fileKeyOf(key))} or ${variable(key)} instead of ${flagOf(key)}`;
    throw new SettingsError(`${ways}: other users of this machine can read a command line.`);
  }
  const value = read(given);
  if (value !== undefined) return value;
  const shown = isSecret ? notShown : `"${given}"`;
  throw new SettingsError(`Set ${flagOf(key)} (or ${variable(key)}) to ${required}; given was ${shown}.`);
}

function readSettingFile(command: Command, key: string, { read, required }: Setting<unknown>): unknown {
  const path = command.getOptionValue(fileKeyOf(key)) as string;
  const name = `${flagOf(fileKeyOf(key))} (or ${variable(fileKeyOf(key))})`;
  let content: string;
  try {
    content = readSecretFile(path);
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code;
    throw new SettingsError(`Set ${name} to a file that can be read; given was "${path}" (${why}).`);
  }
  const value = read(content);
  if (value === undefined) throw new SettingsError(`Put ${required} into the file of ${name}: "${path}".`);
  return value;
}

function settingsOf(groups: readonly SettingGroup[]) {
  return groups.flatMap(({ settings }) => Object.entries(settings));
}

const prefix = 'CHAT_';
const kebab = (key: string) => key.replace(/[A-Z]/g, '-$&').toLowerCase();
/** The units of keys, and what stands for them in flags. */
const unitsOfKeys = [
  [/(?<=[a-z])Ms(?![a-z])/, ''],
  [/(?<=[a-z])Percent(?![a-z])/, ''],
  [/sPerSecond(?![a-z])/, 'Rate'],
  // A memory has no other size than its bytes.
  [/(?<=Memory)Bytes(?![a-z])/, ''],
  [/Bytes(?![a-z])/, 'Size'],
] as const;
// The setting `drainDeadlineMs` has the flag `--drain-deadline` and the variable `CHAT_DRAIN_DEADLINE`.
const nameOf = (key: string) =>
  kebab(unitsOfKeys.reduce((name, [unit, word]) => name.replace(unit, word), key));
const flagOf = (key: string) => `--${nameOf(key)}`;
const fileKeyOf = (key: string) => `${key}File`;
const variable = (key: string) => variableOf(prefix, nameOf(key));
// The name under which commander keeps the value of a flag.
const attributeOf = (key: string) =>
  nameOf(key).replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
