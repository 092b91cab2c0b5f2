/** One trial of a failure: a deployment, clients that talk, the fault, and the audit of every message. */
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../../../loadtest/model/schedule.ts';
import type { DeployedNode } from '../../deployment/deployment.ts';
import type { Variant } from '../../trial/variant.ts';
import type { OngoingRun } from '../shape.ts';
import { auditDeliveries, type DeliveryAudit } from './delivery-audit.ts';
import { type ChooseNode, Participant } from './participant.ts';
import { ReadinessWatch } from './readiness.ts';
import type { FaultTrial, FaultWorkload } from './record.ts';
import type { Scenario } from './scenarios.ts';

/** Times under load: before the fault, and after its end. */
export type FaultPhases = { steadyMs: number; aftermathMs: number };
type FaultOptions = Omit<FaultWorkload, 'repetitions'> & FaultPhases & { resumes?: boolean };

const joinDeadlineMs = 10_000;
/** Time for the last messages to arrive before the audit counts them as lost. */
const drainMs = 2000;

/** Runs one trial. Rejects where the deployment cannot be had, and on an abort with the signal's reason. */
export async function runFaultTrial(
  variant: Variant & { scenario: Scenario },
  options: FaultOptions,
  run: Pick<OngoingRun, 'deploy' | 'signal' | 'observer' | 'seed' | 'nextNumber'>,
): Promise<FaultTrial> {
  const { signal, observer } = run;
  const { stage, settings, nodes, allocation, scenario } = variant;
  const number = run.nextNumber();
  const labels = { number, variant: variant.name, stage: stage.name, purpose: 'fault' as const };
  const startedAt = new Date().toISOString();
  const enter = (phase: string) => observer.phase(phase, { ...labels, about: scenario.name });
  enter('start');
  const { breakableNetwork = false } = scenario;
  await using deployment = await run.deploy({ stage, settings, nodes, allocation, breakableNetwork });
  observer.started(deployment, null);
  using watch = new ReadinessWatch(deployment.nodes);
  const choose = balancer(deployment.nodes, watch);
  const seed = run.seed * 1000 + number;
  const random = seededRandom(seed);
  const participants = Array.from(
    { length: options.participants },
    (_, index) => new Participant(`p${index}`, choose, random, options.resumes),
  );
  const traffic = startTraffic(participants, options);
  try {
    enter('connect');
    for (const participant of participants) participant.join();
    await allConnected(participants, signal);
    enter('warm-up');
    await sleep(options.steadyMs, undefined, { signal });
    enter('measure');
    const faultAtMs = performance.now();
    await scenario.inject(deployment, signal);
    const faultMs = performance.now() - faultAtMs;
    await sleep(options.aftermathMs, undefined, { signal });
    clearInterval(traffic);
    enter('drain');
    await sleep(drainMs, undefined, { signal });
    enter('stop');
    const audit = auditDeliveries(participants, faultAtMs, (node, atMs) => watch.readyAt(node, atMs));
    return {
      ...labels,
      ...judge(audit),
      seed,
      startedAt,
      facts: deployment.facts,
      faultMs,
      ...audit,
      ...watch.since(faultAtMs),
    };
  } finally {
    clearInterval(traffic);
    for (const participant of participants) participant.leave();
  }
}

function judge(audit: DeliveryAudit): Pick<FaultTrial, 'outcome' | 'reasons'> {
  const { lostSilently, duplicated, reordered, disordered = 0, recoveredAfterMs } = audit;
  const counts = {
    'lost silently': lostSilently,
    duplicated,
    reordered,
    'heard in another order than by others': disordered,
  };
  const reasons = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([fault, count]) => `${count} messages were ${fault}; the limit is 0`);
  if (recoveredAfterMs === null) reasons.push('the chat did not recover before the trial ended');
  return { outcome: reasons.length === 0 ? 'pass' : 'fail', reasons };
}

/** Participants publish in turn, evenly spread over time. */
function startTraffic(participants: readonly Participant[], { messagesPerSecond }: FaultOptions) {
  let turn = 0;
  const periodMs = 1000 / (participants.length * messagesPerSecond);
  return setInterval(() => participants[turn++ % participants.length]?.publish(), periodMs);
}

/** Spreads clients in turn, as a load balancer does: over the ready nodes, or over all if none is ready. */
function balancer(nodes: readonly DeployedNode[], watch: ReadinessWatch): ChooseNode {
  let turn = 0;
  return () => {
    const ready = nodes.filter(({ name }) => watch.ready(name));
    const open = ready.length > 0 ? ready : nodes;
    const { name, chatUrl } = open[turn++ % open.length]!;
    return { node: name, chatUrl };
  };
}

async function allConnected(participants: readonly Participant[], signal: AbortSignal): Promise<void> {
  const deadlineAtMs = performance.now() + joinDeadlineMs;
  while (!participants.every(({ connected }) => connected)) {
    if (performance.now() > deadlineAtMs) throw new Error('not all participants could join before the fault');
    await sleep(10, undefined, { signal });
  }
}
