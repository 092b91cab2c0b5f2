/**
 * Churn users (`--churn`) join, receive for a while, and leave. They are not audited; they come beside the
 * virtual users, whose deliveries can be counted exactly because they stay.
 */
import type { Endpoint } from '../model/assignment.ts';
import { connectUnaudited } from './unaudited-connection.ts';

/** Counts of all churn users of a worker. */
export type ChurnCounts = {
  asked: number;
  opened: number;
  /** By HTTP status or socket error code. */
  refused: Record<string, number>;
  /** Duration of each handshake. */
  connectUs: number[];
  /** Connected or connecting now. */
  present: number;
};

/** How long a churn user stays; chosen, not measured. */
const stayMs = 1000;

/** Connects one churn user. It stays for a second after its handshake, which may take `timeoutMs`. */
export function startChurnUser(endpoint: Endpoint, timeoutMs: number, counts: ChurnCounts): void {
  const beganMs = performance.now();
  counts.asked++;
  counts.present++;
  const { websocket, socket } = connectUnaudited(endpoint, timeoutMs, (why) => {
    counts.refused[why] = (counts.refused[why] ?? 0) + 1;
  });
  websocket.on('open', () => {
    counts.opened++;
    counts.connectUs.push(Math.round((performance.now() - beganMs) * 1000));
    // Input is read but not parsed: at high rates, parsing would take the CPU that the audit needs.
    socket.removeAllListeners('data').resume();
    setTimeout(() => websocket.close(1000), stayMs);
  });
  websocket.on('close', () => counts.present--);
}
