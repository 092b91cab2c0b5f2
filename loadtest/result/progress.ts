/** The progress of a run: a redrawn line on a terminal, plain lines elsewhere, or one JSON event per line. */
import { formatMs } from '../record/histogram.ts';
import type { LatencyCounts } from '../record/latency-counts.ts';
import { type Timeline, timelineOf } from '../record/recorder.ts';
import type { Second } from '../record/series.ts';
import type { Phase, RunObserver } from '../run/observer.ts';
import type { RunResult } from './schema.ts';

export type ProgressStyle = 'tty' | 'plain' | 'json' | 'none';

/** One line of `--progress json`. */
export type ProgressEvent =
  | { event: 'phase'; phase: Phase; atMs: number }
  /**
   * While connecting and probing: connected users, and users that have received a probe. Of people: those
   * with an account, and devices that have been logged in.
   */
  | { event: 'progress'; sessionsOpen: number; heard: number; accounts: number }
  | {
      event: 'second';
      phase: Phase;
      /** Since the measure phase began. */
      atSeconds: number;
      sessionsOpen: number;
      sentPerSecond: number;
      deliveriesPerSecond: number;
      deliveryLatencyMsP50: number;
      deliveryLatencyMsP99: number;
      deliveryLatencyMsMax: number;
      deliveryLatencyCounts: LatencyCounts;
      /** Of all workers together. */
      instrumentCpuCores: number;
      lost: number;
    };

/** The last line of `--progress json`, where the result does not go to standard output by itself. */
export type ResultEvent = { event: 'result'; result: RunResult };

/** Reads one line of a simulator's output; undefined if it is no progress event. */
export function parseProgress(line: string): ProgressEvent | undefined {
  if (!/^\{"event":"(phase|progress|second)"/.test(line)) return undefined;
  try {
    return JSON.parse(line) as ProgressEvent;
  } catch {
    return undefined; // The simulator was killed in the middle of a line.
  }
}

/** Removes the line that `tty` progress draws. */
export const clearLine = '\r\x1b[2K';

/** A terminal; `columns` is missing or 0 where its width is not known. */
type Output = NodeJS.WritableStream & { columns?: number };
const columnsUnknown = 80;

/** An observer of the given style that writes to `stream`. */
export function newProgress(style: ProgressStyle, stream: Output): RunObserver {
  if (style === 'json') return jsonProgress(stream);
  if (style === 'none') return { phase() {}, progress() {}, step() {}, second() {} };
  return lineProgress(stream, style === 'tty');
}

function jsonProgress(stream: NodeJS.WritableStream): RunObserver {
  const write = (event: ProgressEvent) => stream.write(`${JSON.stringify(event)}\n`);
  return {
    phase: (phase) => write({ event: 'phase', phase, atMs: Date.now() }),
    progress: (sessionsOpen, probed, accounts) =>
      write({ event: 'progress', sessionsOpen, heard: probed, accounts }),
    step() {},
    second: (phase, second, _totals, lost) => write(secondEvent(phase, second, lost)),
  };
}

/** A second as an event, for programs and for pages. */
export function secondEvent(
  phase: Phase,
  second: Second,
  lost: number,
): Extract<ProgressEvent, { event: 'second' }> {
  const { sent, deliveries, scheduleLagMsP99: _, ...rest } = second;
  return {
    event: 'second',
    phase,
    ...rest,
    sentPerSecond: sent,
    deliveriesPerSecond: deliveries,
    lost,
  };
}

function lineProgress(stream: Output, redraw: boolean): RunObserver {
  let phaseNow: Phase = 'connect';
  let timeline: Timeline = { warmUpUs: 0, measureUs: 0, drainUs: 0 };
  // A line as wide as the terminal would wrap, and a wrapped line cannot be redrawn.
  const widthMax = () => (redraw ? (stream.columns || columnsUnknown) - 1 : Number.POSITIVE_INFINITY);
  const write = (line: string) => stream.write(redraw ? clearLine + line.slice(0, widthMax()) : `${line}\n`);
  return {
    phase(phase) {
      phaseNow = phase;
      if (phase === 'done') {
        if (redraw) stream.write(clearLine);
      } else if (!redraw) write(phase);
    },
    progress(sessionsOpen, probed, accounts) {
      if (phaseNow === 'accounts') write(`accounts ${integer(accounts)} created`);
      const text =
        phaseNow === 'connect' ? 'connected' : `connected, ${integer(probed)} have received the probe`;
      if (phaseNow === 'connect' || phaseNow === 'probe')
        write(`${phaseNow.padEnd(8)} ${integer(sessionsOpen)} ${text}`);
    },
    step(workload) {
      timeline = timelineOf(workload);
    },
    second(phase, second, _totals, lost) {
      const totalSeconds = Math.round((timeline.warmUpUs + timeline.measureUs + timeline.drainUs) / 1e6);
      const elapsed = Math.round(second.atSeconds + 1 + timeline.warmUpUs / 1e6);
      const time = `${elapsed}/${totalSeconds} s`;
      const parts = {
        time: redraw ? `${bar(elapsed / totalSeconds)} ${time}` : time,
        sent: `${integer(second.sent)} sent/s`,
        deliveries: `${integer(second.deliveries)} deliveries/s`,
        // A second without deliveries has no latency.
        p50: second.deliveries === 0 ? '' : `p50 ${formatMs(second.deliveryLatencyMsP50)}`,
        p99: second.deliveries === 0 ? '' : `p99 ${formatMs(second.deliveryLatencyMsP99)}`,
        open: `${integer(second.sessionsOpen)} open`,
        lost: lost > 0 ? `${integer(lost)} lost` : '',
      };
      const line = () => `${phase.padEnd(8)} ${Object.values(parts).filter(Boolean).join('  ')}`;
      // What matters least goes first.
      for (const less of [{ time }, { open: '' }, { p50: '' }, { sent: '' }])
        if (line().length > widthMax()) Object.assign(parts, less);
      write(line());
    },
  };
}

function integer(value: number): string {
  return value.toLocaleString('en-US');
}

function bar(share: number): string {
  const full = Math.round(Math.min(1, share) * 20);
  return `[${'='.repeat(full)}${' '.repeat(20 - full)}]`;
}
