/** Finds dead peers: pings every session once per interval, spread over it, and closes those that did not answer. */
import type { Session } from './session.ts';

/** Ticks per interval: ten thousand pings at once would be a pause of the event loop of about 60 ms. */
const ticksPerInterval = 16;

/**
 * Starts the heartbeat over a live set of sessions and returns the function that stops it.
 * `onDead` is called for a session that gave no sign of life between two of its pings.
 */
export function startHeartbeat(
  sessions: ReadonlySet<Session>,
  intervalMs: number,
  onDead: (session: Session) => void,
): () => void {
  let tick = 0;
  let rest = sessions.values();
  const timer = setInterval(() => {
    if (tick % ticksPerInterval === 0) rest = sessions.values();
    tick++;
    const share = Math.ceil(sessions.size / ticksPerInterval);
    for (let i = 0; i < share; i++) {
      const { value: session, done } = rest.next();
      if (done) return;
      beat(session, onDead);
    }
  }, intervalMs / ticksPerInterval);
  timer.unref();
  return () => clearInterval(timer);
}

function beat(session: Session, onDead: (session: Session) => void): void {
  if (!session.open) return;
  if (!session.alive) return onDead(session);
  session.alive = false;
  session.ws.ping();
}
