/** Hot path. A session is one client's connection: its socket, its allowance of messages, and its close. */
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { rate, time } from '#host/units.ts';
import { closeCode } from '#protocol';
import type { Person, PersonSession } from '../accounts/person.ts';
import { type Connection, Member } from '../chat/member.ts';
import { group, integer, limit, type ValuesOf } from '../settings.ts';
import { Allowance } from './allowance.ts';
import { isInsideMessage } from './unfinished-messages.ts';

/** The defaults are chosen, not measured. */
export const sessionSettings = group('Sessions', {
  messagesPerSecondMax: limit(
    1,
    1_000_000,
    100,
    'messages per second that one session may send, on average',
    rate,
  ),
  messagesBurstMax: limit(1, 1_000_000, 200, 'messages that one session may send at once'),
  controlFramesPerSecondMax: limit(
    1,
    1_000_000,
    10,
    'pings and pongs per second from one session, on average',
    rate,
  ),
  controlFramesBurstMax: limit(1, 1_000_000, 50, 'pings and pongs that one session may send at once'),
  evictionGraceMs: integer(0, 60_000, 1_000, 'time a peer has to take and answer our close frame', time),
});

type AllowanceLimits = Omit<ValuesOf<typeof sessionSettings>, 'evictionGraceMs'>;

/** An empty write, made only for its callback (see `whenWritten`). */
const noBytes = Buffer.alloc(0);

/** Without this option ws sends a buffer as a binary frame. */
const asText = { binary: false };

export class Session implements Connection, PersonSession {
  /** Its place in its room. */
  readonly member: Member;
  /** True after a pong or any frame; each ping sets it to false. */
  alive = true;
  /** The close code that this side sent first; the peer may answer with another one, or not at all. */
  sentCloseCode: number | undefined = undefined;
  /** True where the client keeps its position: it misses nothing when it connects elsewhere. */
  resumable = false;
  /** Who is logged in; undefined until then. */
  person: Person | undefined = undefined;
  /** False while it waits for its login, and hears nothing. */
  joined = false;
  /** The address of the client, where a stage counts attempts by it. */
  address = '';
  readonly #ws: WebSocket;
  readonly #socket: Socket;
  readonly #messages: Allowance;
  readonly #controlFrames: Allowance;

  /** `nowMs`: the present time of the monotonic clock that `allows` is asked with. */
  constructor(ws: WebSocket, socket: Socket, room: string, limits: AllowanceLimits, nowMs: number) {
    this.#ws = ws;
    this.#socket = socket;
    this.#messages = new Allowance(limits.messagesPerSecondMax, limits.messagesBurstMax, nowMs);
    const { controlFramesPerSecondMax, controlFramesBurstMax } = limits;
    this.#controlFrames = new Allowance(controlFramesPerSecondMax, controlFramesBurstMax, nowMs);
    this.member = new Member(this, room);
    // On a broken frame ws itself sends the close code and reads no more: its `close` event would say 1006.
    ws.on('error', (error: NodeJS.ErrnoException) => {
      this.sentCloseCode ??= closeCodesOfBrokenFrames[error.code ?? ''] ?? 1002;
    });
  }

  get open(): boolean {
    return this.#ws.readyState === 1;
  }

  /** False while its bytes are left with the kernel. */
  get reading(): boolean {
    return !this.#ws.isPaused;
  }

  /** True while the peer has begun a message, and could finish it. */
  get insideMessage(): boolean {
    return this.open && this.reading && isInsideMessage(this.#ws);
  }

  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  /** Takes one message from the allowance. False: the allowance is used up. */
  allows(nowMs: number): boolean {
    return this.#messages.take(nowMs);
  }

  /** The same for a ping or a pong. */
  allowsControlFrame(nowMs: number): boolean {
    return this.#controlFrames.take(nowMs);
  }

  write(frames: Buffer): void {
    this.#socket.write(frames);
  }

  sendText(payload: string | Buffer): void {
    this.#ws.send(payload, asText);
  }

  ping(): void {
    this.#ws.ping();
  }

  /** Reads no more. What was read already may still bring messages, of 64 KiB at the most. */
  pause(): void {
    this.#ws.pause();
  }

  /** Reads on. A pong may have been waiting: it counts as a sign of life. */
  resume(): void {
    this.alive = true;
    this.#ws.resume();
  }

  /**
   * An empty write behind the others is the public way to learn that the kernel has taken them. The `drain`
   * event comes only above the high-water mark, which is high so that a synchronous write costs no tick.
   */
  whenWritten(callback: (error?: Error | null) => void): void {
    this.#socket.write(noBytes, callback);
  }

  /** Sends a close frame after all that was written; ws cuts a peer that does not answer it in time. */
  close(code: number, reason: string): void {
    if (!this.open) return;
    this.sentCloseCode = code;
    this.#ws.close(code, reason);
    if (!this.reading) this.resume(); // The answer to the close frame must be read.
  }

  /** Cuts the connection without a close frame. */
  terminate(): void {
    this.#ws.terminate();
  }
}

/** The codes with which ws refuses a frame, by its error code; for every other error it is 1002. */
const closeCodesOfBrokenFrames: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: closeCode.malformed,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: closeCode.tooLarge,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: closeCode.tooLarge,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: closeCode.policy,
};
