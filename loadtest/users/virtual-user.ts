/** One virtual user: a TCP connection, its handshake, and what it owes the protocol (pongs, close). Receives for the room's audit. */
import net from 'node:net';
import type { Listener, LocalRoom } from '../audit/receiver.ts';
import type { Reference } from '../audit/reference.ts';
import { newMaskKey, writeMaskedFrame } from '../wire/client-frame.ts';
import { FrameScanner } from '../wire/frame-scanner.ts';
import { handshakeRequest, newHandshakeKey, readHandshakeAnswer } from '../wire/handshake.ts';
import { opcode } from '../wire/opcode.ts';

export type UserState = 'new' | 'connecting' | 'open' | 'refused' | 'closed';

/** Told by all virtual users of a worker. */
export type UserEvents = {
  opened(user: VirtualUser): void;
  /** Before the upgrade; by HTTP status or socket error code. */
  refused(user: VirtualUser, why: string): void;
  /** After the upgrade, by the other side or by a failure; by close code. */
  closed(user: VirtualUser, code: number, reason: string): void;
  received(user: VirtualUser, bytes: Buffer, at: number, end: number): void;
};

export type Endpoint = {
  url: URL;
  /** IP address of the target. */
  address: string;
  port: number;
  sourceAddress: string | undefined;
  headers: readonly string[];
};

type UserSocket = net.Socket & { user: VirtualUser };

/**
 * All users of a worker read into one buffer: Node calls back synchronously for each read, so its content is dealt with
 * before the next read. That saves a buffer and a copy per user.
 */
const sharedBuffer = Buffer.allocUnsafeSlow(256 * 1024);

export class VirtualUser implements Listener {
  readonly index: number;
  readonly room: LocalRoom;
  readonly member: number;
  readonly scanner: FrameScanner;
  reference: Reference;
  frame = -1;
  within = 0;
  isMisfit = false;
  heard = false;
  state: UserState = 'new';
  readonly #events: UserEvents;
  #socket: UserSocket | null = null;
  #accept = '';
  #answer: Buffer | null = null;

  constructor(index: number, room: LocalRoom, member: number, messageBytesMax: number, events: UserEvents) {
    this.index = index;
    this.room = room;
    this.reference = room.interleavings.references[0]!;
    this.member = member;
    this.scanner = new FrameScanner(messageBytesMax);
    this.#events = events;
  }

  /** Begins to connect. */
  connect(endpoint: Endpoint): void {
    const { key, accept } = newHandshakeKey();
    this.#accept = accept;
    this.state = 'connecting';
    const socket = net.connect({
      host: endpoint.address,
      port: endpoint.port,
      localAddress: endpoint.sourceAddress,
      noDelay: true,
      onread: { buffer: sharedBuffer, callback: onRead },
    }) as UserSocket;
    socket.user = this;
    this.#socket = socket;
    socket.on('error', onError);
    socket.on('close', onClose);
    socket.write(handshakeRequest(endpoint.url, key, endpoint.headers), 'latin1');
  }

  /** Bytes that this process holds because the kernel takes no more. */
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

  /** Gives up on a handshake that takes too long. */
  abandon(): void {
    if (this.state === 'connecting') this.#refuse('timeout');
  }

  /** Closes normally; the socket goes when the server answers, or at `destroy`. */
  close(): void {
    if (this.state !== 'open') return;
    this.state = 'closed';
    this.#sendControl(opcode.close, Buffer.from([0x03, 0xe8]));
    this.#socket?.end();
  }

  /** Drops the connection without another word. */
  destroy(): void {
    this.#socket?.destroy();
    this.#socket = null;
  }

  pinged(payload: Buffer): void {
    this.#sendControl(opcode.pong, payload);
  }

  closed(code: number, reason: string): void {
    if (this.state === 'open') {
      this.state = 'closed';
      this.#sendControl(opcode.close, code === 1005 ? Buffer.alloc(0) : Buffer.from([code >> 8, code & 255]));
      this.#events.closed(this, code, reason);
    }
    this.#socket?.end();
  }

  failed(detail: string): void {
    if (this.state !== 'open') return;
    this.state = 'closed';
    this.#events.closed(this, 1002, detail);
    this.destroy();
  }

  /** Bytes from the socket. */
  received(bytes: Buffer, length: number): void {
    if (this.state === 'open') this.#events.received(this, bytes, 0, length);
    else if (this.state === 'connecting') this.#readAnswer(bytes.subarray(0, length));
  }

  /** The socket failed or was closed by the other side. */
  ended(why: string): void {
    if (this.state === 'connecting') this.#refuse(why);
    else if (this.state === 'open') {
      this.state = 'closed';
      this.#events.closed(this, 1006, why);
    }
    this.destroy();
  }

  #readAnswer(chunk: Buffer): void {
    const bytes = this.#answer === null ? chunk : Buffer.concat([this.#answer, chunk]);
    const answer = readHandshakeAnswer(bytes, this.#accept);
    if (answer.state === 'incomplete') {
      this.#answer = Buffer.from(bytes);
      return;
    }
    this.#answer = null;
    if (answer.state === 'refused') return this.#refuse(answer.why);
    this.state = 'open';
    this.#accept = '';
    this.#events.opened(this);
    if (answer.framesAt < bytes.length) this.#events.received(this, bytes, answer.framesAt, bytes.length);
  }

  #refuse(why: string): void {
    this.state = 'refused';
    this.#answer = null;
    this.#events.refused(this, why);
    this.destroy();
  }

  #sendControl(code: number, payload: Buffer): void {
    const frame = Buffer.allocUnsafe(payload.length + 6);
    writeMaskedFrame(frame, 0, code, payload, newMaskKey());
    this.#socket?.write(frame);
  }
}

// One function each for all sockets: a closure per user would be most of a user's memory.
function onRead(this: unknown, length: number, bytes: Uint8Array): boolean {
  (this as UserSocket).user.received(bytes as Buffer, length);
  return true;
}

function onError(this: net.Socket, error: NodeJS.ErrnoException): void {
  (this as UserSocket).user.ended(error.code ?? error.message);
}

function onClose(this: net.Socket): void {
  (this as UserSocket).user.ended('the connection was lost');
}
