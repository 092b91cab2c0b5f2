/**
 * The part of a result about users that come back (`--resume`) and about connect services (`--connect`).
 * Pure.
 */
import { mergeCounts } from '../record/counts.ts';
import {
  histogramSlots,
  type LatencySummary,
  slotOf,
  summarize,
  withOutstanding,
} from '../record/histogram.ts';
import type { StepOutcome } from '../run/outcome.ts';

/** In a step whose users come back. Times are since a user left; 2147483.647 ms: it did not until the end. */
export type ResumeResult = {
  /** Connections that ended and whose users came back, by close code; those of a storm are not in it. */
  closes: Record<string, number>;
  /** Until the handshake had succeeded, with every wait and every refusal before it. */
  connectedMs: LatencySummary;
  /**
   * Until all that had been missed had come, or until the user was told that it may have missed something.
   */
  caughtUpMs: LatencySummary;
  /** Returns with the answer that everything missed follows; deliveries that came so. */
  recovered: number;
  lateDeliveries: number;
  /** Returns after which messages may be missing; of them, behind `unable` the server keeps no log at all. */
  gaps: number;
  unable: number;
  peopleWithGaps: number;
  /**
   * Deliveries of the measure phase that lie in gaps. They are in `audit.expected`, and not in `audit.lost`.
   */
  missed: number;
  /** Frames `joined` that contradict what was asked for. */
  misannounced: number;
  /**
   * Messages that nobody heard and whose sender lost its connection before the echo: they may never have
   * reached the server. They are not in `audit.expected`.
   */
  unpublished: number;
  /** Users that had not come back when the step ended; what they are owed is lost. */
  away: number;
  /** Refusals on the way back, by HTTP status or error code; `connect: ` is that of a connect service. */
  refused: Record<string, number>;
  storm?: StormResult;
};

/** Of the users that dropped their connections in the storm. */
export type StormResult = {
  left: number;
  connectedMs: LatencySummary;
  caughtUpMs: LatencySummary;
  /** Until 99 % of them had caught up; 2147483.647 if they had not. */
  caughtUp99AfterMs: number;
  /** Handshakes that succeeded ÷ the time until the last of them. */
  handshakesPerSecond: number;
  /** Delivery latency to users that had not left, of messages due since the storm. */
  stayedLatencyMs: LatencySummary;
};

export type ConnectResult = {
  asked: number;
  /** By HTTP status or error code. */
  refused: Record<string, number>;
  /** Until an address was there. */
  answerMs: LatencySummary;
};

/** Undefined where users do not come back. */
export function resumeOf({ workload, reports, totals, settled }: StepOutcome): ResumeResult | undefined {
  const returns = reports.flatMap((report) => report.returns ?? []);
  if (settled === undefined || returns.length === 0) return undefined;
  const sum = (of: (one: (typeof returns)[number]) => number) =>
    returns.reduce((total, one) => total + of(one), 0);
  const closes = mergeCounts(returns.map((one) => one.closes));
  const stormed = sum((one) => one.left.storm);
  const left = stormed + sum((one) => one.left.others);
  const connected = {
    storm: returns.flatMap((one) => one.connectedUs.storm),
    others: returns.flatMap((one) => one.connectedUs.others),
  };
  const caughtUp = {
    storm: returns.flatMap((one) => one.caughtUpUs.storm),
    others: returns.flatMap((one) => one.caughtUpUs.others),
  };
  const resume: ResumeResult = {
    closes,
    connectedMs: timesOf([...connected.storm, ...connected.others], left),
    caughtUpMs: timesOf([...caughtUp.storm, ...caughtUp.others], left),
    recovered: sum((one) => one.recovered),
    lateDeliveries: sum((one) => one.lateDeliveries),
    gaps: sum((one) => one.gaps),
    unable: sum((one) => one.unable),
    peopleWithGaps: sum((one) => one.peopleWithGaps),
    missed: settled.missed,
    misannounced: sum((one) => one.misannounced),
    unpublished: settled.unpublished,
    away: sum((one) => one.away),
    refused: mergeCounts(returns.map((one) => one.refused)),
  };
  if (workload.stormShare === 0) return resume;
  const caughtUpMs = timesOf(caughtUp.storm, stormed);
  const lastUs = connected.storm.reduce((last, us) => Math.max(last, us), 0);
  const storm: StormResult = {
    left: stormed,
    connectedMs: timesOf(connected.storm, stormed),
    caughtUpMs,
    caughtUp99AfterMs: caughtUpMs.p99,
    handshakesPerSecond: lastUs === 0 ? 0 : Math.round((connected.storm.length / lastUs) * 1e6),
    stayedLatencyMs: summarize(totals.stayed),
  };
  return { ...resume, storm };
}

/** Undefined where no connect service is asked. */
export function connectOf({ reports }: StepOutcome): ConnectResult | undefined {
  const services = reports.flatMap((report) => report.service ?? []);
  if (services.length === 0) return undefined;
  const answerUs = services.flatMap((one) => one.answerUs);
  return {
    asked: services.reduce((total, one) => total + one.asked, 0),
    refused: mergeCounts(services.map((one) => one.refused)),
    answerMs: timesOf(answerUs, answerUs.length),
  };
}

/** Of `owed` returns; those that did not come to pass are infinite. */
export function timesOf(values: readonly number[], owed: number): LatencySummary {
  const counts = new Float64Array(histogramSlots);
  for (const us of values) counts[slotOf(Math.min(us, 2 ** 31 - 1))]!++;
  return summarize(withOutstanding(counts, Math.max(0, owed - values.length)));
}
