/** From what a run counted to its result: pure. */

import type { Plan } from '../model/assignment.ts';
import { Schedule } from '../model/schedule.ts';
import { encodeHistogram, histogramSlots, slotOf, summarize } from '../record/histogram.ts';
import type { RunOutcome } from '../run/coordinator.ts';
import { mergeCounts } from '../run/coordinator.ts';
import { type HealthLimits, judgeHealth } from './health.ts';
import { checkLimits, type Limit, type Observed } from './limits.ts';
import type { LatencySummary, LoadtestResult } from './schema.ts';

/** Judges a run: the instrument first, the limits after it. */
export function conclude(
  plan: Plan,
  outcome: RunOutcome,
  limits: readonly Limit[],
  healthLimits: HealthLimits,
  environment: LoadtestResult['environment'],
): LoadtestResult {
  const seen = observe(plan, outcome, environment);
  const checked = checkLimits(limits, seen);
  const failReasons = checked.filter((limit) => !limit.held).map((limit) => limit.reason);
  const voidReasons = judgeHealth(
    {
      scheduled: scheduledMessages(plan, outcome.measuredUs),
      sent: seen.sent,
      unsentByTarget: seen.unsent.closed + seen.unsent.blocked,
      scheduleLagMs: seen.scheduleLagMs,
      turnMs: seen.instrument.turnMs,
      loopUtilizationMax: seen.instrument.loopUtilizationMax,
      refused: seen.connections.refused,
      targetFailed: failReasons.length > 0,
      throttledMs: seen.instrument.throttledSeconds * 1000,
    },
    healthLimits,
  );
  if (outcome.interrupted)
    voidReasons.push(
      `the run was interrupted after ${(outcome.measuredUs / 1e6).toFixed(1)} s of ${plan.timeline.measureUs / 1e6} s`,
    );
  return {
    ...seen,
    verdict: voidReasons.length > 0 ? 'void' : failReasons.length > 0 ? 'fail' : 'pass',
    reasons: [...voidReasons, ...failReasons],
    limits: checked.map(({ expression, held, observed }) => ({ expression, held, observed })),
  };
}

/** How many messages the schedule holds in the measured time; counted, because chance decides for Poisson. */
function scheduledMessages(plan: Plan, measuredUs: number): number {
  const { warmUpUs } = plan.timeline;
  const schedule = new Schedule({ ...plan.schedule, endUs: warmUpUs + measuredUs });
  let messages = 0;
  for (; !schedule.ended; schedule.advance()) if (schedule.dueUs >= warmUpUs) messages++;
  return messages;
}

function observe(plan: Plan, outcome: RunOutcome, environment: LoadtestResult['environment']): Observed {
  const { totals, finals } = outcome;
  const seconds = outcome.measuredUs / 1e6;
  const perSecond = (count: number) => (seconds === 0 ? 0 : count / seconds);
  const audit = totals.audit();
  return {
    schemaVersion: 1,
    workload: workloadOf(plan),
    startedAt: outcome.startedAt,
    audit,
    misroutedOfOtherRuns: totals.sumOfSamples((sample) => sample.foreign),
    sent: totals.sent,
    offeredPerSecond: perSecond(scheduledMessages(plan, outcome.measuredUs)),
    achievedPerSecond: perSecond(totals.sent),
    deliveriesPerSecond: perSecond(audit.delivered),
    deliveryLatencyMs: summarize(totals.delivery),
    serviceLatencyMs: summarize(totals.service),
    scheduleLagMs: summarize(totals.lag),
    histograms: {
      deliveryLatencyUs: encodeHistogram(totals.delivery),
      serviceLatencyUs: encodeHistogram(totals.service),
      scheduleLagUs: encodeHistogram(totals.lag),
    },
    connections: connectionsOf(plan, outcome),
    unsent: {
      closed: sum(finals, (final) => final.unsentClosed),
      blocked: sum(finals, (final) => final.unsentBlocked),
    },
    stalled: {
      opened: sum(finals, (final) => final.stalled.opened),
      closed: sum(finals, (final) => final.stalled.closed),
      closedAfterMs: finals.flatMap((final) => final.stalled.closedAfterMs).sort((a, b) => a - b),
    },
    visitors: visitorsOf(outcome),
    interrupted: outcome.interrupted,
    instrument: instrumentOf(outcome),
    series: totals.series(),
    environment,
  };
}

function workloadOf(plan: Plan): LoadtestResult['workload'] {
  return {
    urls: plan.urls,
    clients: plan.clients,
    rooms: plan.rooms,
    sendersPerRoom: plan.sendersPerRoom,
    ratePerSecond: plan.schedule.ratePerSecond,
    arrival: plan.schedule.arrival,
    payloadBytes: plan.payloadBytes,
    seed: plan.schedule.seed,
    stalledReaders: plan.stalledReaders,
    churnPerSecond: plan.churnPerSecond,
    workers: plan.workers,
    sourceAddresses: plan.sourceAddresses,
    connectPerSecond: plan.connectPerSecond,
    warmUpSeconds: plan.timeline.warmUpUs / 1e6,
    durationSeconds: plan.timeline.measureUs / 1e6,
    drainSeconds: plan.timeline.drainUs / 1e6,
  };
}

function connectionsOf(plan: Plan, outcome: RunOutcome): LoadtestResult['connections'] {
  return {
    asked: plan.clients,
    opened: sum(outcome.connections, (report) => report.opened),
    refused: mergeCounts(outcome.connections.map((report) => report.refused)),
    closedEarly: mergeCounts(outcome.finals.map((final) => final.connections.closedEarly)),
    silent: outcome.silent,
    connectMs: summarizeUs(outcome.connections.flatMap((report) => report.connectUs)),
  };
}

function visitorsOf(outcome: RunOutcome): LoadtestResult['visitors'] {
  const visitors = outcome.finals.map((final) => final.visitors);
  return {
    asked: sum(visitors, (counts) => counts.asked),
    opened: sum(visitors, (counts) => counts.opened),
    refused: mergeCounts(visitors.map((counts) => counts.refused)),
    connectMs: summarizeUs(visitors.flatMap((counts) => counts.connectUs)),
  };
}

function summarizeUs(values: readonly number[]): LatencySummary {
  const counts = new Float64Array(histogramSlots);
  for (const us of values) counts[slotOf(us)]!++;
  return summarize(counts);
}

function instrumentOf(outcome: RunOutcome): LoadtestResult['instrument'] {
  const health = outcome.finals.map((final) => final.health);
  const turnMs = summarize(outcome.totals.turn);
  const opened = sum(outcome.connections, (report) => report.opened);
  return {
    cpuSeconds: sum(health, (worker) => worker.cpuUs) / 1e6,
    workerUtilizationMax: Math.max(
      ...health.map((worker) => (worker.elapsedUs === 0 ? 0 : worker.threadCpuUs / worker.elapsedUs)),
    ),
    eventLoopLagMsMax: turnMs.max,
    turnMs,
    loopUtilizationMax: Math.max(
      ...health.map((worker) => (worker.elapsedUs === 0 ? 0 : 1 - worker.loopIdleUs / worker.elapsedUs)),
    ),
    throttledSeconds: Math.max(...health.map((worker) => worker.throttledUs)) / 1e6,
    rssBytes: sum(health, (worker) => worker.rssBytes),
    rssBytesPerClient: Math.round(outcome.connectedRssBytes / opened),
  };
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
