/** File descriptors that are kept free, so that a full server can say so and be asked for its state. */
import type { Server } from 'node:http';
import type { Logger } from 'pino';
import { descriptorLimit, openDescriptors } from '#host/descriptors.ts';

/** Chosen, not measured: connections to the internal port at a time. As many descriptors again stay free. */
const internalConnectionsMax = 32;
/** Chosen, not measured: connections beyond the last session that can be told so at a time. */
const refusalsMax = 16;

/**
 * Bounds the connections of both listeners and warns where these are few. Returns the number of sessions for
 * which there are descriptors. The server emits `drop` for a connection beyond its bound.
 */
export function reserveDescriptors(http: Server, internal: Server, sessionsMax: number, log: Logger): number {
  const limit = descriptorLimit();
  if (limit === Number.POSITIVE_INFINITY) return limit;
  const connectionsMax = Math.max(1, limit - openDescriptors() - 2 * internalConnectionsMax);
  http.maxConnections = connectionsMax;
  internal.maxConnections = internalConnectionsMax;
  const places = Math.max(1, connectionsMax - refusalsMax);
  if (places < sessionsMax) {
    const fields = { event: 'few descriptors', limit, sessionsMax, places };
    log.warn(fields, 'raise the limit of open files (ulimit -n), or lower --sessions-max');
  }
  return places;
}
