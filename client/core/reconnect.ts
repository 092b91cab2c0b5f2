/** How a connection came to its end, in words for a person, and when (or whether) to come back. Pure. */
import { closeCode, describeCloseCode, parseReconnectWaitMs } from '#protocol';

export type ConnectionEnd =
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string }
  /** Answered before the upgrade with an HTTP status; `retryAfterMs` where the answer named it. */
  | { readonly kind: 'refused'; readonly status: number; readonly retryAfterMs: number | undefined }
  /** No answer at all, or not one of HTTP: `cause` is the operating system's or the library's word for it. */
  | { readonly kind: 'unreachable'; readonly cause: string };

export type Backoff = {
  /** Upper bound of the first wait, in milliseconds; it doubles with every failed attempt. */
  readonly firstMs: number;
  /** Upper bound of every wait that we choose ourselves, in milliseconds. */
  readonly ceilingMs: number;
};

/** Chosen, not measured: half a second feels immediate, and 30 s is the patience of a person. */
export const defaultBackoff: Backoff = { firstMs: 500, ceilingMs: 30_000 };

/** A server may name any wait; beyond an hour we ask again (a longer one would also overflow the timer). */
const namedWaitMsMax = 3_600_000;

/** What the same client would be told again, however often it came back. */
const finalCodes: ReadonlySet<number> = new Set([
  1000,
  1002,
  closeCode.unsupportedData,
  closeCode.malformed,
  closeCode.policy,
  closeCode.tooLarge,
  1010,
]);

/**
 * Milliseconds to wait before the next attempt, or undefined when coming back would be pointless. `attempt` counts
 * the failed attempts in a row before this one, `random` is uniform in [0, 1).
 *
 * The wait that a restart names is kept to the millisecond: the server has already spread its clients over it. Where
 * we choose, the whole interval is random ("full jitter"), so that a crowd which lost its server together does not
 * return together.
 */
export function nextWaitMs(
  end: ConnectionEnd,
  attempt: number,
  backoff: Backoff,
  random: () => number,
): number | undefined {
  const jitterMs = random() * Math.min(backoff.ceilingMs, backoff.firstMs * 2 ** attempt);
  if (end.kind === 'unreachable') return jitterMs;
  if (end.kind === 'refused') {
    if (end.status < 500 && end.status !== 429) return undefined;
    return Math.min(end.retryAfterMs ?? 0, namedWaitMsMax) + jitterMs;
  }
  if (finalCodes.has(end.code)) return undefined;
  const named = end.code === closeCode.goingAway || end.code === closeCode.restart;
  const namedMs = named ? parseReconnectWaitMs(end.reason) : undefined;
  return namedMs === undefined ? jitterMs : Math.min(namedMs, namedWaitMsMax);
}

/** The end in one clause of plain words, without a full stop; the text a server sent is quoted as it came. */
export function describeEnd(end: ConnectionEnd): string {
  if (end.kind === 'unreachable') return `no connection: ${unreachableWords[end.cause] ?? end.cause}`;
  if (end.kind === 'refused') {
    const retry =
      end.retryAfterMs === undefined ? '' : ` (it asks for ${end.retryAfterMs / 1000} s of patience)`;
    return `${refusalWords(end.status)}${retry}`;
  }
  const reason = end.reason === '' ? '' : ` ("${end.reason}")`;
  return `${describeCloseCode(end.code)} [${end.code}]${reason}`;
}

/** The value of a Retry-After header (RFC 9110, section 10.2.3: seconds or a date) in milliseconds from `nowMs`. */
export function parseRetryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header) * 1000;
  const dateMs = Date.parse(header);
  return Number.isNaN(dateMs) ? undefined : Math.max(0, dateMs - nowMs);
}

const unreachableWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens at that address (ECONNREFUSED)',
  ENOTFOUND: 'the host name is not known (ENOTFOUND)',
  EAI_AGAIN: 'the host name could not be looked up (EAI_AGAIN)',
  EHOSTUNREACH: 'the host cannot be reached (EHOSTUNREACH)',
  ENETUNREACH: 'the network cannot be reached (ENETUNREACH)',
  ETIMEDOUT: 'the host did not answer (ETIMEDOUT)',
  ECONNRESET: 'the other side broke the connection (ECONNRESET)',
};

function refusalWords(status: number): string {
  const answer = `the server answered HTTP ${status}`;
  if (status === 401 || status === 403) {
    return `${answer}: this client is not let in (a wrong --origin or --token)`;
  }
  if (status === 404) return `${answer}: nothing is there; chat lives at /ws or /ws/<room>`;
  if (status === 503) return `${answer}: it is full or about to stop`;
  return `${answer} where a WebSocket was expected`;
}
