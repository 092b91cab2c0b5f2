/** A small chat server for the tests of the client: one room for all paths, and its sockets under control. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import {
  decodeMessage,
  defaultMessageLimits,
  encodeJoined,
  encodeMessage,
  isDecodeFault,
  parsePosition,
} from '#protocol';
import type { ChatClient, ChatEvents } from './chat-client.ts';
import type { Clock } from './clock.ts';

export class RoomServer {
  readonly #http = createServer();
  readonly #webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  /** Every handshake, in order. */
  readonly handshakes: IncomingMessage[] = [];
  /** If set, the raw HTTP response that refuses every handshake. */
  refusal: string | undefined;
  /** The raw HTTP response that refuses a handshake with that path; undefined admits it. */
  refuse = (_path: string): string | undefined => this.refusal;
  /** Handles a session that has just opened. */
  welcome = (_socket: WebSocket, _path: string): void => {};
  /** Handles a frame that is no chat message. */
  typed = (_socket: WebSocket, _text: string): void => {};
  /** Handles an HTTP request; true where it has answered. */
  answer = (_request: IncomingMessage, _response: ServerResponse): boolean => false;
  /** Set: the server keeps a log of all messages, and who comes back hears what it missed. */
  epoch: string | undefined;
  readonly log: string[] = [];
  /** The answers of its connect service, in turn; the last one stays. None: there is no such service. */
  connectAnswers: { status: number; headers?: Record<string, string>; body?: string }[] = [];
  readonly connectRequests: string[] = [];
  /** Handles a message; by default it goes to all. */
  relay = (clientId: string, message: string): void => this.say(clientId, message);

  /** Listens on 127.0.0.1, at a free port. */
  static async start(): Promise<RoomServer> {
    const server = new RoomServer();
    server.#http.on('request', (request, response) => {
      if (server.answer(request, response)) return;
      server.connectRequests.push(request.url ?? '');
      const [answer = { status: 404 }] = server.connectAnswers;
      if (server.connectAnswers.length > 1) server.connectAnswers.shift();
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
    server.#http.on('upgrade', (request, socket, head) => {
      server.handshakes.push(request);
      const refusal = server.refuse(request.url ?? '');
      if (refusal !== undefined) return socket.end(refusal);
      server.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
        server.#join(webSocket, request.url ?? '');
        server.welcome(webSocket, request.url ?? '');
        webSocket.on('message', (data) => {
          const message = decodeMessage(data.toString(), defaultMessageLimits);
          if (isDecodeFault(message)) server.typed(webSocket, data.toString());
          else server.relay(message.clientId, message.Message);
        });
      });
    });
    server.#http.listen(0, '127.0.0.1');
    await once(server.#http, 'listening');
    return server;
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#http.address() as AddressInfo).port}/ws`;
  }

  say(clientId: string, message: string): void {
    this.sayRaw(encodeMessage({ clientId, Message: message }));
  }

  sayRaw(text: string): void {
    this.log.push(text);
    for (const socket of this.#webSockets.clients) socket.send(text);
  }

  #join(socket: WebSocket, path: string): void {
    const after = new URL(path, 'ws://any').searchParams.get('after');
    if (this.epoch === undefined || after === null) return;
    const asked = parsePosition(after);
    const recovered = asked?.epoch === this.epoch && asked.offset <= this.log.length;
    const offset = recovered ? asked.offset : this.log.length;
    socket.send(encodeJoined({ room: 'tea', epoch: this.epoch, offset, recovered }));
    for (const text of this.log.slice(offset)) socket.send(text);
  }

  closeAll(code: number, reason = ''): void {
    for (const socket of this.#webSockets.clients) socket.close(code, reason);
  }

  /** Ends every connection without a closing handshake. */
  cutAll(): void {
    for (const socket of this.#webSockets.clients) socket.terminate();
  }

  /** Stops reading and answering, like a frozen process. */
  freezeAll(): void {
    for (const socket of this.#webSockets.clients) socket.pause();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cutAll();
    this.#http.closeAllConnections();
    await new Promise((done) => this.#http.close(done));
  }
}

/** A clock that only a test moves. */
export class ManualClock implements Clock {
  #nowMs = 0;
  readonly #timers = new Set<{ readonly atMs: number; readonly act: () => void }>();

  nowMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, act: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, act };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Runs the timers that fall due meanwhile, in order. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    for (;;) {
      const due = [...this.#timers].filter((timer) => timer.atMs <= untilMs);
      const next = due.sort((a, b) => a.atMs - b.atMs)[0];
      if (!next) break;
      this.#timers.delete(next);
      this.#nowMs = next.atMs;
      next.act();
    }
    this.#nowMs = untilMs;
  }
}

/** The next event of that name. */
export function nextEvent<Name extends keyof ChatEvents>(
  client: ChatClient,
  name: Name,
): Promise<ChatEvents[Name]> {
  return new Promise((resolve) => {
    const stop = client.events.on(name, (value) => {
      stop();
      resolve(value);
    });
  });
}
