/** Finds dead peers: pings every session once per interval, and reports those that do not answer. */
import { time } from '#host/units.ts';
import { group, limit } from '../settings.ts';

/** The default is chosen, not measured. */
export const heartbeatSettings = group('Heartbeat', {
  heartbeatIntervalMs: limit(100, 3_600_000, 30_000, 'ping interval; a peer silent for two is cut', time),
});

type Pingable = {
  readonly open: boolean;
  /** While it is false, nobody hears whether the peer answers. */
  readonly reading: boolean;
  alive: boolean;
  ping(): void;
};

/**
 * Ticks between a ping and the moment that its peer counts as dead, at the least. The place of a session
 * changes as others come, so that its turn may come again much sooner than after an interval.
 */
const answerTicksMin = 8;

/** Ticks per interval: ten thousand pings at once would be a pause of the event loop of about 60 ms. */
const ticksPerInterval = 16;

/**
 * Starts the heartbeat over a live set of sessions and returns the function that stops it. `onDead` is called
 * for a session that gave no sign of life between two of its pings. An infinite interval: no ping at all.
 */
export function startHeartbeat<S extends Pingable>(
  sessions: ReadonlySet<S>,
  intervalMs: number,
  onDead: (session: S) => void,
): () => void {
  if (intervalMs === Number.POSITIVE_INFINITY) return () => {};
  let tick = 0;
  let rest = sessions.values();
  let share = 0;
  const pingedAtTick = new WeakMap<S, number>();
  const timer = setInterval(() => {
    if (tick % ticksPerInterval === 0) {
      rest = sessions.values();
      share = 0;
    }
    // It grows with newcomers, and never shrinks: where many leave, the last ones would not get their turn.
    share = Math.max(share, Math.ceil(sessions.size / ticksPerInterval));
    tick++;
    for (let i = 0; i < share; i++) {
      const { value: session, done } = rest.next();
      if (done) return;
      if (!session.open || !session.reading) continue;
      if (session.alive) {
        session.alive = false;
        session.ping();
        pingedAtTick.set(session, tick);
      } else if (tick - pingedAtTick.get(session)! >= answerTicksMin) onDead(session);
    }
  }, intervalMs / ticksPerInterval);
  timer.unref();
  return () => clearInterval(timer);
}
