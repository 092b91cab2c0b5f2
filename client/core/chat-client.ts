/** The protocol over `ws`: connect, send, receive, come back. It knows no terminal. */
import { EventEmitter } from 'node:events';
import { WebSocket } from 'ws';
import { type ChatMessage, decodeMessage, encodeMessage, isDecodeFault } from '#protocol';
import {
  type Backoff,
  type ConnectionEnd,
  defaultBackoff,
  nextWaitMs,
  parseRetryAfterMs,
} from './reconnect.ts';

/** Time, passed in so that tests need not wait for it. */
export type Clock = {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** Runs `act` once after the delay; the returned function calls it off. */
  after(delayMs: number, act: () => void): () => void;
};

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, act) {
    const timer = setTimeout(act, delayMs);
    return () => clearTimeout(timer);
  },
};

export type ChatClientOptions = {
  /** Where to connect, room included: `ws://host:port/ws/<room>`. */
  readonly url: string;
  readonly clientId: string;
  /** Sent as `Authorization: Bearer …` at the handshake. */
  readonly token?: string | undefined;
  readonly origin?: string | undefined;
  readonly backoff?: Backoff;
  /** Failed attempts in a row before giving up; Infinity never does. */
  readonly attemptsMax?: number;
  /** Between two pings, and so the longest time until a dead link is noticed is twice that. */
  readonly heartbeatIntervalMs?: number;
  readonly clock?: Clock;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
};

export type ChatEvents = {
  /** In the room. `again` is true for every time but the first. */
  connected: [{ readonly again: boolean }];
  message: [ChatMessage];
  /** The connection or an attempt ended; when `final`, the client does not come back, and this is its last event. */
  closed: [{ readonly end: ConnectionEnd; readonly final: boolean }];
  /** The next attempt is made after that wait; `attempt` is 1 for the first. */
  waiting: [{ readonly waitMs: number; readonly attempt: number }];
};

/** A connection that lived this long was healthy: the backoff begins anew. Chosen, not measured. */
const healthyAfterMs = 5_000;
const handshakeMsMax = 10_000;
const closeMsMax = 2_000;
/** What a client accepts in one frame, in bytes; far above any server's limit, so the server's own rules decide. */
const framePayloadBytesMax = 1 << 20;
const anyMessage = { clientIdCharsMax: framePayloadBytesMax, messageBytesMax: framePayloadBytesMax };

export class ChatClient {
  readonly events = new EventEmitter<ChatEvents>();
  readonly clientId: string;
  readonly #options: ChatClientOptions;
  readonly #clock: Clock;
  #socket: WebSocket | undefined;
  #state: 'idle' | 'connecting' | 'connected' | 'waiting' | 'closing' | 'ended' = 'idle';
  #failedAttempts = 0;
  #everConnected = false;
  #connectedAtMs = 0;
  /** Known before `close` is emitted, where it says more than the code 1006 would. */
  #end: ConnectionEnd | undefined;
  #cancelTimer = (): void => {};

  constructor(options: ChatClientOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.clientId = options.clientId;
  }

  get connected(): boolean {
    return this.#state === 'connected';
  }

  get ended(): boolean {
    return this.#state === 'ended';
  }

  /** Begins; what comes of it is told by the events. Throws a SyntaxError for a URL that `ws` does not take. */
  connect(): void {
    const { url, token, origin } = this.#options;
    const socket = new WebSocket(url, {
      handshakeTimeout: handshakeMsMax,
      maxPayload: framePayloadBytesMax,
      perMessageDeflate: false,
      ...(token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } }),
      ...(origin === undefined ? {} : { origin }),
    });
    this.#socket = socket;
    this.#state = 'connecting';
    this.#end = undefined;
    socket.on('open', () => this.#onOpen(socket));
    socket.on('message', (data, isBinary) => {
      if (!isBinary) this.#onText(data.toString());
    });
    socket.on('unexpected-response', (_request, response) => {
      const retryAfterMs = parseRetryAfterMs(response.headers['retry-after'], this.#clock.nowMs());
      this.#end = { kind: 'refused', status: response.statusCode ?? 0, retryAfterMs };
      socket.terminate();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (this.#state !== 'closing')
        this.#end ??= { kind: 'unreachable', cause: error.code ?? error.message };
    });
    socket.on('close', (code, reason) => {
      this.#onClose(this.#end ?? { kind: 'closed', code, reason: reason.toString() });
    });
  }

  /** Sends a message; false, and nothing sent, while not connected. */
  send(text: string): boolean {
    if (!this.connected || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(encodeMessage({ clientId: this.clientId, Message: text }));
    return true;
  }

  /** Leaves for good: sends what was accepted, closes, and emits the final `closed` within about two seconds. */
  close(): void {
    if (this.#state === 'closing' || this.#state === 'ended') return;
    this.#cancelTimer();
    const open = this.#socket && this.#socket.readyState !== WebSocket.CLOSED;
    this.#state = 'closing';
    if (open) {
      this.#socket?.close(1000);
      this.#cancelTimer = this.#clock.after(closeMsMax, () => this.#socket?.terminate());
    } else {
      this.#onClose({ kind: 'closed', code: 1000, reason: '' });
    }
  }

  #onOpen(socket: WebSocket): void {
    if (this.#state !== 'connecting') return;
    this.#state = 'connected';
    this.#connectedAtMs = this.#clock.nowMs();
    const again = this.#everConnected;
    this.#everConnected = true;
    this.#beat(socket);
    this.events.emit('connected', { again });
  }

  /** Pings for as long as each is answered; TCP alone would let a dead link look like a silent room for minutes. */
  #beat(socket: WebSocket): void {
    const intervalMs = this.#options.heartbeatIntervalMs ?? 30_000;
    let answered = false;
    socket.once('pong', () => {
      answered = true;
    });
    socket.ping();
    this.#cancelTimer = this.#clock.after(intervalMs, () => {
      if (answered) return this.#beat(socket);
      this.#end = { kind: 'unreachable', cause: `a ping was not answered within ${intervalMs} ms` };
      socket.terminate();
    });
  }

  #onText(text: string): void {
    const message = decodeMessage(text, anyMessage);
    // Later stages say more than chat messages (`{"type": …}`); who knows only the two fields lets them pass.
    if (!isDecodeFault(message)) this.events.emit('message', message);
  }

  #onClose(end: ConnectionEnd): void {
    this.#cancelTimer();
    this.#socket = undefined;
    if (this.#state === 'closing') {
      this.#state = 'ended';
      this.events.emit('closed', { end: { kind: 'closed', code: 1000, reason: '' }, final: true });
      return;
    }
    const healthy =
      this.#state === 'connected' && this.#clock.nowMs() - this.#connectedAtMs >= healthyAfterMs;
    if (healthy) this.#failedAttempts = 0;
    const {
      backoff = defaultBackoff,
      attemptsMax = Number.POSITIVE_INFINITY,
      random = Math.random,
    } = this.#options;
    const waitMs = nextWaitMs(end, this.#failedAttempts, backoff, random);
    this.#failedAttempts += 1;
    if (waitMs === undefined || this.#failedAttempts >= attemptsMax) {
      this.#state = 'ended';
      this.events.emit('closed', { end, final: true });
      return;
    }
    this.#state = 'waiting';
    this.#cancelTimer = this.#clock.after(waitMs, () => this.connect());
    this.events.emit('closed', { end, final: false });
    // A listener of `closed` may have called close().
    if (this.#state === 'waiting') this.events.emit('waiting', { waitMs, attempt: this.#failedAttempts });
  }
}
