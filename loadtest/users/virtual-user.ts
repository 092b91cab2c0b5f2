/** One virtual user: a TCP connection, its handshake, pongs and close. Its input goes to the audit. */
import type net from 'node:net';
import type { Listener, LocalRoom } from '../audit/listener.ts';
import type { Reference } from '../audit/reference.ts';
import type { Resumption } from '../audit/resumption.ts';
import type { Endpoint } from '../model/assignment.ts';
import {
  closeAnswer,
  closeNormally,
  openSocket,
  pongsWaitingMax,
  sendClose,
  writeControl,
} from '../wire/client-socket.ts';
import { FrameScanner } from '../wire/frame-scanner.ts';
import { readHandshakeResponse } from '../wire/handshake.ts';
import { opcode } from '../wire/opcode.ts';

export type UserState = 'new' | 'connecting' | 'open' | 'refused' | 'closed';

/** Events of all virtual users of a worker. */
export type UserEvents = {
  opened(user: VirtualUser): void;
  /** The handshake failed, with an HTTP status or a socket error code. */
  refused(user: VirtualUser, why: string, retryAfterMs?: number): void;
  /** The server closed the connection after the handshake, or the connection failed. */
  closed(user: VirtualUser, code: number, reason: string): void;
  received(user: VirtualUser, bytes: Buffer, at: number, end: number): void;
};

export class VirtualUser implements Listener {
  readonly index: number;
  readonly room: LocalRoom;
  readonly member: number;
  readonly scanner: FrameScanner;
  reference: Reference;
  frame = -1;
  within = 0;
  heard = 0;
  isMisfit = false;
  probed = false;
  state: UserState = 'new';
  received = 0;
  readonly resumption: Resumption | null;
  /** Its connection had been closed in an earlier step, and it does not come back. */
  isAbsent = false;
  /** The last message that it sent in this step; −1 before. */
  sentNumber = -1;
  readonly #events: UserEvents;
  #socket: net.Socket | null = null;
  #accept = '';
  #response: Buffer | null = null;
  #pongsWaiting = 0;

  constructor(
    index: number,
    room: LocalRoom,
    member: number,
    messageBytesMax: number,
    events: UserEvents,
    resumption: Resumption | null = null,
  ) {
    this.index = index;
    this.room = room;
    this.reference = room.interleavings.references[0]!;
    this.member = member;
    this.scanner = new FrameScanner(messageBytesMax);
    this.#events = events;
    this.resumption = resumption;
  }

  /** It learns elsewhere where to connect; `connect` or `refuse` follows. */
  begin(): void {
    this.state = 'connecting';
  }

  /** What it has heard and sent in this step, in an earlier connection. */
  continue(before: VirtualUser): void {
    this.reference = before.reference;
    this.heard = before.heard;
    this.probed = before.probed;
    this.sentNumber = before.sentNumber;
  }

  /** Starts to connect. */
  connect(endpoint: Endpoint): void {
    this.state = 'connecting';
    const { socket, accept } = openSocket(endpoint, this);
    this.#socket = socket;
    this.#accept = accept;
  }

  /** Bytes that wait in this process because the kernel's send buffer is full. */
  get bufferedBytes(): number {
    return this.#socket?.writableLength ?? 0;
  }

  /** True while there is a socket. */
  get connected(): boolean {
    return this.#socket !== null;
  }

  /** Sends frames that are already masked. */
  send(frames: Buffer): void {
    this.#socket?.write(frames);
  }

  /** Ends a handshake that takes too long. */
  abandon(): void {
    if (this.state === 'connecting') this.refuse('timeout');
  }

  /** Closes with code 1000. The socket ends when the server ends it, or by `destroy`. */
  close(): void {
    if (this.state !== 'open') return;
    this.state = 'closed';
    if (this.#socket) sendClose(this.#socket, closeNormally);
  }

  /** Drops the open connection, as a network does that fails. */
  drop(): void {
    this.state = 'closed';
    this.destroy();
  }

  /** Drops the connection without a close frame. */
  destroy(): void {
    this.#socket?.destroy();
    this.#socket = null;
  }

  /** A server that reads no pongs gets no more of them (RFC 6455, 5.5.3: not each ping needs one). */
  pinged(payload: Buffer): void {
    if (this.#pongsWaiting === pongsWaitingMax) return;
    this.#pongsWaiting++;
    if (this.#socket) writeControl(this.#socket, opcode.pong, payload, () => this.#pongsWaiting--);
  }

  closed(code: number, reason: string): void {
    if (this.state !== 'open') return;
    this.state = 'closed';
    if (this.#socket) sendClose(this.#socket, closeAnswer(code));
    this.#events.closed(this, code, reason);
  }

  failed(detail: string): void {
    if (this.state !== 'open') return;
    this.state = 'closed';
    this.#events.closed(this, 1002, detail);
    this.destroy();
  }

  /** Takes bytes from the socket. */
  take(bytes: Buffer, length: number): void {
    if (this.state === 'open') this.#events.received(this, bytes, 0, length);
    else if (this.state === 'connecting') this.#readResponse(bytes.subarray(0, length));
  }

  /** The socket failed, or the server closed it. */
  ended(why: string): void {
    if (this.state === 'connecting') this.refuse(why);
    else if (this.state === 'open') {
      this.state = 'closed';
      this.#events.closed(this, 1006, why);
    }
    this.destroy();
  }

  #readResponse(chunk: Buffer): void {
    const bytes = this.#response === null ? chunk : Buffer.concat([this.#response, chunk]);
    const response = readHandshakeResponse(bytes, this.#accept);
    if (response.state === 'incomplete') {
      this.#response = Buffer.from(bytes);
      return;
    }
    this.#response = null;
    if (response.state === 'refused') return this.refuse(response.why, response.retryAfterMs);
    this.state = 'open';
    this.#accept = '';
    this.#events.opened(this);
    if (response.framesAt < bytes.length) this.#events.received(this, bytes, response.framesAt, bytes.length);
  }

  /** The handshake has failed. */
  refuse(why: string, retryAfterMs?: number): void {
    this.state = 'refused';
    this.#response = null;
    this.destroy();
    this.#events.refused(this, why, retryAfterMs);
  }
}
