/**
 * A reader that never reads: it joins, then takes nothing more from its socket, so that the kernel's buffers fill and the
 * server is left with what it still owes. It proves itself alive by an unsolicited pong a second (RFC 6455, 5.5.3), so
 * that a heartbeat does not remove it: only a server that notices *slowness* gets rid of it. The failure of that pong is
 * also how a reader that does not read learns that it was closed.
 */
import net from 'node:net';
import { newMaskKey, writeMaskedFrame } from '../wire/client-frame.ts';
import { handshakeRequest, newHandshakeKey, readHandshakeAnswer } from '../wire/handshake.ts';
import { opcode } from '../wire/opcode.ts';
import type { Endpoint } from './virtual-user.ts';

const aliveIntervalMs = 1000;

export class StalledReader {
  state: 'connecting' | 'open' | 'refused' | 'closed' = 'connecting';
  /** From the opening to the noticed close, in milliseconds; up to a second late. */
  closedAfterMs = 0;
  readonly #socket: net.Socket;
  readonly #accept: string;
  #answer = Buffer.alloc(0);
  #openedAtMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(endpoint: Endpoint) {
    const { key, accept } = newHandshakeKey();
    this.#accept = accept;
    this.#socket = net.connect({
      host: endpoint.address,
      port: endpoint.port,
      localAddress: endpoint.sourceAddress,
      // Small reads, so that little is taken before the answer is complete and reading stops for good.
      onread: { buffer: Buffer.alloc(1024), callback: (length, bytes) => this.#read(bytes, length) },
    });
    this.#socket.on('error', () => this.#ended());
    this.#socket.on('close', () => this.#ended());
    this.#socket.write(handshakeRequest(endpoint.url, key, endpoint.headers), 'latin1');
  }

  /** Gives up on a handshake that takes too long. */
  abandon(): void {
    if (this.state === 'connecting') this.#socket.destroy();
  }

  /** Drops the connection. */
  destroy(): void {
    clearInterval(this.#timer);
    this.#socket.destroy();
  }

  #read(bytes: Uint8Array, length: number): boolean {
    this.#answer = Buffer.concat([this.#answer, bytes.subarray(0, length)]);
    const answer = readHandshakeAnswer(this.#answer, this.#accept);
    if (answer.state === 'incomplete') return true;
    this.#answer = Buffer.alloc(0);
    if (answer.state === 'refused') {
      this.state = 'refused';
      this.#socket.destroy();
      return false;
    }
    this.state = 'open';
    this.#openedAtMs = performance.now();
    this.#timer = setInterval(() => this.#sayAlive(), aliveIntervalMs);
    return false; // Stops reading.
  }

  #sayAlive(): void {
    const frame = Buffer.allocUnsafe(6);
    writeMaskedFrame(frame, 0, opcode.pong, Buffer.alloc(0), newMaskKey());
    this.#socket.write(frame);
  }

  #ended(): void {
    clearInterval(this.#timer);
    if (this.state === 'connecting') this.state = 'refused';
    if (this.state !== 'open') return;
    this.state = 'closed';
    this.closedAfterMs = performance.now() - this.#openedAtMs;
  }
}
