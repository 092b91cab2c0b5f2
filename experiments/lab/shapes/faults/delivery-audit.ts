/** What a fault did to the people who were there, counted exactly: each thing said against each person. Pure. */
import type { PersonSession, Utterance } from './participant.ts';

/** What the audit needs of a person. */
export type Witness = {
  sessions: readonly PersonSession[];
  said: readonly Utterance[];
  heard: ReadonlyMap<string, number>;
  duplicated: number;
  reordered: number;
};

export type KillAudit = {
  people: number;
  /** Whose one connection held from beginning to end. */
  stayed: number;
  said: number;
  delivered: number;
  /** Missed by somebody whose connection held: the one thing that must never happen. */
  lostSilently: number;
  /** Missed by somebody whose connection was closed later, which told him. */
  missedAndTold: number;
  /** Things said that nobody heard, by somebody whose connection was closed: he had no echo, and was told. */
  unheard: number;
  duplicated: number;
  reordered: number;
  /** The longest that somebody missed things, or spoke unheard, before he was told. */
  darkMsMax: number;
  /** Connections that were closed, by code. */
  closes: Record<string, number>;
  /** From the fault until everybody is there and hears everything within a second; null where that was not reached. */
  wellAfterMs: number | null;
  /** The longest that a node called itself ready while what it ought to carry did not arrive. */
  readyWhileBrokenMsMax: number;
};

/** Whether a node called itself ready at a time. */
export type ReadyAt = (node: string, atMs: number) => boolean;

/** What arrives later than this was not heard in time. */
const heardInTimeMs = 1000;

/** Judges everything that was said until the people stopped talking, which must be a while before they stopped listening. */
export function auditKill(witnesses: readonly Witness[], faultAtMs: number, readyAt: ReadyAt): KillAudit {
  const audit: KillAudit = {
    people: witnesses.length,
    stayed: witnesses.filter(({ sessions }) => sessions.length === 1 && sessions[0]!.closedAtMs === null)
      .length,
    said: 0,
    delivered: 0,
    lostSilently: 0,
    missedAndTold: 0,
    unheard: 0,
    duplicated: sum(witnesses, 'duplicated'),
    reordered: sum(witnesses, 'reordered'),
    darkMsMax: 0,
    closes: countCloses(witnesses),
    wellAfterMs: wellAfterMs(witnesses, faultAtMs),
    readyWhileBrokenMsMax: 0,
  };
  const brokenSince = new Map<string, number>();
  const blame = (node: string, atMs: number) => {
    if (!readyAt(node, atMs)) return;
    const since = brokenSince.get(node) ?? atMs;
    brokenSince.set(node, Math.min(since, atMs));
    audit.readyWhileBrokenMsMax = Math.max(audit.readyWhileBrokenMsMax, atMs - since);
  };
  for (const speaker of witnesses) {
    for (const utterance of speaker.said) judge(utterance, speaker, witnesses, audit, blame);
  }
  return audit;
}

function judge(
  { key, atMs, node }: Utterance,
  speaker: Witness,
  witnesses: readonly Witness[],
  audit: KillAudit,
  blame: (node: string, atMs: number) => void,
): void {
  audit.said++;
  const heardBySome = witnesses.some(({ heard }) => heard.has(key));
  const closedAtMs = sessionAt(speaker, atMs)?.closedAtMs ?? null;
  if (!heardBySome && closedAtMs !== null) {
    audit.unheard++;
    audit.darkMsMax = Math.max(audit.darkMsMax, closedAtMs - atMs);
    blame(node, atMs);
    return;
  }
  for (const witness of witnesses) {
    const session = sessionAt(witness, atMs);
    const heardAtMs = witness.heard.get(key);
    if (heardAtMs !== undefined) audit.delivered++;
    if (!session) continue;
    if (heardAtMs === undefined || heardAtMs - atMs > heardInTimeMs) blame(session.node, atMs);
    if (heardAtMs !== undefined) continue;
    if (session.closedAtMs === null) audit.lostSilently++;
    else {
      audit.missedAndTold++;
      audit.darkMsMax = Math.max(audit.darkMsMax, session.closedAtMs - atMs);
    }
  }
}

function wellAfterMs(witnesses: readonly Witness[], faultAtMs: number): number | null {
  const inTime = ({ key, atMs }: Utterance) =>
    witnesses.every(({ heard }) => (heard.get(key) ?? Number.POSITIVE_INFINITY) - atMs <= heardInTimeMs);
  const after = witnesses.flatMap(({ said }) => said.filter(({ atMs }) => atMs >= faultAtMs));
  const failed = after.filter((utterance) => !inTime(utterance)).map(({ atMs }) => atMs);
  const opened = witnesses.flatMap(({ sessions }) => sessions.map(({ openedAtMs }) => openedAtMs));
  const wellAtMs = Math.max(faultAtMs, ...failed, ...opened);
  const everybodyIsThere = witnesses.every(({ sessions }) => sessions.at(-1)?.closedAtMs === null);
  return everybodyIsThere && after.some(({ atMs }) => atMs > wellAtMs) ? wellAtMs - faultAtMs : null;
}

function sessionAt({ sessions }: Witness, atMs: number): PersonSession | undefined {
  return sessions.find(
    ({ openedAtMs, closedAtMs }) => openedAtMs <= atMs && (closedAtMs === null || closedAtMs > atMs),
  );
}

function countCloses(witnesses: readonly Witness[]): Record<string, number> {
  const codes = witnesses
    .flatMap(({ sessions }) => sessions.map(({ code }) => code))
    .filter((code) => code !== null);
  const closes: Record<string, number> = {};
  for (const code of codes.sort((a, b) => a - b)) closes[code] = (closes[code] ?? 0) + 1;
  return closes;
}

function sum(witnesses: readonly Witness[], key: 'duplicated' | 'reordered'): number {
  return witnesses.reduce((total, witness) => total + witness[key], 0);
}
