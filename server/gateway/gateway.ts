/** The gateway: HTTP, the upgrade to WebSocket, and the sessions. It is the same for every stage. */
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type WebSocket, WebSocketServer } from 'ws';
import { closeCode, closeCodes } from '#protocol';
import { type Chat, type NoPlace, noPlaceTexts } from '../chat/chat.ts';
import { createInternalServer } from '../ops/internal-http.ts';
import { listen } from '../ops/listen.ts';
import { createMetrics, type Metrics } from '../ops/metrics.ts';
import type { commonSettings, ValuesOf } from '../settings.ts';
import { type WebPage, webPageSettings } from '../web/web-page.ts';
import { type Accepted, Admission, admissionSettings, type Refusal, refuse } from './admission.ts';
import { tellWhatIsAwaited } from './awaited.ts';
import { Backpressure } from './backpressure.ts';
import { reserveDescriptors } from './descriptors.ts';
import { createDispatch, messageSettings, type TypedMessageHandlers } from './dispatch.ts';
import { type Drain, type DrainOutcome, drainSettings } from './drain.ts';
import { heartbeatSettings, startHeartbeat } from './heartbeat.ts';
import { KeptConnections } from './kept-connections.ts';
import { LoopLag } from './loop-lag.ts';
import { type Seating, seatingSettings } from './seating.ts';
import { Session, sessionSettings } from './session.ts';
import { httpOptions, webSocketOptions } from './socket-options.ts';
import { UnfinishedMessages } from './unfinished-messages.ts';

export const gatewaySettings = [
  admissionSettings,
  webPageSettings,
  sessionSettings,
  messageSettings,
  heartbeatSettings,
  drainSettings,
  seatingSettings,
] as const;

type GatewaySettings = ValuesOf<(typeof gatewaySettings)[number]>;

/** The parts of which a stage composes its gateway. */
export type GatewayParts = {
  readonly chat: Chat;
  readonly drain: Drain;
  readonly settings: GatewaySettings & ValuesOf<typeof commonSettings>;
  /** Typed messages that the stage takes beside chat messages. */
  readonly typedMessages?: TypedMessageHandlers;
  /** The chat page, where the stage serves it. */
  readonly page?: WebPage;
  /** HTTP endpoints beside /ws: a handler for each path, the query not included. */
  readonly routes?: ReadonlyMap<string, RequestListener>;
  /** The place of this node among others, where people are seated. */
  readonly seating?: Seating;
};

/** Connections waiting to be accepted; the kernel caps it at net.core.somaxconn, 4096 on current Linux. */
const acceptBacklog = 4096;

const ignore = () => {};

export class Gateway {
  readonly metrics: Metrics;
  readonly #parts: GatewayParts;
  readonly #log: Logger;
  readonly #admission: Admission;
  readonly #dispatch: ReturnType<typeof createDispatch>;
  readonly #loopLag = new LoopLag();
  readonly #http: Server;
  readonly #internal: Server;
  readonly #wss: WebSocketServer;
  readonly #sessions = new Set<Session>();
  /** Connections whose join is being prepared. */
  #preparing = 0;
  /** Each takes the file descriptor of a session. */
  readonly #kept = new KeptConnections();
  readonly #unfinished: UnfinishedMessages<Session>;
  readonly #backpressure: Backpressure<Session>;
  #stopHeartbeat = () => {};
  /** Sessions for which there are file descriptors. */
  #placesMax = Number.POSITIVE_INFINITY;

  /** `compose` makes the parts; they count in the metrics that it is given. `loop`: see `createMetrics`. */
  constructor(stage: string, compose: (metrics: Metrics) => GatewayParts, log: Logger, loop?: number) {
    const observed = { sessions: () => this.#sessions.size, rooms: () => this.#parts.chat.rooms };
    this.metrics = createMetrics(stage, observed, loop);
    this.#parts = compose(this.metrics);
    this.#log = log;
    const { chat, settings, typedMessages = new Map() } = this.#parts;
    this.#admission = new Admission(settings, chat.prepare !== undefined);
    const { messageTimeoutMs } = settings;
    this.#unfinished = new UnfinishedMessages(messageTimeoutMs, (session) =>
      this.#evict(session, 'message_time', `a message took longer than ${messageTimeoutMs} ms`),
    );
    this.#backpressure = new Backpressure(chat, (session) =>
      this.#unfinished.received(session, session.insideMessage),
    );
    const parts = { chat, metrics: this.metrics, backpressure: this.#backpressure };
    this.#dispatch = createDispatch(parts, settings, typedMessages);
    this.#wss = new WebSocketServer(webSocketOptions(settings));
    this.#http = createServer(httpOptions(settings.handshakeTimeoutMs));
    this.#http.on('request', (request, response) => this.#answer(request, response));
    this.#http.on('drop', () => this.metrics.rejections.inc({ reason: 'descriptors' }));
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket as Socket, head));
    this.#internal = createInternalServer(this.metrics.registry, () => this.ready);
  }

  /** True while new sessions are let in: the server is not leaving, and messages flow. */
  get ready(): boolean {
    return !this.#admission.stopped && this.#parts.chat.ready;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** Starts the chat and both listeners; rejects when a port is taken or a service cannot be reached. */
  async listen({ reusePort = false } = {}): Promise<{ chat: AddressInfo; internal: AddressInfo }> {
    using _notice = tellWhatIsAwaited(this.#parts.chat, this.#log);
    const { host, port, internalHost, internalPort, heartbeatIntervalMs, sessionsMax } = this.#parts.settings;
    await this.#parts.chat.start((reason, affects) => void this.#closeAfterGap(reason, affects));
    if (sessionsMax !== Number.POSITIVE_INFINITY)
      this.#placesMax = reserveDescriptors(this.#http, this.#internal, sessionsMax, this.#log);
    const chat = await listen(this.#http, { host, port, backlog: acceptBacklog, reusePort });
    const internal = await listen(this.#internal, { host: internalHost, port: internalPort });
    await this.#parts.seating?.start(chat, {
      accepting: () => !this.#admission.stopped,
      sessions: () => this.#sessions.size,
      flush: (session) => this.#parts.chat.flush(session.member),
      keep: (request, max) => this.#kept.keep(request, Math.min(max, this.#placesMax - this.#sessions.size)),
    });
    this.#stopHeartbeat = startHeartbeat(this.#sessions, heartbeatIntervalMs, (session) => {
      this.metrics.evictions.inc({ reason: 'dead_peer' });
      session.terminate();
    });
    this.#unfinished.start();
    this.#loopLag.start();
    return { chat, internal };
  }

  /** Makes the server unready and refuses newcomers from now on; the open sessions stay. */
  stopAdmitting(): void {
    this.#admission.stopped = true;
  }

  /** Stops admitting, closes the sessions, cuts the rest at the deadline, and stops everything. */
  async drain(deadlineMs = this.#parts.settings.drainDeadlineMs): Promise<DrainOutcome> {
    this.stopAdmitting();
    const { chat, drain, seating } = this.#parts;
    const deadlineAtMs = performance.now() + deadlineMs;
    const sessionsAtStart = this.#sessions.size;
    // The other half of the time is for the sessions.
    const withdrawn = Promise.race([seating?.withdraw(), sleep(deadlineMs / 2, undefined, { ref: false })]);
    const noticed = Promise.all([sleep(drain.noticeMs), withdrawn]);
    await Promise.race([noticed, sleep(deadlineMs, undefined, { ref: false })]);
    await this.#close(this.#sessions, deadlineAtMs, closeCode.seatMoved);
    while (this.#sessions.size > 0 && performance.now() < deadlineAtMs) await sleep(10);
    const cutSessions = this.#sessions.size;
    for (const session of this.#sessions) session.terminate();
    this.#stopHeartbeat();
    this.#unfinished.stop();
    this.#loopLag.stop();
    await Promise.all([chat.close(), seating?.close()]);
    for (const server of [this.#http, this.#internal]) {
      server.close();
      server.closeAllConnections();
    }
    return { closedSessions: sessionsAtStart - cutSessions, cutSessions };
  }

  /** Answers plain HTTP: the routes of the stage, the page, and hints for everything else. */
  #answer(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? '').split('?', 1)[0]!;
    const { routes, seating } = this.#parts;
    const route = path === '/connect' ? seating?.connect : routes?.get(path);
    if (route) return route(request, response);
    if (this.#parts.page?.answer(path, request, response)) return;
    const upgradable = path === '/ws' || path.startsWith('/ws/');
    response.writeHead(upgradable ? 426 : 404, { connection: 'close' });
    response.end(upgradable ? 'this is a WebSocket endpoint\n' : 'not found: join at /ws or /ws/<room>\n');
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    this.#kept.release(socket);
    const decision = this.#decide(request);
    if ('status' in decision) return this.#refuse(socket, decision);
    const { chat } = this.#parts;
    // A client without the token is turned away after the upgrade, and costs nothing before it.
    if (!chat.prepare || !this.#admission.hasToken(request))
      return this.#accept(request, socket, head, decision);
    this.#preparing++;
    socket.once('error', ignore); // Before the upgrade nobody else listens.
    chat.prepare(decision.room, decision.resume, (prepared) => {
      this.#preparing--;
      socket.off('error', ignore);
      if (socket.destroyed) return;
      const now = prepared ? this.#decide(request) : this.#admission.late();
      if ('status' in now) this.#refuse(socket, now);
      else this.#accept(request, socket, head, now);
    });
  }

  #decide(request: IncomingMessage): Accepted | Refusal {
    return this.#admission.decide(request, {
      sessions: this.#sessions.size + this.#preparing,
      ready: this.#parts.chat.ready,
      lagMs: this.#loopLag.lagMs,
      placesMax: this.#placesMax - this.#kept.size,
    });
  }

  #refuse(socket: Socket, refusal: Refusal): void {
    this.metrics.rejections.inc({ reason: refusal.reason });
    refuse(socket, refusal);
  }

  #accept(request: IncomingMessage, socket: Socket, head: Buffer, accepted: Accepted): void {
    // It calls back at once, so a join that was prepared follows in the same step.
    this.#wss.handleUpgrade(request, socket, head, (ws) => {
      if (this.#admission.hasToken(request)) this.#open(ws, socket, accepted);
      else this.#turnAway(ws, 'token', closeCode.policy, 'wrong or missing token');
    });
  }

  /** Closes a connection that never became a session. */
  #turnAway(ws: WebSocket, reason: 'token' | NoPlace, code: number, detail: string): void {
    this.metrics.rejections.inc({ reason });
    ws.on('error', () => {});
    ws.close(code, detail);
  }

  #open(ws: WebSocket, socket: Socket, { room, resume }: Accepted): void {
    const { chat, settings, seating } = this.#parts;
    const session = new Session(ws, socket, room, settings, performance.now());
    session.resumable = resume !== undefined;
    const noPlace = chat.join(session.member, resume);
    if (noPlace) return this.#turnAway(ws, noPlace, closeCode.overload, noPlaceTexts[noPlace]);
    this.#sessions.add(session);
    seating?.join(session);
    ws.on('message', (data, isBinary) => {
      this.#unfinished.ended(session);
      this.#dispatch(session, data as Buffer, isBinary);
    });
    // Behind the listener of ws, which has read these bytes by now.
    socket.on('data', () => this.#unfinished.received(session, session.insideMessage));
    ws.on('ping', () => this.#meterControlFrame(session));
    ws.on('pong', () => {
      session.alive = true;
      this.#meterControlFrame(session);
    });
    ws.on('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'WS_ERR_TOO_MANY_BUFFERED_PARTS') this.metrics.evictions.inc({ reason: 'fragments' });
    });
    ws.on('close', (peerCode) => {
      this.#sessions.delete(session);
      seating?.leave(session);
      this.#unfinished.ended(session);
      this.#backpressure.forget(session);
      chat.leave(session.member);
      const code = session.sentCloseCode ?? peerCode;
      // A peer may close with any of thousands of codes; as label values they would be an open set.
      this.metrics.closes.inc({ code: closeCodes.has(code) ? code : 'other' });
    });
  }

  #meterControlFrame(session: Session): void {
    if (session.open && !session.allowsControlFrame(performance.now())) {
      const { controlFramesPerSecondMax } = this.#parts.settings;
      this.#evict(session, 'control_rate', `more than ${controlFramesPerSecondMax} pings per second`);
    } else if (!session.open && session.sentCloseCode === undefined) {
      // ws has just cut a peer that pings and reads none of the pongs.
      session.sentCloseCode = closeCode.connectionLost;
      this.metrics.evictions.inc({ reason: 'control_rate' });
    }
  }

  /** Closes a session that broke a rule (1008), and counts it under the reason. */
  #evict(session: Session, reason: string, detail: string): void {
    this.metrics.evictions.inc({ reason });
    session.close(closeCode.policy, detail);
  }

  async #closeAfterGap(reason: string, affects = (_room: string) => true): Promise<void> {
    const sessions = [...this.#sessions].filter(({ member }) => affects(member.room));
    const fields = { event: 'interrupted', reason, sessions: sessions.length };
    this.#log.warn(fields, 'sessions are told to reconnect');
    this.metrics.evictions.inc({ reason: 'interrupted' }, sessions.length);
    await this.#close(sessions, performance.now() + this.#parts.settings.drainDeadlineMs);
  }

  /** `codeOfResumable`: the close code of the sessions that can resume. */
  #close(
    sessions: Iterable<Session>,
    deadlineAtMs: number,
    codeOfResumable: number = closeCode.restart,
  ): Promise<void> {
    const { chat, drain } = this.#parts;
    const flush = (session: Session) => chat.flush(session.member);
    return drain.close(sessions, flush, deadlineAtMs, codeOfResumable);
  }
}
