/** A connection to Redis that is used once: after a failure a new one is made, and nothing is repeated. */
import { TLSSocket } from 'node:tls';
import { Redis } from 'ioredis';

/** A client that does not connect yet. `timeoutMs`: it gives up connecting, and each command, by then. */
export function createClient(url: string, name: string, timeoutMs?: number): Redis {
  return new Redis(url, {
    lazyConnect: true,
    connectionName: name,
    // ioredis must repeat and restore nothing by itself: that is decided by who uses it.
    retryStrategy: () => null,
    enableOfflineQueue: false,
    enableReadyCheck: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    // `abandon` resets the socket before: nothing is left to wait for, and no timer may hold the process.
    disconnectTimeout: 0,
    ...(timeoutMs !== undefined && { connectTimeout: timeoutMs, commandTimeout: timeoutMs }),
  });
}

/**
 * Resets the connection. `disconnect` alone closes it in order and waits for an answer that a dead peer never
 * gives; and bytes that the kernel had still to send would arrive late, once the network has healed.
 */
export function abandon(client: Redis): void {
  if (client.stream instanceof TLSSocket) client.stream.destroy();
  else client.stream?.resetAndDestroy();
  client.disconnect();
}
