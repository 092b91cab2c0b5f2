/** The counts that workers report and the audit states. */
import type { DirectCounts } from './direct-counts.ts';

/** Exact counts over all recipients. `lost` counts what was outstanding when the drain ended. */
export type AuditCounts = {
  expected: number;
  delivered: number;
  lost: number;
  duplicated: number;
  reordered: number;
  misrouted: number;
  corrupted: number;
};

/** Counts of one worker since the step began. */
export type WorkerSample = {
  sessionsOpen: number;
  duplicated: number;
  reordered: number;
  misrouted: number;
  corrupted: number;
  /** Of the misrouted deliveries, those of another run. */
  foreign: number;
  /** Deliveries of earlier steps of this run. */
  late: number;
  /** When the last new delivery came, in µs since the schedule began. */
  lastDeliveryUs: number;
  /** CPU of the process since its start. */
  cpuUs: number;
  /** Of people; and how many of their messages await an answer. */
  direct?: DirectCounts & { unanswered: number };
};

/** The audit of people in a whole step; what was written in earlier ones and came in this one is in it. */
export function directAudit(counts: DirectCounts, lost: number): AuditCounts {
  const { delivered, duplicated, misordered: reordered, misdelivered: misrouted, corrupted } = counts;
  return { expected: delivered + lost, delivered, lost, duplicated, reordered, misrouted, corrupted };
}

/** Adds counters by name. */
export function mergeCounts(parts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const merged: Record<string, number> = {};
  for (const part of parts)
    for (const [name, count] of Object.entries(part)) merged[name] = (merged[name] ?? 0) + count;
  return merged;
}

/** Counts one more of that name. */
export function countUp(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
