/** One scenario from start to audit: a cluster, people who talk, the failure, and what became of everything that was said. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ClusterNode, startCluster } from './cluster.ts';
import { auditKill, type KillAudit } from './delivery-audit.ts';
import { type Door, Person } from './participant.ts';
import { ReadinessWatch } from './readiness.ts';
import type { Scenario } from './scenarios.ts';

export type StrikeOptions = {
  people: number;
  /** Of each person. */
  messagesPerSecond: number;
  calmMs: number;
  /** How long people go on talking after the failing is over. */
  aftermathMs: number;
  /** Longest wait that a restart asks of a client. */
  reconnectWaitMsMax: number;
  signal: AbortSignal;
};

export type StrikeRecord = KillAudit & {
  scenario: string;
  stage: string;
  nodes: number;
  about: string;
  /** From the fault to its end: how long the failing itself took. */
  faultMs: number;
  /** Until a node said that it was not ready; null where none ever did. */
  unreadyAfterMs: number | null;
  readyAgainAfterMs: number | null;
};

// A flood of large messages is part of one scenario; the workers are two, so that one can be killed.
const serverArgs = [
  ...['--workers', '2', '--message-bytes-max', '65536'],
  ...['--messages-per-second-max', '10000', '--messages-burst-max', '10000', '--log-level', 'info'],
];
const joinDeadlineMs = 10_000;
/** What is said is given so long to arrive before the audit calls it missed. */
const listenOnMs = 2000;

/** Runs one scenario; rejects where it cannot be set up, and with the signal's reason when that is aborted. */
export async function strike(
  scenario: Scenario,
  redisBinary: string | null,
  options: StrikeOptions,
): Promise<StrikeRecord> {
  const { signal } = options;
  const args = [...serverArgs, '--reconnect-wait-ms-max', String(options.reconnectWaitMsMax)];
  await using cluster = await startCluster(scenario.stage, scenario.nodes, args, redisBinary);
  using watch = new ReadinessWatch(cluster.nodes);
  const choose = door(cluster.nodes, watch);
  const people = Array.from({ length: options.people }, (_, index) => new Person(`p${index}`, choose));
  let turn = 0;
  const talk = setInterval(
    () => people[turn++ % people.length]!.say(),
    1000 / (options.people * options.messagesPerSecond),
  );
  try {
    for (const person of people) person.join();
    await everybodyIn(people);
    await sleep(options.calmMs, undefined, { signal });
    const faultAtMs = performance.now();
    await scenario.strike(cluster);
    const faultMs = performance.now() - faultAtMs;
    await sleep(options.aftermathMs, undefined, { signal });
    clearInterval(talk);
    await sleep(listenOnMs, undefined, { signal });
    const audit = auditKill(people, faultAtMs, (node, atMs) => watch.readyAt(node, atMs));
    const { name, stage, nodes, about } = scenario;
    return { scenario: name, stage, nodes, about, faultMs, ...audit, ...watch.since(faultAtMs) };
  } finally {
    clearInterval(talk);
    for (const person of people) person.leave();
  }
}

/** Sends people to the ready nodes in turn, as a load balancer does; to any of them where none is ready. */
function door(nodes: readonly ClusterNode[], watch: ReadinessWatch): Door {
  let turns = 0;
  return () => {
    const ready = nodes.filter(({ name }) => watch.ready(name));
    const open = ready.length > 0 ? ready : nodes;
    const { name, chatUrl } = open[turns++ % open.length]!;
    return { node: name, chatUrl };
  };
}

async function everybodyIn(people: readonly Person[]): Promise<void> {
  const deadlineAtMs = performance.now() + joinDeadlineMs;
  while (!people.every(({ connected }) => connected)) {
    if (performance.now() > deadlineAtMs) throw new Error('not everybody could join before the failure');
    await sleep(10);
  }
}
