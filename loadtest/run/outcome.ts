/** What a run has to say when it has connected, and when a step has ended. */
import type { Totals } from '../record/totals.ts';
import type { AccountCounts } from '../users/accounts.ts';
import type { ConnectionReport } from '../users/connection-report.ts';
import type { ResolvedWorkload } from '../workload.ts';
import type { Settled } from './open-messages.ts';
import type { StepReport } from './worker-messages.ts';

/** How the users of a run connected. */
export type ConnectOutcome = {
  silent: number;
  connections: ConnectionReport[];
  /** Growth of the workers' memory by connecting. */
  connectedRssBytes: number;
  /** Of people, and how long their accounts and first logins took. */
  accounts?: AccountCounts & { accountSeconds: number; enrollSeconds: number };
};

/** Everything that the result of a step is made of. */
export type StepOutcome = ConnectOutcome & {
  workload: ResolvedWorkload;
  totals: Totals;
  startedAt: string;
  /** By room: the connected users when the step began, of all workers. */
  recipientsByRoom: Uint32Array;
  reports: StepReport[];
  interrupted: boolean;
  /** The measure phase ended because `isHopeless` said so, or because no user was connected any more. */
  aborted?: 'hopeless' | 'gone' | undefined;
  /** Of users that come back. */
  settled?: Settled;
  /** Of people: senders that were not told that all they wrote was received; everybody had come back. */
  receipts?: { untold: number; isFinal: boolean };
  /** Length of the measure phase: as planned, or until it was interrupted or aborted. */
  measuredUs: number;
};
