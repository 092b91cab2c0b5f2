/** How a connection ends: the codes of the wire, their meaning in words, and the wait that a restart asks for. */

export const closeCode = {
  goingAway: 1001,
  unsupportedData: 1003,
  malformed: 1007,
  policy: 1008,
  tooLarge: 1009,
  restart: 1012,
  overload: 1013,
  slowConsumer: 4008,
} as const;

const meaning: Readonly<Record<number, string>> = {
  1000: 'the conversation ended normally',
  1001: 'the server is going away: reconnect elsewhere',
  1002: 'the other side broke the WebSocket protocol',
  1003: 'a binary frame was sent; only text is understood',
  1005: 'the connection was closed without a reason',
  1006: 'the connection was lost without a closing handshake',
  1007: 'a frame was not UTF-8, not JSON, or not an object with clientId and Message',
  1008: 'a rule of the server was broken (origin, token, or message rate)',
  1009: 'a message was larger than the limit',
  1011: 'the server met an unexpected error',
  1012: 'the server is restarting: reconnect after the wait it names',
  1013: 'the server is overloaded: try again later',
  4008: 'slow consumer: this client read too slowly and fell too far behind',
};

/** A close code in one clause of plain words; unknown codes say that they are unknown. */
export function describeCloseCode(code: number): string {
  return meaning[code] ?? `close code ${code}, which this protocol does not define`;
}

/** The reason text of 1001 and 1012: when to come back, in milliseconds. */
export function encodeReconnectReason(waitMs: number): string {
  return `reconnect after ${Math.round(waitMs)} ms`;
}

/** The wait in milliseconds that a close reason names, or undefined where it names none. */
export function parseReconnectWaitMs(reason: string): number | undefined {
  const match = /reconnect after (\d{1,7}) ms/.exec(reason);
  return match ? Number(match[1]) : undefined;
}
