/** How a connection ends: the table of close codes, and the wait that the reason text of a restart names. */

/** 1000 to 1011: RFC 6455, section 7.4.1. 1012, 1013: the registry of IANA. 4008 to 4013: this protocol. */
const table = {
  normal: row(1000, 'the connection was closed normally', false),
  goingAway: row(1001, 'the server is going away: reconnect elsewhere', true),
  protocolError: row(1002, 'the other side broke the WebSocket protocol', false),
  unsupportedData: row(1003, 'a binary frame was sent; only text is understood', false),
  noCode: row(1005, 'the connection was closed without a code', true),
  connectionLost: row(1006, 'the connection was lost without a closing handshake', true),
  malformed: row(1007, 'a frame was not UTF-8, not JSON, or not an object with clientId and Message', false),
  policy: row(1008, 'a rule of the server was broken (origin, token, login, or message rate)', false),
  tooLarge: row(1009, 'a message was larger than the limit', false),
  serverError: row(1011, 'the server met an unexpected error', true),
  restart: row(1012, 'the server is restarting: reconnect after the wait it names', true),
  overload: row(1013, 'the server is overloaded: try again later', true),
  slowConsumer: row(4008, 'slow consumer: this client read too slowly and fell too far behind', true),
  seatMoved: row(4012, 'this node gives the room away: reconnect, perhaps elsewhere', true),
  loggedInElsewhere: row(4013, 'this device has logged in on another connection', false),
};

/** The codes by name: `closeCode.policy` is 1008. */
export const closeCode = Object.fromEntries(
  Object.entries(table).map(([name, { code }]) => [name, code]),
) as { readonly [Name in keyof typeof table]: (typeof table)[Name]['code'] };

/** The table by code. A code that it does not hold may still arrive: a peer may send any of thousands. */
export const closeCodes: ReadonlyMap<number, Row> = new Map(
  Object.values(table).map((row) => [row.code, row]),
);

/** A close code in one clause of plain words; the words for an unknown code say that it is unknown. */
export function describeCloseCode(code: number): string {
  return closeCodes.get(code)?.meaning ?? `close code ${code}, which this protocol does not define`;
}

type Row = ReturnType<typeof row>;

/** `meaning`: one clause of plain words. `reconnect`: false if the next connection would end the same way. */
function row<Code extends number>(code: Code, meaning: string, reconnect: boolean) {
  return { code, meaning, reconnect };
}

/** The reason text of 1001, 1012 and 4012: after how many milliseconds the client should connect again. */
export function encodeReconnectReason(waitMs: number): string {
  return `reconnect after ${Math.round(waitMs)} ms`;
}

/** The wait in milliseconds that a close reason names, or undefined where it names none. */
export function parseReconnectWaitMs(reason: string): number | undefined {
  const match = /reconnect after (\d{1,7}) ms/.exec(reason);
  return match ? Number(match[1]) : undefined;
}
