/**
 * A WebSocket connection of a client that reads every message: the handshake, texts, pongs and closes. Its
 * owner gets each message as a range of bytes that is valid during the call. Hot path.
 */
import type net from 'node:net';
import { clientFrameBytes, clientHeaderBytes, maskText } from './client-frame.ts';
import {
  type ConnectionTarget,
  closeAnswer,
  closeNormally,
  openSocket,
  pongsWaitingMax,
  sendClose,
  writeControl,
} from './client-socket.ts';
import { FrameScanner, type FrameSink } from './frame-scanner.ts';
import { readHandshakeResponse } from './handshake.ts';
import { opcode } from './opcode.ts';

/** Who has a connection. Nothing is called after `refused` or `closed`, or after it has left by itself. */
export type ConnectionOwner = {
  opened(): void;
  /** The handshake failed, with an HTTP status or a socket error code. */
  refused(why: string, retryAfterMs?: number): void;
  /** The server closed the open connection, or it failed (1006), or the server broke the protocol (1002). */
  closed(code: number, reason: string): void;
  message(bytes: Buffer, start: number, end: number): void;
  /** Around each read of the socket, once it is open. */
  reading(): void;
  read(): void;
};

export class TextConnection {
  readonly #owner: ConnectionOwner;
  readonly #scanner: FrameScanner;
  readonly #socket: net.Socket;
  readonly #accept: string;
  #state: 'connecting' | 'open' | 'over' = 'connecting';
  #response: Buffer | null = null;
  #pongsWaiting = 0;

  /** Connects at once. A message of more than `messageBytesMax` bytes ends the connection with 1002. */
  constructor(target: ConnectionTarget, messageBytesMax: number, owner: ConnectionOwner) {
    this.#owner = owner;
    this.#scanner = new FrameScanner(messageBytesMax);
    const { socket, accept } = openSocket(target, this);
    this.#socket = socket;
    this.#accept = accept;
  }

  /** Bytes that wait in this process because the kernel's send buffer is full. */
  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  /** Sends one text. */
  send(text: string): void {
    const bytes = Buffer.byteLength(text);
    const frame = Buffer.allocUnsafe(clientFrameBytes(bytes));
    frame.write(text, clientHeaderBytes(bytes));
    maskText(frame, 0, bytes);
    this.#socket.write(frame);
  }

  /** Closes with code 1000. The socket ends when the server ends it, or by `destroy`. */
  close(): void {
    if (this.#state === 'open') {
      sendClose(this.#socket, closeNormally);
      this.#state = 'over';
    } else this.destroy();
  }

  /** Drops the connection without a close frame. */
  destroy(): void {
    this.#state = 'over';
    this.#socket.destroy();
  }

  /** True until its socket has gone. */
  get connected(): boolean {
    return !this.#socket.destroyed;
  }

  /** Takes bytes from the socket. */
  take(bytes: Buffer, length: number): void {
    if (this.#state === 'open') this.#read(bytes, 0, length);
    else if (this.#state === 'connecting') this.#readResponse(bytes.subarray(0, length));
  }

  /** The socket failed, or the server ended it. */
  ended(why: string): void {
    const before = this.#state;
    this.destroy();
    if (before === 'connecting') this.#owner.refused(why);
    else if (before === 'open') this.#owner.closed(1006, why);
  }

  #read(bytes: Buffer, at: number, end: number): void {
    this.#owner.reading();
    for (let next = at; next < end; ) next = this.#scanner.next(bytes, next, end, this.#sink);
    this.#owner.read();
  }

  readonly #sink: FrameSink = {
    message: (bytes, _frameAt, payloadAt, end) => {
      if (this.#state === 'open') this.#owner.message(bytes, payloadAt, end);
    },
    // A server that reads no pongs gets no more of them (RFC 6455, 5.5.3: not each ping needs one).
    ping: (bytes, start, end) => {
      if (this.#pongsWaiting === pongsWaitingMax) return;
      this.#pongsWaiting++;
      writeControl(this.#socket, opcode.pong, bytes.subarray(start, end), () => this.#pongsWaiting--);
    },
    close: (code, reason) => {
      if (this.#state !== 'open') return;
      sendClose(this.#socket, closeAnswer(code));
      this.#state = 'over';
      this.#owner.closed(code, reason);
    },
    fault: (detail) => {
      if (this.#state !== 'open') return;
      this.destroy();
      this.#owner.closed(1002, detail);
    },
  };

  #readResponse(chunk: Buffer): void {
    const bytes = this.#response === null ? chunk : Buffer.concat([this.#response, chunk]);
    const response = readHandshakeResponse(bytes, this.#accept);
    if (response.state === 'incomplete') {
      this.#response = Buffer.from(bytes);
      return;
    }
    this.#response = null;
    if (response.state === 'refused') {
      this.destroy();
      this.#owner.refused(response.why, response.retryAfterMs);
      return;
    }
    this.#state = 'open';
    this.#owner.opened();
    if (response.framesAt < bytes.length) this.#read(bytes, response.framesAt, bytes.length);
  }
}
