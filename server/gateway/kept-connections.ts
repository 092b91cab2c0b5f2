/** Connections of plain HTTP that stay open after their answer, so that their client can ask again. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';

/** Requests of one connection. Chosen, not measured. */
const keptRequestsMax = 1_000;

export class KeptConnections {
  /** The requests of each so far. */
  readonly #kept = new Map<Socket, number>();
  get size(): number {
    return this.#kept.size;
  }

  /**
   * Whether the connection of this request may stay open after its answer. It counts until it ends. `max`: so
   * many may be open now.
   */
  keep({ socket, headers }: IncomingMessage, max: number): boolean {
    // A body that nobody reads would have to be taken before the next request.
    if ('transfer-encoding' in headers || (headers['content-length'] ?? '0') !== '0') return false;
    const before = this.#kept.get(socket);
    if (before === undefined) {
      if (this.#kept.size >= max) return false;
      socket.once('close', () => this.release(socket));
    }
    const requests = (before ?? 0) + 1;
    this.#kept.set(socket, requests);
    return requests < keptRequestsMax;
  }

  /** The connection is one of a session from now on. */
  release(socket: Socket): void {
    this.#kept.delete(socket);
  }
}
