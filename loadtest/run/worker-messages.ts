/** The messages between the coordinator and its workers (child process IPC, structured clone). */
import type { Assignment } from '../model/assignment.ts';
import type { WorkerUsage } from '../record/process-usage.ts';
import type { SecondReport } from '../record/recorder.ts';
import type { WorkerSample } from '../record/totals.ts';
import type { ChurnCounts } from '../users/churn-user.ts';
import type { StalledReport } from '../users/stalled-reader.ts';
import type { ConnectionReport } from '../users/user-pool.ts';

export type WorkerCommand =
  | { kind: 'connect'; assignment: Assignment; worker: number }
  | { kind: 'probe' }
  /** The schedule begins at this time of the common clock. */
  | { kind: 'start'; beginUs: number }
  /** Nothing more is sent from now on; deliveries still count. */
  | { kind: 'stop-sending' }
  /** Report the rest, close the sessions, exit. */
  | { kind: 'finish' };

export type WorkerMessage =
  /** Loaded; nothing is connected yet. */
  | { kind: 'ready'; rssBytes: number }
  | { kind: 'progress'; sample: WorkerSample; probed: number }
  | { kind: 'connected'; connections: ConnectionReport; rssBytes: number }
  /** All connected users have received a probe, or the time is over. By room: its connected users here. */
  | { kind: 'probed'; silent: number; recipientsByRoom: Uint32Array }
  | { kind: 'second'; report: SecondReport; sample: WorkerSample }
  | { kind: 'done'; report: FinalReport };

/** The last report of a worker. */
export type FinalReport = {
  /** Without `connectUs`, which the report after connecting has. */
  connections: ConnectionReport;
  /** Messages due in the measure phase and not sent: the user was closed, or its send buffer was full. */
  unsentClosed: number;
  unsentBlocked: number;
  /** Over the measure phase. */
  usage: WorkerUsage;
  stalled: StalledReport;
  churn: ChurnCounts;
};
