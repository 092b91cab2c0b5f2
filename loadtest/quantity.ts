/** A quantity of the workload, and its kinds: how it is written as text, read, and checked. */
import { percent, rate, size, time } from '#host/units.ts';
import {
  parseCount,
  parseHttpUrl,
  parseName,
  parseOneOf,
  parseRate,
  parseShare,
  parseSize,
  parseTimeMs,
  parseTimeRangeMs,
  parseWsUrl,
  variableOfFlag,
} from './option-values.ts';

/** One quantity of the workload. `T` is its type in code and in the result file. Times are in seconds. */
export type Quantity<T> = {
  /** Such as `--clients`. */
  flag: string;
  /** Placeholder of the value in the help text, such as `<n>`; empty for a switch, which has no value. */
  argument: string;
  /** Such as `LOADTEST_CLIENTS`. A list is one text with blanks between its items. */
  variable: string;
  help: string;
  /** The default. Undefined if it follows from the rest of the workload. */
  fallback: T;
  /** True if the flag may be given several times. */
  isList: boolean;
  /** Checks the text, or each text of a list. Adds a sentence to `problems` for each mistake. */
  read(texts: readonly string[], problems: string[]): T;
  /** The texts that give this value, one for each time that the flag is given. */
  write(value: T): string[];
};

export type Kind<T> = { argument: string; parse(text: string, flag: string): T; write(value: T): string };

/** A quantity with one value; undefined where it follows from the rest of the workload. */
export function one<T>(flag: string, help: string, kind: Kind<NonNullable<T>>, fallback: T): Quantity<T> {
  return {
    flag,
    argument: kind.argument,
    variable: variableOfFlag(flag),
    help,
    fallback,
    isList: false,
    read: ([text = ''], problems) => attempt<T>(problems, fallback, () => kind.parse(text, flag)),
    write: (value) => (value === undefined || value === null ? [] : [kind.write(value)]),
  };
}

/** A quantity whose flag may be repeated. */
export function list(
  flag: string,
  help: string,
  kind: Kind<string>,
  fallback: readonly string[],
): Quantity<readonly string[]> {
  return {
    ...one<string>(flag, help, kind, ''),
    fallback,
    isList: true,
    read: (texts, problems) => texts.map((text) => attempt(problems, text, () => kind.parse(text, flag))),
    write: (value) => [...value],
  };
}

function attempt<T>(problems: string[], fallback: T, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    problems.push((error as Error).message);
    return fallback;
  }
}

/** A whole number in these bounds. */
export function count(min: number, max: number): Kind<number> {
  return { argument: '<n>', parse: (text, flag) => parseCount(text, flag, min, max), write: String };
}

/** A number per second in these bounds; above 0 without them. */
export function perSecond(min?: number, max = 1e9): Kind<number> {
  return {
    argument: '<n/s>',
    parse: (text, flag) => parseRate(text, flag, min, max),
    write: rate.format,
  };
}

/** A size in bytes in these bounds. */
export function bytes(min: number, max: number): Kind<number> {
  return {
    argument: '<size>',
    parse: (text, flag) => parseSize(text, flag, min, max),
    write: size.format,
  };
}

/** A time in seconds. */
export function seconds(minMs: number): Kind<number> {
  return {
    argument: '<time>',
    parse: (text, flag) => parseTimeMs(text, flag, minMs) / 1000,
    write: (value) => time.format(value * 1000),
  };
}

/** One of these words. */
export function oneOf<const W extends string>(words: readonly W[]): Kind<W> {
  return { argument: '<kind>', parse: (text, flag) => parseOneOf(text, flag, words), write: String };
}

/** The beginning of a user name; empty for none. */
export function name(): Kind<string> {
  return { argument: '<name>', parse: parseName, write: String };
}

/** The WebSocket URL of a target. */
export function url(): Kind<string> {
  return { argument: '<url>', parse: parseWsUrl, write: String };
}

/** An IP address. */
export function address(): Kind<string> {
  return { argument: '<ip>', parse: (text) => text, write: String };
}

/** A flag without a value: true where it is given. */
export function isGiven(flag: string, help: string): Quantity<boolean> {
  return {
    ...{ flag, argument: '', variable: variableOfFlag(flag), help, fallback: false, isList: false },
    read: (texts) => texts.length > 0,
    write: (value) => (value ? ['1'] : []),
  };
}

/** A share of a whole, 0 to 1, written as a percentage. */
export function share(): Kind<number> {
  return { argument: '<percent>', parse: parseShare, write: (value) => percent.format(value * 100) };
}

/** Two times in seconds, such as `5s..30s`; an empty list for none. */
export function timeRange(): Kind<readonly number[]> {
  return {
    argument: '<time..time>',
    parse: (text, flag) => (text === '' ? [] : parseTimeRangeMs(text, flag).map((ms) => ms / 1000)),
    write: (range) => range.map((seconds) => time.format(seconds * 1000)).join('..'),
  };
}

/** An origin of HTTP. */
export function httpUrl(): Kind<string> {
  return { argument: '<url>', parse: parseHttpUrl, write: String };
}
