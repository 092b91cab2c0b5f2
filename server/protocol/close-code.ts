/** How a connection ends: the table of close codes, and the wait that the reason text of a restart names. */

/** One row of the table. */
export type CloseCode = {
  readonly code: number;
  /** One clause of plain words, without a full stop. */
  readonly meaning: string;
  /** Whether to connect again; false if the same client would be closed again for the same reason. */
  readonly reconnect: boolean;
};

/** 1000 to 1011: RFC 6455, section 7.4.1. 1012 and 1013: the registry of IANA. 4008: this protocol. */
const table = {
  normal: { code: 1000, meaning: 'the connection was closed normally', reconnect: false },
  goingAway: { code: 1001, meaning: 'the server is going away: reconnect elsewhere', reconnect: true },
  protocolError: { code: 1002, meaning: 'the other side broke the WebSocket protocol', reconnect: false },
  unsupportedData: {
    code: 1003,
    meaning: 'a binary frame was sent; only text is understood',
    reconnect: false,
  },
  noCode: { code: 1005, meaning: 'the connection was closed without a code', reconnect: true },
  connectionLost: {
    code: 1006,
    meaning: 'the connection was lost without a closing handshake',
    reconnect: true,
  },
  malformed: {
    code: 1007,
    meaning: 'a frame was not UTF-8, not JSON, or not an object with clientId and Message',
    reconnect: false,
  },
  policy: {
    code: 1008,
    meaning: 'a rule of the server was broken (origin, token, or message rate)',
    reconnect: false,
  },
  tooLarge: { code: 1009, meaning: 'a message was larger than the limit', reconnect: false },
  serverError: { code: 1011, meaning: 'the server met an unexpected error', reconnect: true },
  restart: {
    code: 1012,
    meaning: 'the server is restarting: reconnect after the wait it names',
    reconnect: true,
  },
  overload: { code: 1013, meaning: 'the server is overloaded: try again later', reconnect: true },
  slowConsumer: {
    code: 4008,
    meaning: 'slow consumer: this client read too slowly and fell too far behind',
    reconnect: true,
  },
} as const satisfies Record<string, CloseCode>;

/** The codes by name: `closeCode.policy` is 1008. */
export const closeCode = Object.fromEntries(
  Object.entries(table).map(([name, { code }]) => [name, code]),
) as { readonly [Name in keyof typeof table]: (typeof table)[Name]['code'] };

/** The table by code. A code that it does not hold may still arrive: a peer may send any of thousands. */
export const closeCodes: ReadonlyMap<number, CloseCode> = new Map(
  Object.values(table).map((row) => [row.code, row]),
);

/** A close code in one clause of plain words; the words for an unknown code say that it is unknown. */
export function describeCloseCode(code: number): string {
  return closeCodes.get(code)?.meaning ?? `close code ${code}, which this protocol does not define`;
}

/** The reason text of 1001 and 1012: after how many milliseconds the client should connect again. */
export function encodeReconnectReason(waitMs: number): string {
  return `reconnect after ${Math.round(waitMs)} ms`;
}

/** The wait in milliseconds that a close reason names, or undefined where it names none. */
export function parseReconnectWaitMs(reason: string): number | undefined {
  const match = /reconnect after (\d{1,7}) ms/.exec(reason);
  return match ? Number(match[1]) : undefined;
}
