/** HTTP, upgrade, sessions, drain: the same for every stage. What becomes of a message is the stage's affair. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, ListenOptions as NetListenOptions, Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { type WebSocket, WebSocketServer } from 'ws';
import {
  closeCode,
  decodeMessage,
  encodeReconnectReason,
  framePayloadBytesMax,
  isDecodeFault,
} from '#protocol';
import type { Chat } from '../chat/chat.ts';
import { createInternalServer } from '../ops/internal-http.ts';
import { createMetrics, type Metrics } from '../ops/metrics.ts';
import type { Config } from '../settings.ts';
import type { Stage } from '../stages/stage.ts';
import { admit, hasToken, isRefusal, type Refusal, refuse } from './admission.ts';
import { startHeartbeat } from './heartbeat.ts';
import { Session } from './session.ts';

/** `ws`'s own default, which is as much of a bound as 01-naive has. */
const unboundedPayloadBytes = 100 * 1024 * 1024;
/** Above any segment, so that a write which the kernel takes at once never costs a `drain` tick. */
const socketHighWaterMarkBytes = 1024 * 1024;
/** Connections waiting to be accepted; the kernel caps it at net.core.somaxconn, 4096 on current Linux. */
const acceptBacklog = 4096;
const lagSampleMs = 250;

export type ListenOptions = { readonly reusePort?: boolean };

export class ChatServer {
  readonly metrics: Metrics;
  readonly #config: Config;
  readonly #stage: Stage;
  readonly #chat: Chat;
  readonly #log: Logger;
  readonly #http: Server;
  readonly #internal: Server;
  readonly #wss: WebSocketServer;
  readonly #sessions = new Set<Session>();
  #stopHeartbeat = () => {};
  #lagTimer: NodeJS.Timeout | undefined;
  #lagMs = 0;
  #draining = false;

  constructor(config: Config, stage: Stage, log: Logger) {
    this.#config = config;
    this.#stage = stage;
    this.#log = log;
    this.metrics = createMetrics(stage.name, {
      sessions: () => this.#sessions.size,
      rooms: () => this.#chat.rooms,
    });
    this.#chat = stage.compose(config, this.metrics);
    const webSocketOptions = {
      noServer: true,
      clientTracking: false,
      // Stages from 03 on write frames to the socket themselves, between those of ws: with compression on, ws would
      // hold frames back and mix up their order.
      perMessageDeflate: false,
      maxPayload: stage.bounded ? framePayloadBytesMax(config) : unboundedPayloadBytes,
      // From our close frame on: ws would let a peer that does not answer stay for 30 s, and outside sessionsMax.
      closeTimeout: config.evictionGraceMs,
    };
    this.#wss = new WebSocketServer(webSocketOptions);
    this.#http = createServer(
      stage.bounded
        ? {
            headersTimeout: config.handshakeTimeoutMs,
            requestTimeout: config.handshakeTimeoutMs,
            connectionsCheckingInterval: Math.max(50, config.handshakeTimeoutMs / 4),
            maxHeaderSize: 8192,
            highWaterMark: socketHighWaterMarkBytes,
          }
        : { highWaterMark: socketHighWaterMarkBytes },
      (request, response) => {
        const upgradable = request.url === '/ws' || request.url?.startsWith('/ws/');
        response.writeHead(upgradable ? 426 : 404, { connection: 'close' });
        response.end(
          upgradable ? 'this is a WebSocket endpoint\n' : 'not found: join at /ws or /ws/<room>\n',
        );
      },
    );
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket as Socket, head));
    this.#internal = createInternalServer(this.metrics.registry, () => this.ready);
  }

  /** True while new sessions are welcome: not draining, and messages flow. */
  get ready(): boolean {
    return !this.#draining && this.#chat.ready;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  /** Brings up the chat and both listeners; rejects when a port is taken or a service cannot be reached. */
  async listen(options: ListenOptions = {}): Promise<{ chat: AddressInfo; internal: AddressInfo }> {
    const { host, port, internalHost, internalPort, heartbeatIntervalMs } = this.#config;
    await this.#chat.start((reason) => void this.#interrupt(reason));
    await listening(this.#http, {
      host,
      port,
      backlog: acceptBacklog,
      reusePort: options.reusePort ?? false,
    });
    await listening(this.#internal, { host: internalHost, port: internalPort });
    if (this.#stage.bounded) {
      this.#stopHeartbeat = startHeartbeat(this.#sessions, heartbeatIntervalMs, (session) =>
        this.#bury(session),
      );
      this.#watchLag();
    }
    return { chat: this.#http.address() as AddressInfo, internal: this.#internal.address() as AddressInfo };
  }

  /** Unready and closed to newcomers from now on; the sessions that are in stay. */
  closeDoor(): void {
    this.#draining = true;
  }

  /** Drains within the deadline: unready, then sessions told to come back in batches, then closed for good. */
  async drain(
    drainDeadlineMs = this.#config.drainDeadlineMs,
  ): Promise<{ closedSessions: number; cutSessions: number }> {
    this.closeDoor();
    const deadlineMs = performance.now() + drainDeadlineMs;
    const sessionsAtStart = this.#sessions.size;
    if (this.#stage.bounded) {
      await delay(Math.min(this.#config.drainNoticeMs, drainDeadlineMs));
      await this.#closeInBatches(deadlineMs);
    } else {
      for (const session of this.#sessions) session.close(closeCode.goingAway, 'server is going away');
    }
    while (this.#sessions.size > 0 && performance.now() < deadlineMs) await delay(10);
    const cutSessions = this.#sessions.size;
    for (const session of this.#sessions) session.ws.terminate();
    this.#stopHeartbeat();
    clearInterval(this.#lagTimer);
    await this.#chat.close();
    this.#http.close();
    this.#http.closeAllConnections();
    this.#internal.close();
    this.#internal.closeAllConnections();
    return { closedSessions: sessionsAtStart - cutSessions, cutSessions };
  }

  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const admission = admit(request, this.#config, this.#stage.bounded, {
      sessions: this.#sessions.size,
      draining: this.#draining,
      ready: this.#chat.ready,
      overloaded: this.#lagMs > this.#config.overloadLagMs,
    });
    if (isRefusal(admission)) return this.#reject(socket, admission);
    this.#wss.handleUpgrade(request, socket, head, (ws) => {
      if (this.#stage.bounded && !hasToken(request, this.#config.token)) {
        this.metrics.rejections.inc({ reason: 'token' });
        ws.on('error', ignore);
        ws.close(closeCode.policy, 'wrong or missing token');
        return;
      }
      this.#open(ws, socket, admission.room);
    });
  }

  #reject(socket: Socket, refusal: Refusal): void {
    this.metrics.rejections.inc({ reason: refusal.reason });
    refuse(socket, refusal);
  }

  #open(ws: WebSocket, socket: Socket, room: string): void {
    const session = new Session(ws, socket, room, this.#config.messagesBurstMax, performance.now());
    if (!this.#chat.join(session)) {
      this.metrics.rejections.inc({ reason: 'rooms' });
      ws.on('error', ignore);
      ws.close(closeCode.overload, 'no place for another room');
      return;
    }
    this.#sessions.add(session);
    ws.on('message', (data, isBinary) => this.#receive(session, data as Buffer, isBinary));
    ws.on('pong', () => {
      session.alive = true;
    });
    // A broken frame: ws itself answers with the close code and hears no more, so that `close` would say 1006.
    ws.on('error', (error: NodeJS.ErrnoException) => {
      session.saidCode ??= codesOfBrokenFrames[error.code ?? ''] ?? 1002;
    });
    ws.on('close', (code) => this.#forget(session, session.saidCode ?? code));
  }

  #forget(session: Session, code: number): void {
    this.#sessions.delete(session);
    this.#chat.leave(session);
    this.metrics.closes.inc({ code: knownCodes.has(code) ? code : 'other' });
  }

  #receive(session: Session, data: Buffer, isBinary: boolean): void {
    if (!session.open) return; // Said after the goodbye: the connection is over for both sides.
    session.alive = true;
    const { messagesPerSecondMax, messagesBurstMax } = this.#config;
    if (isBinary) return session.close(closeCode.unsupportedData, 'send text, not binary');
    if (this.#stage.bounded && !session.allows(performance.now(), messagesPerSecondMax, messagesBurstMax)) {
      return session.close(closeCode.policy, `more than ${messagesPerSecondMax} messages per second`);
    }
    const message = decodeMessage(data.toString(), this.#stage.bounded ? this.#config : noLimits);
    if (isDecodeFault(message)) {
      const code = message.fault === 'too-large' ? closeCode.tooLarge : closeCode.malformed;
      return session.close(code, message.detail);
    }
    if (this.#chat.publish(session, message)) this.metrics.messagesReceived.inc();
    else session.close(closeCode.overload, 'try again later');
  }

  #bury(session: Session): void {
    this.metrics.evictions.inc({ reason: 'dead_peer' });
    session.ws.terminate();
  }

  async #interrupt(reason: string): Promise<void> {
    this.#log.warn(
      { event: 'interrupted', reason, sessions: this.#sessions.size },
      'sessions are told to come back',
    );
    this.metrics.evictions.inc({ reason: 'interrupted' }, this.#sessions.size);
    await this.#closeInBatches(performance.now() + this.#config.drainDeadlineMs);
  }

  /** Tells the sessions of this moment to reconnect after a jittered wait, some at a time; the slow get until the deadline. */
  async #closeInBatches(deadlineMs: number): Promise<void> {
    const { drainBatchSessions, drainBatchIntervalMs, reconnectWaitMsMax } = this.#config;
    let waiting = [...this.#sessions];
    while (waiting.length > 0) {
      const late = performance.now() >= deadlineMs;
      const kept: Session[] = [];
      for (const session of waiting.splice(0, drainBatchSessions)) {
        if (!late && session.open && !this.#chat.finish(session)) kept.push(session);
        else session.close(closeCode.restart, encodeReconnectReason(Math.random() * reconnectWaitMsMax));
      }
      waiting = waiting.concat(kept);
      if (waiting.length > 0 && !late) await delay(drainBatchIntervalMs);
    }
  }

  /** A timer that comes late tells how long the event loop was busy with something else. */
  #watchLag(): void {
    let dueAtMs = performance.now() + lagSampleMs;
    this.#lagTimer = setInterval(() => {
      const nowMs = performance.now();
      this.#lagMs = Math.max(0, nowMs - dueAtMs);
      dueAtMs = nowMs + lagSampleMs;
    }, lagSampleMs);
    this.#lagTimer.unref();
  }
}

/** A peer may close with any of thousands of codes; as labels they would be an open set. */
const knownCodes = new Set<number>([1000, 1002, 1005, 1006, 1011, ...Object.values(closeCode)]);

/** What ws closes with when it refuses a frame, by its error; for every other one it is 1002. */
const codesOfBrokenFrames: Readonly<Record<string, number>> = {
  WS_ERR_INVALID_UTF8: closeCode.malformed,
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: closeCode.tooLarge,
  WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH: closeCode.tooLarge,
  WS_ERR_TOO_MANY_BUFFERED_PARTS: closeCode.policy,
};

const noLimits = { clientIdCharsMax: Number.POSITIVE_INFINITY, messageBytesMax: Number.POSITIVE_INFINITY };

function ignore(): void {}

/** Listens and resolves; rejects with the system's error, such as EADDRINUSE. */
function listening(server: Server, options: NetListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
