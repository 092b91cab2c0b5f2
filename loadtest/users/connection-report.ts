/** What a worker reports of its connections. */

/** The connections of the clients of one worker so far. */
export type ConnectionReport = {
  opened: number;
  /** By HTTP status or socket error code. */
  refused: Record<string, number>;
  /** Since the step began, by close code. */
  closedEarly: Record<string, number>;
  open: number;
  /** Duration of each handshake. */
  connectUs: number[];
};

export const noConnections = (): ConnectionReport => ({
  opened: 0,
  refused: {},
  closedEarly: {},
  open: 0,
  connectUs: [],
});
