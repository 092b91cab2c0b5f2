/** The gateway: HTTP, the upgrade to WebSocket, and the sessions. It is the same for every stage. */
import type { IncomingMessage, RequestListener } from 'node:http';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type WebSocket, WebSocketServer } from 'ws';
import { closeCode, closeCodes } from '#protocol';
import type { ResumeRequest } from '../backplane/backplane.ts';
import { type NoPlace, noPlaceTexts } from '../chat/chat.ts';
import { createInternalServer } from '../ops/internal-http.ts';
import { listen } from '../ops/listen.ts';
import { createMetrics, type Metrics } from '../ops/metrics.ts';
import { Admission } from './admission.ts';
import { tellWhatIsAwaited } from './awaited.ts';
import { Backpressure } from './backpressure.ts';
import { reserveDescriptors } from './descriptors.ts';
import { createDispatch } from './dispatch.ts';
import type { DrainOutcome } from './drain.ts';
import { Entrance, type Entry } from './entrance.ts';
import type { GatewayParts } from './gateway-parts.ts';
import { startHeartbeat } from './heartbeat.ts';
import { KeptConnections } from './kept-connections.ts';
import { Logins } from './logins.ts';
import { LoopLag } from './loop-lag.ts';
import { Overdue } from './overdue.ts';
import { accountEndpoint, createPlainHttp } from './plain-http.ts';
import { Session } from './session.ts';
import { httpOptions, webSocketOptions } from './socket-options.ts';

/** Connections waiting to be accepted; the kernel caps it at net.core.somaxconn, 4096 on current Linux. */
const acceptBacklog = 4096;

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
  readonly #logins: Logins | undefined;
  readonly #entrance: Entrance;
  /** Each takes the file descriptor of a session. */
  readonly #kept = new KeptConnections();
  readonly #unfinished: Overdue<Session>;
  readonly #backpressure: Backpressure<Session>;
  #stopHeartbeat = () => {};
  /** Sessions for which there are file descriptors. */
  #placesMax = Number.POSITIVE_INFINITY;

  /** `compose` makes the parts; they count in the metrics that it is given. `loop`: see `createMetrics`. */
  constructor(stage: string, compose: (metrics: Metrics) => GatewayParts, log: Logger, loop?: number) {
    const observed = {
      sessions: () => this.#sessions.size,
      rooms: () => this.#parts.chat.rooms,
      waiting: () => this.#entrance.waiting,
    };
    this.metrics = createMetrics(stage, observed, loop);
    this.#parts = compose(this.metrics);
    this.#log = log;
    const { chat, settings, people, typedMessages } = this.#parts;
    const { messageTimeoutMs, handshakeTimeoutMs } = settings;
    this.#admission = new Admission(settings, { resumes: chat.prepare !== undefined, logsIn: !!people });
    this.#logins =
      people &&
      new Logins(people, handshakeTimeoutMs, (session) => this.#evict(session, 'login', 'log in first'));
    this.#unfinished = new Overdue(messageTimeoutMs, (session) =>
      this.#evict(session, 'message_time', `a message took longer than ${messageTimeoutMs} ms`),
    );
    this.#backpressure = new Backpressure(chat, (session) => this.#watchMessage(session));
    const parts = { chat, metrics: this.metrics, backpressure: this.#backpressure };
    const handlers = new Map([...(typedMessages ?? []), ...(this.#logins?.handlers ?? [])]);
    this.#dispatch = createDispatch(parts, settings, handlers);
    this.#wss = new WebSocketServer(webSocketOptions(settings));
    this.#entrance = new Entrance({
      ...{ wss: this.#wss, admission: this.#admission, chat, logins: this.#logins, metrics: this.metrics },
      handshakesPerSecondMax: settings.handshakesPerSecondMax,
      load: () => ({
        sessions: this.#sessions.size,
        ready: chat.ready,
        lagMs: this.#loopLag.lagMs,
        placesMax: this.#placesMax - this.#kept.size,
      }),
      open: (ws, entry) => this.#open(ws, entry),
    });
    this.#http = createServer(httpOptions(handshakeTimeoutMs));
    this.#http.on('request', createPlainHttp({ endpoints: this.#endpoints(), page: this.#parts.page }));
    this.#http.on('drop', () => this.metrics.rejections.inc({ reason: 'descriptors' }));
    this.#http.on('upgrade', (request, socket, head) => {
      this.#kept.release(socket as Socket);
      this.#entrance.upgrade(request, socket as Socket, head);
    });
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
    await this.#logins?.start();
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
    this.#entrance.endWaits();
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
    await Promise.all([chat.close(), seating?.close(), this.#logins?.close()]);
    for (const server of [this.#http, this.#internal]) {
      server.close();
      server.closeAllConnections();
    }
    return { closedSessions: sessionsAtStart - cutSessions, cutSessions };
  }

  #endpoints(): ReadonlyMap<string, RequestListener> {
    const { routes, seating, people, settings } = this.#parts;
    const endpoints = new Map(routes);
    if (seating) endpoints.set('/connect', seating.connect);
    if (people) {
      const addressOf = (request: IncomingMessage) => this.#logins!.addressOf(request);
      const parts = { accounts: people.accounts, admission: this.#admission, origins: settings.origins };
      endpoints.set('/accounts', accountEndpoint({ ...parts, addressOf }));
    }
    return endpoints;
  }

  /** Closes a connection that never became a session. */
  #turnAway(ws: WebSocket, reason: 'token' | NoPlace, code: number, detail: string): void {
    this.metrics.rejections.inc({ reason });
    ws.on('error', () => {});
    ws.close(code, detail);
  }

  #open(ws: WebSocket, { request, socket, accepted, identified, hasToken }: Entry): void {
    if (!hasToken) return this.#turnAway(ws, 'token', closeCode.policy, 'wrong or missing token');
    const { room, resume } = accepted;
    const { chat, settings, seating } = this.#parts;
    const session = new Session(ws, socket, room, settings, performance.now());
    session.resumable = resume !== undefined;
    const logins = this.#logins;
    if (logins) session.address = logins.addressOf(request);
    if (logins?.required && !identified)
      logins.wait(session, (joined) => this.#joinLater(session, resume, joined));
    else {
      const noPlace = this.#join(session, resume);
      if (noPlace) return this.#turnAway(ws, noPlace, closeCode.overload, noPlaceTexts[noPlace]);
    }
    this.#sessions.add(session);
    ws.on('message', (data, isBinary) => {
      this.#unfinished.end(session);
      this.#dispatch(session, data as Buffer, isBinary);
    });
    // Behind the listener of ws, which has read these bytes by now.
    socket.on('data', () => this.#watchMessage(session));
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
      this.#unfinished.end(session);
      this.#backpressure.forget(session);
      logins?.left(session);
      if (session.joined) {
        seating?.leave(session);
        chat.leave(session.member);
      }
      const code = session.sentCloseCode ?? peerCode;
      // A peer may close with any of thousands of codes; as label values they would be an open set.
      this.metrics.closes.inc({ code: closeCodes.has(code) ? code : 'other' });
    });
    if (identified) logins!.enter(session, identified);
  }

  /** Brings a session into its room. Returns the bound that is reached where it cannot join. */
  #join(session: Session, resume: ResumeRequest | undefined): NoPlace | undefined {
    const noPlace = this.#parts.chat.join(session.member, resume);
    session.joined = noPlace === undefined;
    if (session.joined) this.#parts.seating?.join(session);
    return noPlace;
  }

  /** The same for a session that is open already: it is closed where it cannot join. */
  #joinLater(
    session: Session,
    resume: ResumeRequest | undefined,
    joined: (hasJoined: boolean) => void,
  ): void {
    const { chat } = this.#parts;
    const join = (prepared: boolean) => {
      if (!session.open) return joined(false);
      const noPlace = prepared ? this.#join(session, resume) : 'late';
      joined(noPlace === undefined);
      if (noPlace === undefined) return;
      const reason = noPlace === 'late' ? this.#admission.late().detail : noPlaceTexts[noPlace];
      this.metrics.rejections.inc({ reason: noPlace });
      session.close(closeCode.overload, reason);
    };
    if (chat.prepare) chat.prepare(session.member.room, resume, join);
    else join(true);
  }

  #watchMessage(session: Session): void {
    if (session.insideMessage) this.#unfinished.begin(session);
    else this.#unfinished.end(session);
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
    const sessions = [...this.#sessions].filter(({ joined, member }) => joined && affects(member.room));
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
