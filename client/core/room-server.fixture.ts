/** A chat server of a few lines for the client's tests: one room for every path, and the tests' hands on its sockets. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { decodeMessage, defaultMessageLimits, encodeMessage, isDecodeFault } from '#protocol';
import type { ChatClient, ChatEvents, Clock } from './chat-client.ts';

export class RoomServer {
  readonly #http = createServer();
  readonly #webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  /** Every handshake, in order. */
  readonly handshakes: IncomingMessage[] = [];
  /** When set, the raw HTTP response that answers handshakes in place of the upgrade. */
  refusal: string | undefined;
  /** What becomes of a message; everybody hears it. */
  relay = (clientId: string, message: string): void => this.say(clientId, message);

  /** Listens on 127.0.0.1; port 0 takes any that is free. */
  static async start(port = 0): Promise<RoomServer> {
    const server = new RoomServer();
    server.#http.on('upgrade', (request, socket, head) => {
      server.handshakes.push(request);
      if (server.refusal !== undefined) return socket.end(server.refusal);
      server.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
        webSocket.on('message', (data) => {
          const message = decodeMessage(data.toString(), defaultMessageLimits);
          if (!isDecodeFault(message)) server.relay(message.clientId, message.Message);
        });
      });
    });
    server.#http.listen(port, '127.0.0.1');
    await once(server.#http, 'listening');
    return server;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/ws`;
  }

  say(clientId: string, message: string): void {
    this.sayRaw(encodeMessage({ clientId, Message: message }));
  }

  sayRaw(text: string): void {
    for (const socket of this.#webSockets.clients) socket.send(text);
  }

  closeAll(code: number, reason = ''): void {
    for (const socket of this.#webSockets.clients) socket.close(code, reason);
  }

  /** Breaks every connection without a closing handshake. */
  cutAll(): void {
    for (const socket of this.#webSockets.clients) socket.terminate();
  }

  /** Stops reading and answering, as a frozen process would. */
  freezeAll(): void {
    for (const socket of this.#webSockets.clients) socket.pause();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cutAll();
    this.#http.closeAllConnections();
    await new Promise((done) => this.#http.close(done));
  }
}

/** A clock that stands still until a test moves it. */
export class HandClock implements Clock {
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

  /** Runs what falls due on the way, in order. */
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
export async function nextEvent<Name extends keyof ChatEvents>(
  client: ChatClient,
  name: Name,
): Promise<ChatEvents[Name][0]> {
  const [value] = await once(client.events, name);
  return value;
}
