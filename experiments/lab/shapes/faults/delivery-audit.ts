/** The exact effect of a fault: each published message is checked against each participant. Pure. */
import type { Connection, Publish } from './participant.ts';

/** The log of one participant. */
export type ParticipantLog = {
  connections: readonly Connection[];
  published: readonly Publish[];
  receivedAtMs: ReadonlyMap<string, number>;
  duplicated: number;
  reordered: number;
  /** It comes back with its position, and is told of a loss by the answer to that, and not by the close. */
  resumes?: boolean;
};

export type DeliveryAudit = {
  participants: number;
  /** Participants whose one connection held from beginning to end. */
  held: number;
  published: number;
  delivered: number;
  /**
   * Not delivered to a participant whose connection held, or who resumed and was told that nothing was
   * missed.
   * This must never happen.
   */
  lostSilently: number;
  /**
   * Not delivered to a participant who was told so later: by a close, or, where it resumes, by the answer
   * that
   * messages are missing.
   */
  lostAndTold: number;
  /** Messages that reached no participant. The connection of the sender was closed later, which told it. */
  undelivered: number;
  duplicated: number;
  reordered: number;
  /** Heard before another message, and by another participant after it; counted where all resume. */
  disordered?: number;
  /** Returns of participants that resume: told that nothing was missed, and told that something may be. */
  recovered?: number;
  unrecovered?: number;
  /** Longest time from a lost or undelivered message to the close that told of it. */
  detectionMsMax: number;
  /** Connections that were closed, by code. */
  closes: Record<string, number>;
  /** From the fault until all are connected and receive everything within a second; null if never. */
  recoveredAfterMs: number | null;
  /** Longest time for which a node reported ready although messages through it did not arrive. */
  readyWhileBrokenMsMax: number;
};

const inTimeMs = 1000;

/** Checks all messages of the logs. Participants must have listened for a while after the last message. */
export function auditDeliveries(
  logs: readonly ParticipantLog[],
  faultAtMs: number,
  readyAt: (node: string, atMs: number) => boolean,
): DeliveryAudit {
  const audit: DeliveryAudit = {
    participants: logs.length,
    held: logs.filter(({ connections }) => connections.length === 1 && connections[0]?.closedAtMs === null)
      .length,
    published: 0,
    delivered: 0,
    lostSilently: 0,
    lostAndTold: 0,
    undelivered: 0,
    duplicated: sum(logs, 'duplicated'),
    reordered: sum(logs, 'reordered'),
    ...returnsOf(logs),
    detectionMsMax: 0,
    closes: countCloses(logs),
    recoveredAfterMs: recoveredAfterMs(logs, faultAtMs),
    readyWhileBrokenMsMax: 0,
  };
  const brokenSince = new Map<string, number>();
  const noteBroken = (node: string, atMs: number) => {
    if (!readyAt(node, atMs)) return;
    const since = brokenSince.get(node) ?? atMs;
    brokenSince.set(node, Math.min(since, atMs));
    audit.readyWhileBrokenMsMax = Math.max(audit.readyWhileBrokenMsMax, atMs - since);
  };
  for (const sender of logs) {
    for (const publish of sender.published) auditPublish(publish, sender, logs, audit, noteBroken);
  }
  return audit;
}

function auditPublish(
  { key, atMs, node }: Publish,
  sender: ParticipantLog,
  logs: readonly ParticipantLog[],
  audit: DeliveryAudit,
  noteBroken: (node: string, atMs: number) => void,
): void {
  audit.published++;
  const reachedSome = logs.some(({ receivedAtMs }) => receivedAtMs.has(key));
  const closedAtMs = connectionAt(sender, atMs)?.closedAtMs ?? null;
  if (!reachedSome && closedAtMs !== null) {
    audit.undelivered++;
    audit.detectionMsMax = Math.max(audit.detectionMsMax, closedAtMs - atMs);
    noteBroken(node, atMs);
    return;
  }
  for (const log of logs) {
    const connection = connectionAt(log, atMs);
    const receivedAtMs = log.receivedAtMs.get(key);
    if (receivedAtMs !== undefined) audit.delivered++;
    if (connection && (receivedAtMs === undefined || receivedAtMs - atMs > inTimeMs))
      noteBroken(connection.node, atMs);
    if (receivedAtMs !== undefined || !isOwed(log, atMs)) continue;
    const toldAtMs = log.resumes ? toldBy(log, atMs) : connection!.closedAtMs;
    if (toldAtMs === null) audit.lostSilently++;
    else {
      audit.lostAndTold++;
      audit.detectionMsMax = Math.max(audit.detectionMsMax, toldAtMs - atMs);
    }
  }
}

/**
 * Who resumes is owed everything since its first join; who does not, what was said while it was connected.
 */
function isOwed(log: ParticipantLog, atMs: number): boolean {
  if (!log.resumes) return connectionAt(log, atMs) !== undefined;
  const first = log.connections.find(({ recovered }) => recovered !== undefined);
  return first !== undefined && first.openedAtMs <= atMs;
}

/** When it was told that messages of before may be missing; null if never. */
function toldBy({ connections }: ParticipantLog, atMs: number): number | null {
  const later = connections.filter(({ openedAtMs }) => openedAtMs > atMs);
  return later.find(({ recovered }) => recovered === false)?.openedAtMs ?? null;
}

/** Of participants that resume: their first join asks for nothing, and every later one does. */
function returnsOf(logs: readonly ParticipantLog[]) {
  if (logs.length === 0 || !logs.every(({ resumes }) => resumes)) return {};
  const returns = logs.flatMap(({ connections }) =>
    connections.filter(({ recovered }) => recovered !== undefined).slice(1),
  );
  return {
    disordered: disorderedOf(logs),
    recovered: returns.filter(({ recovered }) => recovered).length,
    unrecovered: returns.filter(({ recovered }) => !recovered).length,
  };
}

/** Messages that came after one that the participant who heard the most heard later. */
function disorderedOf(logs: readonly ParticipantLog[]): number {
  const [most] = logs.toSorted((a, b) => b.receivedAtMs.size - a.receivedAtMs.size);
  const places = new Map([...most!.receivedAtMs.keys()].map((key, place) => [key, place]));
  let disordered = 0;
  for (const { receivedAtMs } of logs) {
    let newest = -1;
    for (const key of receivedAtMs.keys()) {
      const place = places.get(key);
      if (place === undefined) continue;
      if (place < newest) disordered++;
      else newest = place;
    }
  }
  return disordered;
}

function recoveredAfterMs(logs: readonly ParticipantLog[], faultAtMs: number): number | null {
  const inTime = ({ key, atMs }: Publish) =>
    logs.every(({ receivedAtMs }) => (receivedAtMs.get(key) ?? Number.POSITIVE_INFINITY) - atMs <= inTimeMs);
  const after = logs.flatMap(({ published }) => published.filter(({ atMs }) => atMs >= faultAtMs));
  const failed = after.filter((publish) => !inTime(publish)).map(({ atMs }) => atMs);
  const opened = logs.flatMap(({ connections }) => connections.map(({ openedAtMs }) => openedAtMs));
  const recoveredAtMs = Math.max(faultAtMs, ...failed, ...opened);
  const allConnected = logs.every(({ connections }) => connections.at(-1)?.closedAtMs === null);
  const isProven = allConnected && after.some(({ atMs }) => atMs > recoveredAtMs);
  return isProven ? recoveredAtMs - faultAtMs : null;
}

function connectionAt({ connections }: ParticipantLog, atMs: number): Connection | undefined {
  return connections.find(
    ({ openedAtMs, closedAtMs }) => openedAtMs <= atMs && (closedAtMs === null || closedAtMs > atMs),
  );
}

function countCloses(logs: readonly ParticipantLog[]): Record<string, number> {
  const codes = logs.flatMap(({ connections }) => connections.flatMap(({ code }) => code ?? []));
  const closes: Record<string, number> = {};
  for (const code of codes.sort((a, b) => a - b)) closes[code] = (closes[code] ?? 0) + 1;
  return closes;
}

function sum(logs: readonly ParticipantLog[], key: 'duplicated' | 'reordered'): number {
  return logs.reduce((total, log) => total + log[key], 0);
}
