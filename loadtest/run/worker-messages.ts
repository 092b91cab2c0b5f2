/** What the coordinator and its workers say to each other (child process IPC, structured clone). */

import type { Plan } from '../model/assignment.ts';
import type { SecondReport } from '../record/recorder.ts';
import type { VisitorCounts } from '../users/churn-user.ts';

export type WorkerCommand =
  | { kind: 'connect'; plan: Plan; worker: number }
  | { kind: 'probe' }
  /** The schedule begins at this time of the common clock. */
  | { kind: 'start'; beginUs: number }
  /** Nothing more is sent from now on; deliveries still count. */
  | { kind: 'stop-sending' }
  /** Report what is left, close the sessions, exit. */
  | { kind: 'finish' };

/** What happened to the connections of a worker so far. */
export type ConnectionReport = {
  opened: number;
  refused: Record<string, number>;
  closedEarly: Record<string, number>;
  open: number;
  /** How long each handshake took; sent once, when all have connected. */
  connectUs: number[];
};

/** What the workers count beside the recorder. */
export type WorkerSample = {
  sessionsOpen: number;
  duplicated: number;
  reordered: number;
  misrouted: number;
  corrupted: number;
  foreign: number;
  /** CPU of the process since its start. */
  cpuUs: number;
  rssBytes: number;
};

export type StalledReport = { opened: number; closed: number; closedAfterMs: number[] };

export type FinalReport = {
  connections: ConnectionReport;
  /** Messages that were due in the measure phase and did not leave, because the sender was closed or its socket was full. */
  unsentClosed: number;
  unsentBlocked: number;
  health: WorkerUsage;
  stalled: StalledReport;
  visitors: VisitorCounts;
};

/** Over the measure phase. */
export type WorkerUsage = {
  cpuUs: number;
  threadCpuUs: number;
  elapsedUs: number;
  /** How long the event loop waited for something to do. */
  loopIdleUs: number;
  rssBytes: number;
  throttledUs: number;
};

export type WorkerMessage =
  /** Loaded, nothing connected yet. */
  | { kind: 'ready'; rssBytes: number }
  | { kind: 'progress'; sample: WorkerSample; heard: number }
  | { kind: 'connected'; connections: ConnectionReport; rssBytes: number }
  /** All users that can hear have heard, or the time for it is over; by room, how many of its users here are open. */
  | { kind: 'probed'; silent: number; recipientsByRoom: Uint32Array }
  | { kind: 'second'; report: SecondReport; sample: WorkerSample }
  | { kind: 'done'; report: FinalReport };
