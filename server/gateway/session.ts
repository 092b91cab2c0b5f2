/**
 * Hot path. One connection: its room, its place in the room's log, its allowance of messages, and its close.
 * It holds no queue of its own; what it still has to hear lies in the log, behind its cursor.
 */
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Segment } from '../chat/room-log.ts';

/** Nothing to write, written only to be told when what lies before it has left (see `whenWritten`). */
const nothing = Buffer.alloc(0);

export class Session {
  readonly room: string;
  readonly ws: WebSocket;
  readonly socket: Socket;
  /** Set by a pong or any message; cleared by each ping. */
  alive = true;
  /** The close code that the server said first; the peer may answer with another one, or not at all. */
  saidCode: number | undefined = undefined;

  /** The cursor: the next byte to write, and how many frames of the log lie before it. */
  segment: Segment | undefined = undefined;
  offset = 0;
  framesSeen = 0;
  /** A write that the kernel has not taken whole; the session is skipped until it has. */
  writing = false;
  /** Place in its room's list of sessions, kept by the fan-out. */
  slot = -1;

  #tokens: number;
  #refilledAtMs: number;

  /** `burst` is how many messages it may send at once, `nowMs` the present on any monotonic clock. */
  constructor(ws: WebSocket, socket: Socket, room: string, burst: number, nowMs: number) {
    this.ws = ws;
    this.socket = socket;
    this.room = room;
    this.#tokens = burst;
    this.#refilledAtMs = nowMs;
  }

  /** False from the moment the server or the peer begins to close: a frame after a close frame breaks the protocol. */
  get open(): boolean {
    return this.ws.readyState === 1;
  }

  /** Takes one message from the allowance (a token bucket); false when it is used up. */
  allows(nowMs: number, perSecond: number, burst: number): boolean {
    const refilled = this.#tokens + ((nowMs - this.#refilledAtMs) / 1000) * perSecond;
    this.#tokens = Math.min(burst, refilled);
    this.#refilledAtMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /**
   * Calls back once the kernel has taken all that was written. An empty write behind the others is the public way to
   * learn that: `drain` is only emitted above the high-water mark, which is set high so that the common, synchronous
   * write costs no tick.
   */
  whenWritten(callback: (error?: Error | null) => void): void {
    this.socket.write(nothing, callback);
  }

  /** Says goodbye with a close code, after all that was written; `ws` cuts a peer that does not answer in time. */
  close(code: number, reason: string): void {
    if (!this.open) return;
    this.saidCode = code;
    this.ws.close(code, reason);
  }
}
