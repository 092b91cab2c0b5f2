/** How a run shows itself while it goes: a redrawn line on a terminal, plain lines elsewhere, or one JSON object per event. */

import type { Timeline } from '../record/recorder.ts';
import type { Phase, RunObserver } from '../run/coordinator.ts';

export type ProgressStyle = 'tty' | 'plain' | 'json' | 'none';

/** An observer of the given style that writes to `stream`. */
export function newProgress(
  style: ProgressStyle,
  timeline: Timeline,
  stream: NodeJS.WritableStream,
): RunObserver {
  if (style === 'json') return jsonProgress(stream);
  if (style === 'none') return { phase() {}, progress() {}, second() {} };
  return lineProgress(timeline, stream, style === 'tty');
}

function jsonProgress(stream: NodeJS.WritableStream): RunObserver {
  const write = (event: object) => stream.write(`${JSON.stringify(event)}\n`);
  return {
    phase: (phase) => write({ event: 'phase', phase, atMs: Date.now() }),
    progress: (sessionsOpen, heard) => write({ event: 'progress', sessionsOpen, heard }),
    second: (phase, second, _totals, lost) =>
      write({
        event: 'second',
        phase,
        sessionsOpen: second.sessionsOpen,
        sentPerSecond: second.sent,
        deliveriesPerSecond: second.deliveries,
        deliveryLatencyMsP99: second.deliveryLatencyMsP99,
        lost,
      }),
  };
}

function lineProgress(timeline: Timeline, stream: NodeJS.WritableStream, redraw: boolean): RunObserver {
  let phaseNow: Phase = 'connect';
  const totalSeconds = Math.round((timeline.warmUpUs + timeline.measureUs + timeline.drainUs) / 1e6);
  const write = (line: string) => stream.write(redraw ? `\r\x1b[2K${line}` : `${line}\n`);
  return {
    phase(phase) {
      phaseNow = phase;
      if (phase === 'done') {
        if (redraw) stream.write('\r\x1b[2K');
      } else if (!redraw) write(phase);
    },
    progress(sessionsOpen, heard) {
      const what = phaseNow === 'connect' ? 'connected' : `connected, ${heard} have heard the probe`;
      if (phaseNow === 'connect' || phaseNow === 'probe')
        write(`${phaseNow.padEnd(8)} ${sessionsOpen} ${what}`);
    },
    second(phase, second, _totals, lost) {
      const elapsed = Math.round(second.atSeconds + 1 + timeline.warmUpUs / 1e6);
      write(
        [
          `${phase.padEnd(8)} ${redraw ? `${bar(elapsed / totalSeconds)} ` : ''}${elapsed}/${totalSeconds} s`,
          `${second.sent} sent/s`,
          `${second.deliveries.toLocaleString('en-US')} deliveries/s`,
          `p50 ${second.deliveryLatencyMsP50} p99 ${second.deliveryLatencyMsP99} ms`,
          `${second.sessionsOpen} open`,
          ...(lost > 0 ? [`${lost} lost`] : []),
        ].join('  '),
      );
    },
  };
}

function bar(share: number): string {
  const full = Math.round(Math.min(1, share) * 20);
  return `[${'='.repeat(full)}${' '.repeat(20 - full)}]`;
}
