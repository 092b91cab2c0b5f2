/** The values that options take: each is read, or refused with what is required and what was given. */

/** A whole number from `min` to `max`. */
export function parseCount(value: string, flag: string, min: number, max: number): number {
  const number = Number(value);
  if (/^\d+$/.test(value) && number >= min && number <= max) return number;
  throw new Error(`${flag} must be a whole number from ${min} to ${max}; given: ${value}`);
}

/** A rate per second: above 0, at most 1e9. */
export function parseRate(value: string): number {
  const rate = Number(value);
  if (rate > 0 && rate <= 1e9) return rate;
  throw new Error(`--rate must be a number above 0 and at most 1e9; given: ${value}`);
}

/** A time with its unit, in milliseconds: at least `minMs`, at most 24 hours. */
export function parseTimeMs(value: string, flag: string, minMs: number): number {
  const match = /^(\d+(?:\.\d+)?)(us|ms|s|m)$/.exec(value);
  const scale = { us: 0.001, ms: 1, s: 1000, m: 60_000 }[match?.[2] ?? ''] ?? Number.NaN;
  const ms = Number(match?.[1]) * scale;
  if (ms >= minMs && ms <= 86_400_000) return ms;
  throw new Error(
    `${flag} must be a time from ${minMs} ms to 24 h with a unit (us, ms, s, m), such as 20s; given: ${value}`,
  );
}

/** One of these words. */
export function parseOneOf<T extends string>(value: string, flag: string, values: readonly T[]): T {
  if ((values as readonly string[]).includes(value)) return value as T;
  throw new Error(`${flag} must be one of ${values.join(', ')}; given: ${value}`);
}

/** A target that can be driven. */
export function checkUrl(value: string): void {
  const url = URL.parse(value);
  if (url?.protocol === 'wss:')
    throw new Error(
      `--url must begin with ws://; put a TLS proxy before the simulator for wss; given: ${value}`,
    );
  if (url?.protocol !== 'ws:')
    throw new Error(`--url must look like ws://127.0.0.1:8080/ws; given: ${value}`);
}
