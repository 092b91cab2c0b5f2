/** From the counts of a step to its result and verdict. Pure. */
import { redact } from '#host/secrets.ts';
import { sendersOfRoom } from '../model/assignment.ts';
import { mergeCounts } from '../record/counts.ts';
import {
  encodeHistogram,
  formatMs,
  histogramSlots,
  type LatencySummary,
  slotOf,
  summarize,
  withOutstanding,
} from '../record/histogram.ts';
import { seriesOf } from '../record/series.ts';
import type { StepOutcome } from '../run/outcome.ts';
import { directOf } from './direct-result.ts';
import type { Environment } from './environment.ts';
import { type HealthLimits, judgeHealth } from './health.ts';
import { scheduledMessages } from './hopeless.ts';
import { checkLimits, type Limit, type Observed } from './limits.ts';
import { connectOf, resumeOf } from './resume-result.ts';
import type { LoadtestResult } from './schema.ts';

/** Judges a step: first the simulator's health, then the limits. */
export function conclude(
  outcome: StepOutcome,
  limits: readonly Limit[],
  healthLimits: HealthLimits,
  environment: Environment,
): LoadtestResult {
  const { workload } = outcome;
  const scheduled = scheduledMessages(workload, outcome.measuredUs);
  const { loopUtilizationMax, turnMsP99Max } = healthLimits;
  const saturatedShare = outcome.totals.saturatedShare(loopUtilizationMax, turnMsP99Max);
  const seen = observe(outcome, scheduled, saturatedShare, environment);
  const turnMsP99 = seen.instrument.turnMs.p99;
  const checked = checkLimits(limits, seen, 2 * turnMsP99);
  const broken = checked.filter((limit) => !limit.held);
  const voidReasons = judgeHealth(
    {
      scheduled,
      absent: seen.unsent.absent,
      sent: seen.sent,
      unsentByTarget: seen.unsent.closed + seen.unsent.blocked,
      scheduleLagMs: seen.scheduleLagMs,
      saturatedShare,
      refused: mergeCounts([seen.connections.refused, seen.resume?.refused ?? {}]),
      targetFailed: broken.length > 0,
      throttledMs: seen.instrument.throttledSeconds * 1000,
    },
    healthLimits,
  );
  if (outcome.interrupted)
    voidReasons.unshift(
      `the run was interrupted after ${(outcome.measuredUs / 1e6).toFixed(1)} s of ${workload.durationSeconds} s`,
    );
  const isDoubtful = broken.length > 0 && broken.every((limit) => limit.couldHold);
  const doubt = `the simulator may have caused it: with twice the p99 of its own turn (${formatMs(turnMsP99)}) taken off, the limit would have held`;
  const cause =
    outcome.aborted === 'gone' ? 'no client was connected any more' : 'a limit could no longer hold';
  const aborted = `the measure phase was ended after ${(outcome.measuredUs / 1e6).toFixed(1)} s of ${workload.durationSeconds} s, because ${cause}`;
  const reasons = [
    ...voidReasons,
    ...broken.map((limit) => limit.reason),
    ...(isDoubtful ? [doubt] : []),
    ...(outcome.aborted ? [aborted] : []),
  ];
  const verdict =
    voidReasons.length > 0 ? 'void' : broken.length === 0 ? 'pass' : isDoubtful ? 'undetermined' : 'fail';
  return {
    ...seen,
    verdict,
    reasons,
    limits: checked.map(({ expression, held, observed }) => ({ expression, held, observed })),
  };
}

function observe(
  outcome: StepOutcome,
  scheduled: number,
  saturatedShare: number,
  environment: Environment,
): Observed {
  const { workload, totals, reports } = outcome;
  const seconds = outcome.measuredUs / 1e6;
  const perSecond = (count: number) => (seconds === 0 ? 0 : count / seconds);
  const resume = resumeOf(outcome);
  const connect = connectOf(outcome);
  const direct = directOf(outcome);
  const whole = totals.audit();
  const audit = outcome.interrupted ? totals.auditOfStopped(outcome.measuredUs) : whole;
  // A percentile over the survivors alone would flatter a server that loses what it cannot deliver in time.
  const delivery = withOutstanding(totals.delivery, audit.lost);
  const service = withOutstanding(totals.service, audit.lost);
  return {
    schemaVersion: 1,
    workload: { ...workload, urls: workload.urls.map(redact) },
    startedAt: outcome.startedAt,
    audit,
    ...(outcome.interrupted && { underWay: whole.expected - audit.expected }),
    late: totals.sumOfSamples((sample) => sample.late),
    abortedAfterSeconds: outcome.aborted ? Number(seconds.toFixed(3)) : null,
    recoveredSeconds: outcome.interrupted ? null : totals.recoveredSeconds,
    backlogGrowthMs: outcome.interrupted || outcome.aborted ? null : totals.backlogGrowthMs,
    misroutedOfOtherRuns: totals.sumOfSamples((sample) => sample.foreign),
    orderedPairs: direct ? totals.direct.ordered : orderedPairsOf(outcome),
    sent: totals.sent,
    offeredPerSecond: perSecond(scheduled),
    achievedPerSecond: perSecond(totals.sent),
    deliveriesPerSecond: perSecond(direct ? totals.direct.measured : audit.delivered),
    deliveryLatencyMs: summarize(delivery),
    serviceLatencyMs: summarize(service),
    scheduleLagMs: summarize(totals.lag),
    histograms: {
      deliveryLatencyUs: encodeHistogram(delivery),
      serviceLatencyUs: encodeHistogram(service),
      scheduleLagUs: encodeHistogram(totals.lag),
    },
    connections: connectionsOf(workload.clients, outcome),
    unsent: {
      closed: sum(reports, (report) => report.unsentClosed),
      blocked: sum(reports, (report) => report.unsentBlocked),
      absent: sum(reports, (report) => report.unsentAbsent),
    },
    stalled: {
      opened: sum(reports, (report) => report.stalled.opened),
      closed: sum(reports, (report) => report.stalled.closed),
      closedAfterMs: reports.flatMap((report) => report.stalled.closedAfterMs).sort((a, b) => a - b),
    },
    churn: churnOf(outcome),
    ...(resume && { resume }),
    ...(connect && { connect }),
    ...(direct && { direct }),
    interrupted: outcome.interrupted,
    instrument: { ...instrumentOf(outcome), saturatedShare },
    series: seriesOf(totals.seconds),
    environment,
  };
}

function orderedPairsOf({ workload, reports, recipientsByRoom }: StepOutcome): number {
  return recipientsByRoom.reduce((total, recipients, room) => {
    const sent = sum(reports, (report) => report.sentByRoom[room]!);
    const streams = workload.order === 'one-for-all' ? 1 : sendersOfRoom(workload, room);
    return total + Math.max(0, sent - streams) * recipients;
  }, 0);
}

function connectionsOf(asked: number, outcome: StepOutcome): LoadtestResult['connections'] {
  const { connections, reports, silent } = outcome;
  return {
    asked,
    opened: sum(connections, (report) => report.opened),
    recipients: outcome.recipientsByRoom.reduce((total, count) => total + count, 0),
    refused: mergeCounts(connections.map((report) => report.refused)),
    closedEarly: mergeCounts(reports.map((report) => report.connections.closedEarly)),
    silent,
    connectMs: summarizeUs(connections.flatMap((report) => report.connectUs)),
  };
}

function churnOf(outcome: StepOutcome): LoadtestResult['churn'] {
  const churn = outcome.reports.map((report) => report.churn);
  return {
    asked: sum(churn, (counts) => counts.asked),
    opened: sum(churn, (counts) => counts.opened),
    refused: mergeCounts(churn.map((counts) => counts.refused)),
    connectMs: summarizeUs(churn.flatMap((counts) => counts.connectUs)),
  };
}

function summarizeUs(values: readonly number[]): LatencySummary {
  const counts = new Float64Array(histogramSlots);
  for (const us of values) counts[slotOf(us)]!++;
  return summarize(counts);
}

function instrumentOf(outcome: StepOutcome): Omit<LoadtestResult['instrument'], 'saturatedShare'> {
  const workers = outcome.reports.map((report) => report.usage);
  const turnMs = summarize(outcome.totals.turn);
  const opened = sum(outcome.connections, (report) => report.opened);
  return {
    cpuSeconds: sum(workers, ({ cpuUs }) => cpuUs) / 1e6,
    workerUtilizationMax: Math.max(
      ...workers.map(({ elapsedUs, threadCpuUs }) => (elapsedUs === 0 ? 0 : threadCpuUs / elapsedUs)),
    ),
    eventLoopLagMsMax: turnMs.max,
    turnMs,
    loopUtilizationMax: Math.max(
      ...workers.map(({ elapsedUs, loopIdleUs }) => (elapsedUs === 0 ? 0 : 1 - loopIdleUs / elapsedUs)),
    ),
    throttledSeconds: Math.max(...workers.map(({ throttledUs }) => throttledUs)) / 1e6,
    rssBytes: sum(workers, ({ rssBytes }) => rssBytes),
    rssBytesPerClient: Math.round(outcome.connectedRssBytes / opened),
  };
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
