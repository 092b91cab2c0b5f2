/** The messages between the coordinator and its workers (child process IPC, structured clone). */
import type { AckedMessages, Judgement } from '../audit/mailbox-audit.ts';
import type { Assignment } from '../model/assignment.ts';
import type { WorkerSample } from '../record/counts.ts';
import type { DirectTime, DirectWindow } from '../record/direct-recorder.ts';
import type { WorkerUsage } from '../record/process-usage.ts';
import type { WindowReport } from '../record/recorder.ts';
import type { AccountCounts } from '../users/accounts.ts';
import type { ChurnCounts } from '../users/churn-user.ts';
import type { ComingCounts } from '../users/comings.ts';
import type { ConnectCounts } from '../users/connect-service.ts';
import type { ConnectionReport } from '../users/connection-report.ts';
import type { ReturnCounts } from '../users/returns.ts';
import type { StalledReport } from '../users/stalled-reader.ts';
import type { Messages, OpenMessages } from '../users/step-audit.ts';
import type { ResolvedWorkload } from '../workload.ts';

export type WorkerCommand =
  /** Of people: create the accounts, before `connect`. */
  | { kind: 'accounts'; assignment: Assignment; worker: number }
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
  /** Of people: everybody comes back for what waits. */
  | { kind: 'collect' }
  /** Of people: with the acknowledged messages of all workers, say what was lost. */
  | { kind: 'judge'; messages: AckedMessages[]; isFinal: boolean }
  /** Close the sessions and exit. */
  | { kind: 'finish' };

export type WorkerMessage =
  /** Loaded; nothing is connected yet. */
  | { kind: 'ready'; rssBytes: number }
  /** Every second: the event loop goes round. */
  | { kind: 'alive' }
  | { kind: 'progress'; sessionsOpen: number; probed: number; accounts: number }
  | { kind: 'accounts-made'; accounts: AccountCounts }
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
      /** Of people. */
      direct?: DirectWindow;
      orders: [room: number, numbers: Int32Array][];
    }
  | { kind: 'step-done'; report: StepReport }
  | { kind: 'heard'; messages: Messages[] }
  | { kind: 'judged'; judgement: Judgement; untold: number }
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
  direct?: DirectReport;
};

/** Of people. */
export type DirectReport = {
  comings: ComingCounts;
  /** Acknowledged messages, by step that is not closed. */
  acked: AckedMessages[];
  /** Times of the measure phase that have not ended: infinite. */
  outstanding: Record<DirectTime, number>;
  /** Devices that are logged in; those of them that have everything. */
  present: number;
  caughtUp: number;
};
