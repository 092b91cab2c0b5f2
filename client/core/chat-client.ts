/** The chat protocol: connect, send, receive, reconnect, resume. The connection is passed in; no Node API. */
import { type ChatMessage, closeCode, decodeMessage, encodeMessage, isDecodeFault } from '#protocol';
import type { ChatSocket, OpenSocket } from './chat-socket.ts';
import { type Clock, systemClock } from './clock.ts';
import { Emitter } from './emitter.ts';
import { LateMessages } from './late-messages.ts';
import { OwnNames } from './own-names.ts';
import { type ConnectionEnd, nextWaitMs } from './reconnect.ts';
import { Resume, type Resumption } from './resume.ts';
import { type ChatAddress, type Place, Route } from './route.ts';
import type { Ticket } from './ticket.ts';

export type ChatClientOptions = {
  /** Where to connect, room included: `ws://host:port/ws/<room>`. Several addresses are tried in turn. */
  readonly url: string | readonly string[];
  /** Asked for the address before each connection: `http://host:port/connect?room=<room>`. */
  readonly connectUrls?: readonly string[];
  /** Headers of these requests. */
  readonly connectHeaders?: Readonly<Record<string, string>>;
  readonly clientId: string;
  readonly openSocket: OpenSocket;
  /** A login, which goes with each connection. */
  readonly ticket?: Ticket;
  /** Failed attempts in a row before the client ends; Infinity: no limit. */
  readonly attemptsMax?: number;
  /** Longest wait that the client chooses; left out: 30 s. A server may ask for a longer one. */
  readonly waitMsMax?: number;
  /** Time between two pings. A dead link is noticed after at most twice that. */
  readonly heartbeatIntervalMs?: number;
  readonly clock?: Clock;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
};

export type ChatEvents = {
  /** In the room: the server has answered a ping or sent a message. `again` is false the first time only. */
  connected: { readonly again: boolean };
  message: ChatMessage;
  /** The text of a frame that is no chat message: typed frames, as `{"type": "presence", …}`. */
  typed: string;
  /** Messages can be sent again, after `release()`. */
  released: undefined;
  /**
   * Only after a reconnect. `complete`: nothing was missed, and so many messages came late; else messages may
   * be missing before the next one.
   */
  resumed: { readonly complete: boolean; readonly lateCount: number };
  /** A connection or an attempt ended. If `final`, the client does not reconnect: this is its last event. */
  closed: {
    readonly end: ConnectionEnd;
    readonly final: boolean;
    /** Set if it is final because of `attemptsMax`: the number of attempts. */
    readonly gaveUpAfter?: number;
  };
  /** The next attempt starts after that wait; `attempt` is 1 for the first. */
  waiting: { readonly waitMs: number; readonly attempt: number };
};

/** A connection that lasted this long resets the backoff. Chosen, not measured. */
const healthyAfterMs = 5_000;
/** A server that answers no ping and keeps the connection for so long has admitted the client. Chosen. */
const admissionMsMax = 2_000;
/** The longest wait for the server's side of the closing handshake. Chosen, not measured. */
const closeMsMax = 2_000;
/** A server that keeps a log says so within this time. Chosen, not measured. */
const joinedMsMax = 2_000;
/** The client accepts every length: the server's limits decide. */
const noLimits = { clientIdCharsMax: Number.POSITIVE_INFINITY, messageBytesMax: Number.POSITIVE_INFINITY };
const normalEnd: ConnectionEnd = { kind: 'closed', code: closeCode.normal, reason: '' };

export class ChatClient {
  readonly events = new Emitter<ChatEvents>();
  readonly clock: Clock;
  readonly #options: ChatClientOptions;
  readonly #route: Route;
  readonly #resume = new Resume();
  #socket: ChatSocket | undefined;
  #url: string | undefined;
  #state: 'idle' | 'connecting' | 'joining' | 'connected' | 'waiting' | 'closing' | 'ended' = 'idle';
  #failedAttempts = 0;
  #everConnected = false;
  /** This connection is not the first, and whether messages were missed has not been told yet. */
  #isResumptionOpen = false;
  #connectedAtMs = 0;
  /** The name of the messages, which may change. */
  readonly names: OwnNames;
  #cancelTimer = (): void => {};
  #cancelAdmission = (): void => {};
  #cancelResumption = (): void => {};
  readonly #late: LateMessages;
  #isHeld = false;

  constructor(options: ChatClientOptions) {
    this.#options = options;
    this.#route = new Route({
      urls: [options.url].flat(),
      connectUrls: options.connectUrls ?? [],
      headers: options.connectHeaders ?? {},
    });
    this.clock = options.clock ?? systemClock;
    this.names = new OwnNames(options.clientId);
    this.#late = new LateMessages(this.clock, (lateCount) =>
      this.events.emit('resumed', { complete: true, lateCount }),
    );
  }

  get clientId(): string {
    return this.names.now;
  }

  get connected(): boolean {
    return this.#state === 'connected';
  }

  get ended(): boolean {
    return this.#state === 'ended';
  }

  /** Where the chat was at the last connection; undefined before the first one. */
  get address(): ChatAddress | undefined {
    const { connectHeaders: headers = {} } = this.#options;
    return this.#url === undefined ? undefined : { chatUrl: this.#url, headers };
  }

  /** Starts to connect; events report the outcome. Throws a SyntaxError for a URL of another kind. */
  connect(): void {
    this.#state = 'connecting';
    const place = this.#route.locate();
    if (!(place instanceof Promise)) return this.#connectTo(place);
    // Meanwhile close() may have been called.
    void place.then((found) => this.#state === 'connecting' && this.#connectTo(found));
  }

  #connectTo(place: Place): void {
    if ('end' in place) return this.#onEnd(place.end);
    // A connection that was given up may still report its end; only the current one counts.
    this.#url = place.url;
    const address = this.#resume.addressOf(place.url);
    const { openSocket, ticket } = this.#options;
    const socket: ChatSocket = openSocket(ticket?.addressOf(address) ?? address, {
      opened: () => socket === this.#socket && this.#onOpen(socket),
      received: (text) => socket === this.#socket && this.#onText(socket, text),
      ended: (end) => socket === this.#socket && this.#onEnd(end),
    });
    this.#socket = socket;
  }

  /** Starts the next attempt at once; does nothing while the client is not waiting for it. */
  retryNow(): void {
    if (this.#state !== 'waiting') return;
    this.#cancelTimer();
    this.connect();
  }

  /** Takes the connection for dead, as after a ping without an answer, and reconnects. */
  abandon(cause: string): void {
    if (this.connected) this.#giveUp({ kind: 'unreachable', cause });
  }

  /** Sends a message; false, and nothing sent, while not connected, or while messages are held. */
  send(text: string): boolean {
    return !this.#isHeld && this.sendTyped(encodeMessage({ clientId: this.clientId, Message: text }));
  }

  /** Sends the text of a frame; false, and nothing sent, while not connected. */
  sendTyped(text: string): boolean {
    return this.connected && this.#socket?.send(text) === true;
  }

  /** Sends no message until `release()`: while it is open under which name messages may be sent. */
  hold(): void {
    this.#isHeld = true;
  }

  release(): void {
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.events.emit('released', undefined);
  }

  /** Ends the client: sends all accepted messages, closes, and emits the final `closed` within 2 s. */
  close(): void {
    if (this.#state === 'closing' || this.#state === 'ended') return;
    this.#cancelTimer();
    this.#state = 'closing';
    if (!this.#socket) return this.#onEnd(normalEnd);
    this.#cancelTimer = this.clock.after(closeMsMax, () => this.#giveUp(normalEnd));
    this.#socket.close(closeCode.normal);
  }

  #onOpen(socket: ChatSocket): void {
    if (this.#state !== 'connecting') return;
    this.#state = 'joining';
    this.#connectedAtMs = this.clock.nowMs();
    this.#resume.opened();
    this.#cancelAdmission = this.clock.after(admissionMsMax, () => this.#admit(socket));
    this.#beat(socket);
    // A browser cannot ping: there, an open connection has to do.
    if (!socket.ping) this.#admit(socket);
  }

  /** A server may open a connection only to close it with the reason why it does not admit this client. */
  #admit(socket: ChatSocket): void {
    if (this.#state !== 'joining' || socket !== this.#socket) return;
    this.#cancelAdmission();
    this.#state = 'connected';
    const again = this.#everConnected;
    this.#everConnected = true;
    this.#isResumptionOpen = again;
    this.events.emit('connected', { again });
    if (again && this.#resume.isAwaited) this.#awaitJoined();
  }

  /** A server that did not keep a log before is not expected to do so now. */
  #awaitJoined(): void {
    if (!this.#resume.isAble) return this.#onResumption('unable');
    this.#cancelResumption = this.clock.after(joinedMsMax, () => this.#onResumption('unable'));
  }

  #onResumption(resumption: Resumption): void {
    this.#cancelResumption();
    if (!this.#isResumptionOpen) return;
    this.#isResumptionOpen = false;
    if (resumption !== 'recovered') return this.events.emit('resumed', { complete: false, lateCount: 0 });
    this.#late.begin();
  }

  /** Pings, and ends a connection that does not answer. TCP alone would notice a dead link after minutes. */
  #beat(socket: ChatSocket): void {
    if (!socket.ping) return;
    const intervalMs = this.#options.heartbeatIntervalMs ?? 30_000;
    let answered = false;
    socket.ping(() => {
      answered = true;
      this.#admit(socket);
    });
    this.#cancelTimer = this.clock.after(intervalMs, () => {
      if (answered) return this.#beat(socket);
      this.#giveUp({ kind: 'unreachable', cause: `a ping was not answered within ${intervalMs} ms` });
    });
  }

  /** Ends the connection without waiting for the other side. */
  #giveUp(end: ConnectionEnd): void {
    this.#socket?.terminate?.();
    this.#onEnd(end);
  }

  #onText(socket: ChatSocket, text: string): void {
    // Before it is admitted, so that the first frame is known when the room is announced.
    const joined = this.#resume.takeJoined(text);
    const message = joined === undefined ? decodeMessage(text, noLimits) : undefined;
    const isMessage = message !== undefined && !isDecodeFault(message);
    const resumption = isMessage ? this.#resume.takeMessage() : joined;
    this.#admit(socket);
    if (resumption) this.#onResumption(resumption);
    if (!isMessage) return joined === undefined ? this.events.emit('typed', text) : undefined;
    this.#late.took();
    this.events.emit('message', message);
  }

  #onEnd(reported: ConnectionEnd): void {
    this.#cancelTimer();
    this.#cancelAdmission();
    this.#cancelResumption();
    this.#late.stop();
    this.#socket = undefined;
    if (this.#state === 'closing') return this.#finish(normalEnd);
    const isRefusal = this.#state === 'joining' && reported.kind === 'closed';
    const end = isRefusal ? { ...reported, admitted: false } : reported;
    const isElsewhere = end.kind === 'closed' && end.code === closeCode.goingAway;
    const isLogin = this.#options.ticket?.ended(end, this.connected) ?? false;
    if (!isLogin && (!this.connected || isElsewhere)) this.#route.passOn();
    const connectedMs = this.connected ? this.clock.nowMs() - this.#connectedAtMs : 0;
    if (connectedMs >= healthyAfterMs) this.#failedAttempts = 0;
    const { attemptsMax = Number.POSITIVE_INFINITY, random = Math.random, waitMsMax } = this.#options;
    const waitMs = isLogin ? 0 : nextWaitMs(end, this.#failedAttempts, random, waitMsMax);
    this.#failedAttempts += 1;
    if (waitMs === undefined) return this.#finish(end);
    if (this.#failedAttempts >= attemptsMax) return this.#finish(end, this.#failedAttempts);
    this.#state = 'waiting';
    this.#cancelTimer = this.clock.after(waitMs, () => this.connect());
    this.events.emit('closed', { end, final: false });
    // A listener of `closed` may have called close().
    if (this.#state === 'waiting') this.events.emit('waiting', { waitMs, attempt: this.#failedAttempts });
  }

  #finish(end: ConnectionEnd, gaveUpAfter?: number): void {
    this.#state = 'ended';
    this.events.emit('closed', { end, final: true, ...(gaveUpAfter !== undefined && { gaveUpAfter }) });
  }
}
