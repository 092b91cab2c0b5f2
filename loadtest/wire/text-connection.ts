/**
 * A WebSocket connection of a client that reads every message: the handshake, texts, pongs and closes. Its
 * owner gets each message as a range of bytes that is valid during the call. Hot path.
 */
import net from 'node:net';
import {
  clientFrameBytes,
  clientHeaderBytes,
  maskText,
  newMaskKey,
  writeMaskedFrame,
} from './client-frame.ts';
import { FrameScanner, type FrameSink } from './frame-scanner.ts';
import { handshakeRequest, newHandshakeKey, readHandshakeResponse } from './handshake.ts';
import { opcode } from './opcode.ts';

/** Where to connect to. */
export type ConnectionTarget = {
  address: string;
  port: number;
  url: URL;
  /** Undefined where the system chooses. */
  sourceAddress: string | undefined;
  headers: Readonly<Record<string, string>>;
};

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

type OwnedSocket = net.Socket & { connection: TextConnection };

/** Pongs that wait for the kernel, at most. Chosen, not measured. */
const pongsWaitingMax = 64;
/** Node calls back synchronously for each read, so that all connections of a process share one buffer. */
const sharedBuffer = Buffer.allocUnsafeSlow(256 * 1024);

export class TextConnection {
  readonly #owner: ConnectionOwner;
  readonly #scanner: FrameScanner;
  readonly #socket: OwnedSocket;
  readonly #accept: string;
  #state: 'connecting' | 'open' | 'over' = 'connecting';
  #response: Buffer | null = null;
  #pongsWaiting = 0;

  /** Connects at once. A message of more than `messageBytesMax` bytes ends the connection with 1002. */
  constructor(target: ConnectionTarget, messageBytesMax: number, owner: ConnectionOwner) {
    const { key, accept } = newHandshakeKey();
    this.#owner = owner;
    this.#accept = accept;
    this.#scanner = new FrameScanner(messageBytesMax);
    const socket = net.connect({
      host: target.address,
      port: target.port,
      localAddress: target.sourceAddress,
      noDelay: true,
      onread: { buffer: sharedBuffer, callback: onRead },
    }) as OwnedSocket;
    socket.connection = this;
    this.#socket = socket;
    socket.on('error', onError);
    socket.on('close', onClose);
    socket.write(handshakeRequest(target.url, key, target.headers), 'latin1');
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

  /** Closes with code 1000. The socket ends when the server answers, or by `destroy`. */
  close(): void {
    if (this.#state === 'open') {
      this.#sendControl(opcode.close, Buffer.from([0x03, 0xe8]));
      this.#socket.end();
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
      this.#sendControl(opcode.pong, bytes.subarray(start, end), () => this.#pongsWaiting--);
    },
    close: (code, reason) => {
      if (this.#state !== 'open') return;
      const answer = code === 1005 ? Buffer.alloc(0) : Buffer.from([code >> 8, code & 255]);
      this.#sendControl(opcode.close, answer);
      this.#socket.end();
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

  #sendControl(code: number, payload: Buffer, written?: () => void): void {
    const frame = Buffer.allocUnsafe(payload.length + 6);
    writeMaskedFrame(frame, 0, code, payload, newMaskKey());
    this.#socket.write(frame, written);
  }
}

function onRead(this: unknown, length: number, bytes: Uint8Array): boolean {
  (this as OwnedSocket).connection.take(bytes as Buffer, length);
  return true;
}

function onError(this: net.Socket, error: NodeJS.ErrnoException): void {
  (this as OwnedSocket).connection.ended(error.code ?? error.message);
}

function onClose(this: net.Socket): void {
  (this as OwnedSocket).connection.ended('the connection was lost');
}
