/** What clients felt while nodes came and went. Pure. */
import type { ResizeRecord } from '../records/resize-schema.ts';
import type { TrialRecord } from '../records/schema.ts';
import { medianOf } from './statistics.ts';

export type ResizeFinding = {
  nodesMax: number;
  /** Connections that a node ended with the code of a moved seat, and those that ended otherwise. */
  moved: number;
  closedOtherwise: number;
  /** The most joins of returning clients in one second, of all nodes together. */
  joinsPerSecondMax: number;
  /** The p99 of the delivery latency of a second: usual before, and the worst of each part. */
  p99Ms: { before: number | null; growing: number | null; shrinking: number | null };
  /** From the first node added until half a second without a move; null where they had not ended. */
  spreadAfterSeconds: number | null;
  /** From the first node told to leave until the last one had ended. */
  shrunkAfterSeconds: number | null;
};

const seatMoved = '4012';

/** Null where no node came and went, or nothing was measured. */
export function resizeOf({ resize, loadtest }: TrialRecord): ResizeFinding | null {
  if (resize === undefined || loadtest === null || resize.samples.length === 0) return null;
  const at = (wanted: string, which: 'find' | 'findLast') =>
    resize.events[which](({ what }) => what === wanted)?.atSeconds;
  const [added, leaves] = [at('added', 'find'), at('leaves', 'find')];
  const left = at('left', 'findLast');
  const { atSeconds, deliveryLatencyMsP99 } = loadtest.series;
  const { durationSeconds } = loadtest.workload;
  const secondsIn = (from: number, to: number) =>
    atSeconds.flatMap((second, index) =>
      second >= from && second + 1 <= to ? (deliveryLatencyMsP99[index] ?? []) : [],
    );
  const worst = (values: number[]) => (values.length === 0 ? null : Math.max(...values));
  const before = secondsIn(0, Math.floor(added ?? durationSeconds));
  const growing = added === undefined ? [] : secondsIn(Math.floor(added), leaves ?? durationSeconds);
  const shrinking = leaves === undefined ? [] : secondsIn(Math.floor(leaves), durationSeconds);
  const closes = loadtest.resume?.closes ?? {};
  const moved = closes[seatMoved] ?? 0;
  const all = Object.values(closes).reduce((sum, count) => sum + count, 0);
  return {
    nodesMax: Math.max(...resize.samples.map(({ sessions }) => sessions.length)),
    moved,
    closedOtherwise: all - moved,
    joinsPerSecondMax: joinsPerSecondMax(resize),
    p99Ms: {
      before: before.length === 0 ? null : medianOf(before),
      growing: worst(growing),
      shrinking: worst(shrinking),
    },
    spreadAfterSeconds: added === undefined ? null : spreadAfter(resize, added, leaves),
    shrunkAfterSeconds: leaves === undefined || left === undefined ? null : left - leaves,
  };
}

/** Joins per second at the time of each sample, over about one second before it. */
export function joinsPerSecond({ samples }: ResizeRecord): [atSeconds: number, perSecond: number][] {
  return samples.flatMap(({ atSeconds, resumes }, index) => {
    const from = samples.findLast((sample, at) => at < index && sample.atSeconds <= atSeconds - 0.9);
    if (from === undefined) return [];
    return [[atSeconds, Math.max(0, resumes - from.resumes) / (atSeconds - from.atSeconds)]];
  });
}

function joinsPerSecondMax(resize: ResizeRecord): number {
  return Math.max(0, ...joinsPerSecond(resize).map(([, perSecond]) => perSecond));
}

function spreadAfter({ samples }: ResizeRecord, added: number, leaves = Number.POSITIVE_INFINITY) {
  const during = samples.filter(({ atSeconds }) => atSeconds >= added && atSeconds < leaves);
  const end = during.at(-1)?.moves ?? 0;
  const last = during.find(({ moves }) => moves === end);
  if (last === undefined || last === during.at(-1)) return null;
  return Math.max(0, last.atSeconds - added);
}
