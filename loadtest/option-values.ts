/** How option values are read, each checked: an error says what is required and what was given. */
import { redact } from '#host/secrets.ts';

/** Milliseconds of each unit of time that an option or a limit may name. */
export const msOfUnit: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000 };

/** A whole number from `min` to `max`. Throws with the flag's name. */
export function parseCount(value: string, flag: string, min: number, max: number): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= min && number <= max) return number;
  throw new Error(`${flag} must be a whole number from ${min} to ${max}; given: ${value}`);
}

/** A rate per second: above 0, at most 1e9. Throws with the flag's name. */
export function parseRate(value: string, flag: string): number {
  const rate = Number(value);
  if (rate > 0 && rate <= 1e9) return rate;
  throw new Error(`${flag} must be a number above 0 and at most 1e9; given: ${value}`);
}

/** A time with its unit, in milliseconds: at least `minMs`, at most 24 hours. Throws with the flag's name. */
export function parseTimeMs(value: string, flag: string, minMs: number): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(us|ms|s|m)$/.exec(value) ?? [];
  const ms = Number(number) * (msOfUnit[unit] ?? Number.NaN);
  if (ms >= minMs && ms <= 86_400_000) return ms;
  throw new Error(
    `${flag} must be a time from ${minMs} ms to 24 h with a unit (us, ms, s, m), such as 20s; given: ${value}`,
  );
}

/** One of these words. Throws with the flag's name. */
export function parseOneOf<T extends string>(value: string, flag: string, values: readonly T[]): T {
  if ((values as readonly string[]).includes(value)) return value as T;
  throw new Error(`${flag} must be one of ${values.join(', ')}; given: ${value}`);
}

/** The URL of a target: ws only. Throws with the flag's name. */
export function parseWsUrl(value: string, flag: string): string {
  const protocol = URL.parse(value)?.protocol;
  if (protocol === 'ws:') return value;
  throw new Error(
    protocol === 'wss:'
      ? `${flag} must begin with ws://; put a TLS proxy before the simulator for wss; given: ${redact(value)}`
      : `${flag} must look like ws://127.0.0.1:8080/ws; given: ${redact(value)}`,
  );
}

/** The origin of a connect service: http only, without a path. Throws with the flag's name. */
export function parseHttpUrl(value: string, flag: string): string {
  const url = URL.parse(value);
  if (url?.protocol === 'http:' && url.pathname === '/' && url.search + url.hash === '') return url.origin;
  throw new Error(`${flag} must look like http://127.0.0.1:8080; given: ${redact(value)}`);
}

/** A percentage as a share from 0 to 1. Throws with the flag's name. */
export function parseShare(value: string, flag: string): number {
  const [, number] = /^(\d+(?:\.\d+)?)%$/.exec(value) ?? [];
  if (number !== undefined && Number(number) <= 100) return Number(number) / 100;
  throw new Error(`${flag} must be from 0% to 100%; given: ${value}`);
}

/** Two times with their units, the shorter first, in milliseconds. Throws with the flag's name. */
export function parseTimeRangeMs(value: string, flag: string): [minMs: number, maxMs: number] {
  const [, min, max] = /^(.+?)\.\.(.+)$/.exec(value) ?? [];
  if (min === undefined || max === undefined)
    throw new Error(`${flag} must be two times, such as 5s..30s; given: ${value}`);
  const range: [number, number] = [parseTimeMs(min, flag, 1), parseTimeMs(max, flag, 1)];
  if (range[0] <= range[1]) return range;
  throw new Error(`${flag} must begin with the shorter time; given: ${value}`);
}

/** The environment variable of a flag: `--warm-up` is `LOADTEST_WARM_UP`. */
export function variableOf(flag: string): string {
  return `LOADTEST_${flag.slice(2).replaceAll('-', '_').toUpperCase()}`;
}
