/** The messages between the coordinator and its workers (child process IPC, structured clone). */
import type { Assignment } from '../model/assignment.ts';
import type { WorkerSample } from '../record/counts.ts';
import type { WorkerUsage } from '../record/process-usage.ts';
import type { WindowReport } from '../record/recorder.ts';
import type { ChurnCounts } from '../users/churn-user.ts';
import type { ConnectCounts } from '../users/connect-service.ts';
import type { ReturnCounts } from '../users/returns.ts';
import type { StalledReport } from '../users/stalled-reader.ts';
import type { Messages, OpenMessages } from '../users/step-audit.ts';
import type { ConnectionReport } from '../users/user-pool.ts';
import type { ResolvedWorkload } from '../workload.ts';

export type WorkerCommand =
  | { kind: 'connect'; assignment: Assignment; worker: number }
  | { kind: 'probe' }
  /** Make a new audit and new records. With `reconnect`, connect and probe closed users before. */
  | { kind: 'prepare'; step: number; workload: ResolvedWorkload; reconnect: boolean }
  /** The schedule begins at this time of the common clock. The recipients are those of all workers. */
  | { kind: 'start'; beginUs: number; recipientsByRoom: Uint32Array }
  /** Nothing more is sent from now on; deliveries still count. */
  | { kind: 'stop-sending' }
  /** Report the rest of the step. */
  | { kind: 'end-step' }
  /** Say which of these messages of the step anybody has heard. */
  | { kind: 'which-are-heard'; messages: Messages[] }
  /** Close the sessions and exit. */
  | { kind: 'finish' };

export type WorkerMessage =
  /** Loaded; nothing is connected yet. */
  | { kind: 'ready'; rssBytes: number }
  /** Every second: the event loop goes round. */
  | { kind: 'alive' }
  | { kind: 'progress'; sessionsOpen: number; probed: number }
  | { kind: 'connected'; connections: ConnectionReport; rssBytes: number }
  /** All connected users have received a probe, or the time is over. */
  | { kind: 'probed'; silent: number }
  /** By room: the connected users here, which are the recipients of the step. */
  | { kind: 'prepared'; recipientsByRoom: Uint32Array; sample: WorkerSample }
  /** With the orders of rooms that other workers play too, where one order is promised (`RoomOrders`). */
  | {
      kind: 'window';
      report: WindowReport;
      sample: WorkerSample;
      orders: [room: number, numbers: Int32Array][];
    }
  | { kind: 'step-done'; report: StepReport }
  | { kind: 'heard'; messages: Messages[] }
  | { kind: 'done' };

/** The last report of a worker about a step. */
export type StepReport = {
  /** Without `connectUs`, which the report after connecting has. */
  connections: ConnectionReport;
  /** Messages due in the measure phase and not sent: the user was closed, or its send buffer was full. */
  unsentClosed: number;
  unsentBlocked: number;
  /** The same for users that had been closed before the step. */
  unsentAbsent: number;
  /** Messages of the measure phase that were sent. */
  sentByRoom: Uint32Array;
  /** Over the measure phase. */
  usage: WorkerUsage;
  stalled: StalledReport;
  churn: ChurnCounts;
  /** Of users that come back. */
  returns?: ReturnCounts & OpenMessages & { away: number };
  /** Of users that ask a connect service. */
  service?: ConnectCounts;
};
