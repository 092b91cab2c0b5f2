/**
 * A stalled reader joins and then never reads, so that the kernel's buffers fill and the server has to keep
 * the rest. It sends an unsolicited pong each second (RFC 6455, 5.5.3), so that a heartbeat does not close
 * it: only a server that detects slow consumers does. The failure of that pong also shows that the server has
 * closed the connection.
 */
import type { WebSocket } from 'ws';
import type { Endpoint } from '../model/assignment.ts';
import { connectUnaudited } from './unaudited-connection.ts';

/** The stalled readers of a worker. */
export type StalledReport = { opened: number; closed: number; closedAfterMs: number[] };

const pongIntervalMs = 1000;

export class StalledReader {
  state: 'connecting' | 'open' | 'refused' | 'closed' = 'connecting';
  /** From the opening to the detected close, in milliseconds; up to a second too long. */
  closedAfterMs = 0;
  readonly #websocket: WebSocket;
  #openedAtMs = 0;
  #timer: NodeJS.Timeout | undefined;

  /** Connects at once; a handshake may take `timeoutMs`. */
  constructor(endpoint: Endpoint, timeoutMs: number) {
    const { websocket, socket } = connectUnaudited(endpoint, timeoutMs, () => {
      this.state = 'refused';
    });
    this.#websocket = websocket;
    websocket.on('open', () => {
      websocket.pause();
      this.state = 'open';
      this.#openedAtMs = performance.now();
      this.#timer = setInterval(() => websocket.pong(), pongIntervalMs);
    });
    socket.on('close', () => this.#ended());
  }

  /** Drops the connection. */
  destroy(): void {
    this.#websocket.terminate();
  }

  #ended(): void {
    clearInterval(this.#timer);
    if (this.state !== 'open') return;
    this.state = 'closed';
    this.closedAfterMs = performance.now() - this.#openedAtMs;
  }
}
