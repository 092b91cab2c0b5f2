/** Drain: closes the sessions of a server that leaves, or of one that may have missed messages. */
import { setTimeout as sleep } from 'node:timers/promises';
import { time } from '#host/units.ts';
import { closeCode, encodeReconnectReason } from '#protocol';
import { group, integer, type ValuesOf } from '../settings.ts';
import type { Session } from './session.ts';

/** The defaults are chosen, not measured. */
export const drainSettings = group('Drain', {
  drainDeadlineMs: integer(0, 600_000, 10_000, 'longest drain after SIGTERM', time),
  drainNoticeMs: integer(0, 600_000, 0, 'time between unready and the first closed session', time),
  drainBatchSessions: integer(1, 1_000_000, 200, 'sessions closed per batch of a drain'),
  drainBatchIntervalMs: integer(0, 60_000, 50, 'time between two batches of a drain', time),
  reconnectWaitMsMax: integer(
    0,
    600_000,
    5_000,
    'longest wait that a restart asks of a client (random)',
    time,
  ),
});

export type DrainOutcome = { closedSessions: number; cutSessions: number };

export type Drain = {
  /** Time from the moment that the server is unready to the first close, in ms. */
  readonly noticeMs: number;
  /**
   * Sends a close frame to the sessions of this moment by the deadline (a reading of `performance.now`).
   * `flush` writes all that a session has still to receive; false: the kernel has not taken it all.
   * `codeOfResumable`: the close code of the sessions that can resume.
   */
  close(
    sessions: Iterable<Session>,
    flush: (session: Session) => boolean,
    deadlineAtMs: number,
    codeOfResumable: number,
  ): Promise<void>;
};

/** Tells all sessions at once that the server is going away (1001). */
export const drainAtOnce: Drain = {
  noticeMs: 0,
  async close(sessions) {
    for (const session of sessions) session.close(closeCode.goingAway, 'server is going away');
  },
};

/**
 * Tells sessions in batches to reconnect (1012, those that can resume as asked) after a random wait, so that
 * they spread. A session that still has something to receive waits for a later batch, until the deadline.
 */
export function drainInBatches(options: ValuesOf<typeof drainSettings>): Drain {
  const { drainNoticeMs, drainBatchSessions, drainBatchIntervalMs, reconnectWaitMsMax } = options;
  return {
    noticeMs: drainNoticeMs,
    async close(sessions, flush, deadlineAtMs, codeOfResumable) {
      let waiting = [...sessions];
      while (waiting.length > 0) {
        const late = performance.now() >= deadlineAtMs;
        const kept: Session[] = [];
        for (const session of waiting.splice(0, drainBatchSessions)) {
          if (!late && session.open && !flush(session)) kept.push(session);
          else {
            const code = session.resumable ? codeOfResumable : closeCode.restart;
            session.close(code, encodeReconnectReason(Math.random() * reconnectWaitMsMax));
          }
        }
        waiting = waiting.concat(kept);
        if (waiting.length > 0 && !late) await sleep(drainBatchIntervalMs);
      }
    },
  };
}
