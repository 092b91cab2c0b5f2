/** How option values are read, each checked: an error says what is required and what was given. */
import { variableOf } from '#host/old-names.ts';
import { redact } from '#host/secrets.ts';
import { percent, rate, size, time } from '#host/units.ts';

/** A whole number from `min` to `max`. Throws with the flag's name. */
export function parseCount(value: string, flag: string, min: number, max: number): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= min && number <= max) return number;
  throw new Error(`${flag} must be a whole number from ${min} to ${max}; given: ${value}`);
}

/** A rate per second to `max`, from `min` or, without it, above 0. Throws with the flag's name. */
export function parseRate(value: string, flag: string, min?: number, max = 1e9): number {
  const perSecond = rate.parse(value) ?? Number.NaN;
  if ((min === undefined ? perSecond > 0 : perSecond >= min) && perSecond <= max) return perSecond;
  const bounds = `${min === undefined ? 'above 0/s' : `from ${rate.format(min)}`} to ${rate.format(max)}`;
  throw new Error(`${flag} must be a rate ${bounds} ${rate.example}; given: ${value}`);
}

/** A size in whole bytes from `min` to `max`. Throws with the flag's name. */
export function parseSize(value: string, flag: string, min: number, max: number): number {
  const bytes = size.parse(value) ?? Number.NaN;
  if (Number.isInteger(bytes) && bytes >= min && bytes <= max) return bytes;
  const bounds = `from ${size.format(min)} to ${size.format(max)}`;
  throw new Error(`${flag} must be a size ${bounds} ${size.example}; given: ${value}`);
}

/** A time with its unit, in milliseconds: at least `minMs`, at most 24 hours. Throws with the flag's name. */
export function parseTimeMs(value: string, flag: string, minMs: number): number {
  const ms = time.parse(value) ?? Number.NaN;
  if (ms >= minMs && ms <= 86_400_000) return ms;
  throw new Error(
    `${flag} must be a time from ${time.format(minMs)} to 24h ${time.example}; given: ${value}`,
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

/** The beginning of a user name, which six digits follow; or nothing. Throws with the flag's name. */
export function parseName(value: string, flag: string): string {
  if (/^[a-z0-9_-]{0,15}$/.test(value)) return value;
  throw new Error(`${flag} must be at most 15 of a-z 0-9 _ -; given: ${JSON.stringify(value)}`);
}

/** A percentage as a share from 0 to 1. Throws with the flag's name. */
export function parseShare(value: string, flag: string): number {
  const share = percent.parse(value) ?? Number.NaN;
  if (share <= 100) return share / 100;
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

/** What the variables of the simulator begin with. */
export const prefix = 'LOADTEST_';

/** The environment variable of a flag: `--warm-up` is `LOADTEST_WARM_UP`. */
export function variableOfFlag(flag: string): string {
  return variableOf(prefix, flag.slice(2));
}
