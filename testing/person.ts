/** A user of the chat, for tests: a WebSocket that keeps all that it received. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type ClientOptions, WebSocket } from 'ws';
import { type ChatMessage, encodeMessage } from '#protocol';

const hearsDeadlineMs = 10_000;
/** In ms. */
const handshakeTimeout = 10_000;

/** A person in a room, with everything heard and how the session ended. */
export class Person {
  readonly ws: WebSocket;
  readonly clientId: string;
  /** The text of every frame, in order. */
  readonly heard: string[] = [];
  readonly closed: Promise<{ code: number; reason: string }>;
  #onHeard = (): unknown => undefined;

  private constructor(ws: WebSocket, clientId: string) {
    this.ws = ws;
    this.clientId = clientId;
    this.closed = new Promise((resolve) => {
      ws.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    ws.on('message', (data) => {
      this.heard.push(data.toString());
      this.#onHeard();
    });
    ws.on('error', () => {}); // 'close' follows.
  }

  /** Joins; rejects when the connection is refused. */
  static async join(url: string, clientId: string, options: ClientOptions = {}): Promise<Person> {
    const ws = new WebSocket(url, { perMessageDeflate: false, handshakeTimeout, ...options });
    const person = new Person(ws, clientId);
    await once(ws, 'open');
    return person;
  }

  /** Several people join the same room, each under its own id. */
  static joinAll(url: string, ids: readonly string[]): Promise<Person[]> {
    return Promise.all(ids.map((id) => Person.join(url, id)));
  }

  /** The text of every message, in order. */
  get texts(): string[] {
    return this.messages.map(({ Message }) => Message);
  }

  get messages(): ChatMessage[] {
    return this.heard.map((text) => JSON.parse(text) as ChatMessage);
  }

  say(message: string): void {
    this.ws.send(encodeMessage({ clientId: this.clientId, Message: message }));
  }

  /** Waits until at least `count` frames were heard; rejects after ten seconds. */
  async hears(count: number): Promise<this> {
    if (this.heard.length >= count) return this;
    const heard = Promise.withResolvers<void>();
    const late = () => new Error(`${this.clientId} heard ${this.heard.length} of ${count} frames`);
    const timer = setTimeout(() => heard.reject(late()), hearsDeadlineMs);
    this.#onHeard = () => this.heard.length >= count && heard.resolve();
    return heard.promise.then(() => this).finally(() => clearTimeout(timer));
  }

  /** Closes the session and waits until it is closed. */
  async leave(): Promise<void> {
    this.ws.close(1000);
    await this.closed;
  }
}

export type Refused = { readonly status: number; readonly headers: IncomingMessage['headers'] };

/** Asks for a session that the server should refuse: resolves with the HTTP answer, rejects if one opens. */
export function refusedAt(url: string, options: ClientOptions = {}): Promise<Refused> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(url, options);
    ws.on('error', reject); // Without effect once the answer is here: it follows from `terminate` below.
    ws.on('open', () => {
      ws.terminate();
      reject(new Error(`${url} opened a session`));
    });
    ws.on('unexpected-response', (_request, response) => {
      resolve({ status: response.statusCode ?? 0, headers: response.headers });
      ws.terminate();
    });
  });
}
