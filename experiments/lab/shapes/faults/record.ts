/** The fields of a run of the faults shape, added to those of every shape. */
import type { Run, RunRecord, TrialHeader } from '../../records/schema.ts';
import type { DeliveryAudit } from './delivery-audit.ts';

/** The load of the lab's own clients, the same in every trial. */
export type FaultWorkload = {
  participants: number;
  /** Of each participant. */
  messagesPerSecond: number;
  /** Longest wait that a restart asks of a client. */
  reconnectWaitMsMax: number;
  /** Trials of each failure. */
  repetitions: number;
};

export type FaultTrial = TrialHeader &
  DeliveryAudit & {
    /** How long the fault itself lasted. */
    faultMs: number;
    /** Until a node reported that it was not ready; null where none did. */
    unreadyAfterMs: number | null;
    readyAgainAfterMs: number | null;
  };

/** `resumes`: the clients came back with their position; absent in old results. */
export type FaultRunRecord = RunRecord & { workload: FaultWorkload; resumes?: boolean };
export type FaultRun = Run<FaultRunRecord, FaultTrial>;
