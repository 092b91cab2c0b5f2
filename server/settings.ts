/**
 * The settings engine: reads flags, environment variables and defaults, and reports every mistake at once. It
 * is the only reader of process.env. Each part declares its own group of settings beside itself.
 */
import { type Command, Option } from 'commander';

/** One setting. Its key in the group gives its flag and its environment variable. */
export type Setting<T> = {
  readonly default: T;
  /** Returns undefined for a text that is not allowed. */
  readonly read: (given: string) => T | undefined;
  /** The allowed values, for the error message. */
  readonly required: string;
  readonly about: string;
  /** It bounds something; a stage may declare it infinite. */
  readonly isLimit?: true;
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

/** A whole number within bounds, both included. */
export function integer(min: number, max: number, fallback: number, about: string): Setting<number> {
  return {
    default: fallback,
    read: (given) =>
      /^\d{1,15}$/.test(given) && Number(given) >= min && Number(given) <= max ? Number(given) : undefined,
    required: `a whole number from ${min} to ${max}`,
    about,
  };
}

/** An `integer` that bounds something. */
export function limit(min: number, max: number, fallback: number, about: string): Setting<number> {
  return { ...integer(min, max, fallback, about), isLimit: true };
}

/** Any text. */
export function text(fallback: string, about: string): Setting<string> {
  return { default: fallback, read: (given) => given, required: 'a text', about };
}

/** A comma-separated list; spaces around an item are dropped, and so are empty items. */
export function list(about: string): Setting<readonly string[]> {
  return {
    default: [],
    read: (given) => given.split(',').flatMap((part) => part.trim() || []),
    required: 'a comma-separated list',
    about,
  };
}

/** The settings that every process has. */
export const commonSettings = group('Process', {
  host: text('127.0.0.1', 'address that the chat listens on'),
  port: integer(0, 65535, 8080, 'port of the chat; 0 takes a free one'),
  internalHost: text('127.0.0.1', 'address that metrics and health listen on'),
  internalPort: integer(0, 65535, 8081, 'port of /metrics, /healthz and /readyz; 0 takes a free one'),
  logLevel: text('info', 'least severe log line that is written (debug, info, warn, error, silent)'),
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
 * Adds an option per setting to the command, parses, and returns the frozen values. Throws a `SettingsError`
 * with every problem. After `--help` or an unknown flag the process exits, with code 0 or 2.
 */
export function readSettings<G extends SettingGroup>(
  command: Command,
  groups: readonly G[],
  argv: readonly string[],
): ValuesOf<G> {
  for (const { title, settings } of groups) {
    command.optionsGroup(title);
    for (const [key, { about, default: fallback }] of Object.entries(settings)) {
      const shown = String(fallback) === '' ? about : `${about} (default: ${fallback})`;
      command.addOption(new Option(`${flagOf(key)} <value>`, shown).env(variableOf(key)));
    }
  }
  command.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  command.parse(argv, { from: 'user' });
  const given = command.opts<Record<string, string | undefined>>();
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [key, { default: fallback, read, required }] of settingsOf(groups)) {
    const raw = given[key];
    values[key] = raw === undefined ? fallback : read(raw);
    if (values[key] !== undefined) continue;
    problems.push(`Set ${flagOf(key)} (or ${variableOf(key)}) to ${required}; given was "${raw}".`);
  }
  if (problems.length > 0) throw new SettingsError(problems.join('\n'));
  return Object.freeze(values) as ValuesOf<G>;
}

function settingsOf(groups: readonly SettingGroup[]) {
  return groups.flatMap(({ settings }) => Object.entries(settings));
}

const kebab = (key: string) => key.replace(/[A-Z]/g, '-$&').toLowerCase();
// The setting `internalPort` has the flag `--internal-port` and the variable `CHAT_INTERNAL_PORT`.
const flagOf = (key: string) => `--${kebab(key)}`;
const variableOf = (key: string) => `CHAT_${kebab(key).replaceAll('-', '_').toUpperCase()}`;
