/** Whether and when to reconnect after the end of a connection, and the end in words for a person. Pure. */
import { closeCode, closeCodes, describeCloseCode, parseReconnectWaitMs } from '#protocol';

export type ConnectionEnd =
  /** `admitted` is false if the server closed before it had shown that this client is in the room. */
  | {
      readonly kind: 'closed';
      readonly code: number;
      readonly reason: string;
      readonly admitted?: boolean;
    }
  /**
   * Refused before the upgrade with an HTTP status, or by a connect service (`by`). `retryAfterMs` is from
   * the Retry-After header, if any.
   */
  | {
      readonly kind: 'refused';
      readonly status: number;
      readonly retryAfterMs: number | undefined;
      readonly by?: 'connect';
    }
  /**
   * No answer, or none in HTTP. `cause` is an error code of the system or a text of the library.
   * `unexplained`: perhaps there was an answer, which the client was not told.
   */
  | { readonly kind: 'unreachable'; readonly cause: string; readonly unexplained?: boolean };

/** Bound of the first wait, which doubles with every failed attempt: half a second feels immediate. */
const firstWaitMsMax = 500;
/** Chosen, not measured: a program that nobody watches need not know sooner. */
const waitMsMaxUsual = 30_000;

/** A server may name any wait, but the client waits one hour at most. A timer overflows after 24 days. */
const namedWaitMsMax = 3_600_000;

/** The codes whose reason text names a wait. */
const waitNamingCodes: ReadonlySet<number> = new Set([
  closeCode.goingAway,
  closeCode.restart,
  closeCode.seatMoved,
]);

/**
 * Milliseconds to wait before the next attempt, or undefined if the next attempt would end in the same way.
 * `attempt` is the number of failed attempts in a row before this one, `random` is uniform in [0, 1). The
 * wait that a restart names is kept to the millisecond: the server has already spread its clients over time.
 * A wait that the client chooses is random over its whole interval ("full jitter"), to spread them as well,
 * and at most `waitMsMax`.
 */
export function nextWaitMs(
  end: ConnectionEnd,
  attempt: number,
  random: () => number,
  waitMsMax = waitMsMaxUsual,
): number | undefined {
  const jitterMs = random() * Math.min(waitMsMax, firstWaitMsMax * 2 ** attempt);
  if (end.kind === 'unreachable') return jitterMs;
  if (end.kind === 'refused') {
    if (end.status < 500 && end.status !== 429) return undefined;
    return Math.min(end.retryAfterMs ?? 0, namedWaitMsMax) + jitterMs;
  }
  // A code that is not in the table may mean anything, so one more attempt is worth it.
  if (closeCodes.get(end.code)?.reconnect === false) return undefined;
  const namedMs = waitNamingCodes.has(end.code) ? parseReconnectWaitMs(end.reason) : undefined;
  return namedMs === undefined ? jitterMs : Math.min(namedMs, namedWaitMsMax);
}

/** The end in one clause of plain words, without a full stop; the reason text is quoted unchanged. */
export function describeEnd(end: ConnectionEnd): string {
  if (end.kind === 'unreachable') return `no connection: ${unreachableWords[end.cause] ?? end.cause}`;
  if (end.kind === 'refused') {
    const retry = end.retryAfterMs === undefined ? '' : ` (it asks to wait ${end.retryAfterMs / 1000} s)`;
    if (end.by === 'connect') {
      const full = end.status === 503 ? ': no node can take this client now' : '';
      return `the connect service answered HTTP ${end.status}${full}${retry}`;
    }
    const words = refusalWords[end.status] ?? ' where a WebSocket was expected';
    return `the server answered HTTP ${end.status}${words}${retry}`;
  }
  const isRefusal = end.code === closeCode.policy || end.code === closeCode.overload;
  if (end.admitted === false && isRefusal && end.reason !== '')
    return `the server did not admit this client: ${end.reason} [${end.code}]`;
  const reason = end.reason === '' ? '' : ` ("${end.reason}")`;
  return `${describeCloseCode(end.code)} [${end.code}]${reason}`;
}

/** A Retry-After header (RFC 9110, section 10.2.3: seconds or a date) in milliseconds from `nowMs`. */
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

const notAdmitted = ': this client is not admitted (a wrong --origin or --token)';
const refusalWords: Readonly<Record<number, string>> = {
  401: notAdmitted,
  403: notAdmitted,
  404: ': no chat at this path; the paths are /ws and /ws/<room>',
  503: ': it is full or about to stop',
};
