/** The part of a result about people with accounts and their direct messages (`--people`). Pure. */
import { mergeCounts } from '../record/counts.ts';
import type { DirectTime } from '../record/direct-recorder.ts';
import { type LatencySummary, summarize, withOutstanding } from '../record/histogram.ts';
import type { StepOutcome } from '../run/outcome.ts';
import { timesOf } from './resume-result.ts';

/**
 * Counts are of the whole step, with its warm-up and its drain; times are of the measure phase, and
 * 2147483.647 ms stands for one that had not ended when the step did. Lost, duplicated, misordered (in
 * `reordered`) and misdelivered (in `misrouted`) messages are in `audit`.
 */
export type DirectResult = {
  /** Devices of all people; those that were logged in when the step ended. */
  devices: number;
  present: number;
  /** Made before the first step; `existed`: by an earlier run with the same prefix. */
  accounts: {
    created: number;
    existed: number;
    /** By HTTP status or error code. */
    refused: Record<string, number>;
    seconds: number;
    /** Until every device had been logged in once. */
    enrollSeconds: number;
  };
  /** Messages that were sent for the first time; again, because they were not answered or answered `busy`. */
  sent: number;
  resent: number;
  /** Answers. `full` and `unknown` were not accepted. */
  acked: number;
  full: number;
  unknown: number;
  busy: number;
  /** Messages of the measure phase without any answer. */
  unanswered: number;
  /** From the due time of a message to its answer. */
  ackMs: LatencySummary;
  /** Of the first deliveries, those to devices that came later than the message was due. */
  waited: number;
  /** Acknowledged messages that wait for devices that are away; 0 when everybody has been back. */
  waiting: number;
  /**
   * Devices that had not come back at the end of the run, or had not collected everything: what they are owed
   * counts as lost. Null in a step before.
   */
  notBack: number | null;
  /** Messages of earlier runs with these people: not audited. */
  foreign: number;
  /** Frames `gap`: messages that were gone before a device had come for them. */
  expired: number;
  /** Receipts; those that went back. */
  receipts: number;
  wentBack: number;
  /**
   * Pairs of which the sender was not told that the last message was received; null unless everybody has been
   * back.
   */
  untold: number | null;
  logins: { asked: number; made: number; busy: number; failed: number };
  /** From the request to the answer. */
  loginMs: LatencySummary;
  /** From the request to the last message that waited. */
  collectedMs: LatencySummary;
  /** The same from the moment in which the device wanted to come, with every refusal and every wait. */
  caughtUpMs: LatencySummary;
  /** Of `--login-rate`; those that were not made found no device that was away. */
  lookIns: { due: number; made: number };
  /** Connections that the server ended and whose devices came back, by close code. */
  closes: Record<string, number>;
  /** Refused handshakes, by HTTP status or error code. */
  refused: Record<string, number>;
  /** Of those that came back at the end of the run: since all wanted to. */
  end?: { loginMs: LatencySummary; caughtUpMs: LatencySummary };
};

/** Undefined where there are no people. */
export function directOf(outcome: StepOutcome): DirectResult | undefined {
  const { workload, totals, accounts, receipts } = outcome;
  const reports = outcome.reports.flatMap(({ direct }) => direct ?? []);
  if (accounts === undefined || reports.length === 0) return undefined;
  const { accountSeconds, enrollSeconds, created, existed, refused } = accounts;
  const counts = totals.direct;
  const times = (time: DirectTime) => {
    const open = reports.reduce((sum, { outstanding }) => sum + outstanding[time], 0);
    return summarize(withOutstanding(totals.directTimes[time], open));
  };
  const merged = (name: 'closes' | 'refused') => mergeCounts(reports.map(({ comings }) => comings[name]));
  const ended = (name: 'endLoginUs' | 'endCaughtUpUs') => reports.flatMap(({ comings }) => comings[name]);
  const logins = ended('endLoginUs');
  const { loginsAsked: asked, loginsMade: made, loginsBusy: busy, loginsFailed: failed } = counts;
  return {
    devices: workload.people * workload.devices,
    present: reports.reduce((sum, { present }) => sum + present, 0),
    accounts: {
      ...{ created, existed, refused, seconds: rounded(accountSeconds) },
      enrollSeconds: rounded(enrollSeconds),
    },
    ...{ sent: counts.sent, resent: counts.resent },
    ...{ acked: counts.acked, full: counts.full, unknown: counts.unknown, busy: counts.busy },
    unanswered: reports.reduce((sum, { outstanding }) => sum + outstanding.ack, 0),
    ackMs: times('ack'),
    ...{ waited: counts.waited, waiting: totals.judged.waiting },
    notBack: receipts?.isFinal
      ? reports.reduce((left, { caughtUp }) => left - caughtUp, workload.people * workload.devices)
      : null,
    ...{ foreign: counts.foreign, expired: counts.gaps },
    ...{ receipts: counts.receipts, wentBack: counts.wentBack },
    untold: receipts?.isFinal ? receipts.untold : null,
    logins: { asked, made, busy, failed },
    ...{ loginMs: times('login'), collectedMs: times('collected'), caughtUpMs: times('caughtUp') },
    lookIns: { due: counts.lookInsDue, made: counts.lookInsMade },
    ...{ closes: merged('closes'), refused: merged('refused') },
    ...(receipts?.isFinal && {
      end: {
        loginMs: timesOf(logins, logins.length),
        caughtUpMs: timesOf(ended('endCaughtUpUs'), logins.length),
      },
    }),
  };
}

function rounded(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}
