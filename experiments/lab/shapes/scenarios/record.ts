/** The fields of a run of the scenarios shape, added to those of every shape. */
import type { Run, RunRecord, TrialHeader } from '../../records/schema.ts';

/** What the healthy clients felt during a scenario. */
export type Neighbours = {
  sent: number;
  /** Of a failure of a part: not delivered to somebody whose connection held. */
  lost: number;
  duplicated: number;
  reordered: number;
  misrouted: number;
  corrupted: number;
  /** Their own connections that the server ended, and with which codes. */
  closed: number;
  closes: Readonly<Record<string, number>>;
  /** Null where the instrument could not measure it, and of a failure of a part. */
  p99Ms: number | null;
  /** The bound that was stated for it; null where there is none. */
  p99MsMax: number | null;
};

/** By how much the server has more than at its baseline; null where that is not known. */
export type Kept = { sessions: number | null; descriptors: number | null; memoryBytes: number | null };

export type ScenarioTrial = TrialHeader & {
  scenario: string;
  family: string;
  /** What was done, in a clause; empty where the name says it. */
  about: string;
  offenders: number;
  /** What the offenders ought to get (empty: nothing is demanded), and what so many of them got. */
  gets: readonly string[];
  got: Readonly<Record<string, number>>;
  neighbours: Neighbours;
  kept: Kept | null;
  /** Resident memory of the server, the most that was seen meanwhile; null where it is not known. */
  memoryBytesMax: number | null;
  /** From the end of the offence until a message crossed, in ms; null: not within a second. */
  crossedAfterMs: number | null;
  seconds: number;
};

export type ScenarioRunRecord = RunRecord & {
  /** Of the neighbours. */
  workload: { clients: number; ratePerSecond: number; repetitions: number };
  /** By how much the server may have more after a scenario than at its baseline. */
  margins: { descriptors: number; memoryBytes: number };
  /** A server that was given by its URL; null for those of the lab. */
  url: string | null;
};
export type ScenarioRun = Run<ScenarioRunRecord, ScenarioTrial>;
