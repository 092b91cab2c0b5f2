/** A user of the chat, for tests, who asks where to connect, and after every end comes back and resumes. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import {
  type ChatMessage,
  encodePosition,
  type Joined,
  type Position,
  parseJoined,
  parseReconnectWaitMs,
} from '#protocol';

/** Between two attempts after one that failed. */
const retryMs = 50;

export type End = { readonly code: number; readonly atMs: number };

export class ResumingPerson {
  /** The text of every message, in order, over all connections. */
  readonly texts: string[] = [];
  /** The answers to each join, in order. */
  readonly joins: Joined[] = [];
  /** The end of each connection that was open. */
  readonly ends: End[] = [];
  /** `host:port` of the node of the present connection. */
  node = '';
  readonly #room: string;
  readonly #ask: (query: string) => Promise<Response>;
  #ws: WebSocket | undefined;
  #left = false;

  private constructor(room: string, ask: (query: string) => Promise<Response>) {
    this.#room = room;
    this.#ask = ask;
  }

  /** `origins`: `ws://host:port` of the nodes that are asked where to connect, in turn. */
  static async join(origins: readonly string[], room: string): Promise<ResumingPerson> {
    let turn = Math.floor(Math.random() * origins.length);
    const ask = (query: string) =>
      fetch(`${origins[turn++ % origins.length]!.replace(/^ws/, 'http')}/connect?${query}`);
    const person = new ResumingPerson(room, ask);
    const joined = Promise.withResolvers<void>();
    void person.#live(joined.resolve);
    await joined.promise;
    return person;
  }

  /** Leaves for good. */
  async leave(): Promise<void> {
    this.#left = true;
    const ws = this.#ws;
    if (!ws || ws.readyState === WebSocket.CLOSED) return;
    const closed = once(ws, 'close');
    ws.terminate();
    await closed;
  }

  /** Resolves with the address, or undefined where nobody knows one now. */
  async #locate(not: string | undefined): Promise<string | undefined> {
    const query = `room=${this.#room}${not ? `&not=${not}` : ''}`;
    const response = await this.#ask(query).catch(() => undefined);
    if (response?.status !== 200) return void (await response?.body?.cancel());
    return ((await response.json()) as { url: string }).url;
  }

  async #live(onJoined: () => void): Promise<void> {
    let position: Position | undefined;
    let failed: string | undefined;
    while (!this.#left) {
      const url = await this.#locate(failed);
      if (this.#left) return;
      const opened = url !== undefined && (await this.#open(url, position));
      if (!opened) {
        failed = url && new URL(url).host;
        await sleep(retryMs);
        continue;
      }
      failed = undefined;
      const { ws, joined, received, closed } = opened;
      this.#ws = ws;
      this.node = new URL(url).host;
      this.joins.push(joined);
      onJoined();
      const { code, reason } = await closed;
      this.ends.push({ code, atMs: performance.now() });
      position = { epoch: joined.epoch, offset: joined.offset + received() };
      await sleep(parseReconnectWaitMs(reason) ?? 0);
    }
  }

  /** Joins; undefined where it is refused, or where the connection ends before the first frame. */
  async #open(url: string, position: Position | undefined) {
    const ws = new WebSocket(`${url}?after=${position ? encodePosition(position) : ''}`);
    ws.on('error', () => {}); // 'close' follows.
    let count = 0;
    const closed = new Promise<{ code: number; reason: string }>((resolve) => {
      ws.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    const first = new Promise<Joined | undefined>((resolve, reject) => {
      ws.once('message', (data) => {
        const joined = parseJoined(data.toString());
        if (!joined) return reject(new Error(`the first frame is no "joined": ${data}`));
        resolve(joined);
        ws.on('message', (message) => {
          count++;
          this.texts.push((JSON.parse(message.toString()) as ChatMessage).Message);
        });
      });
      void closed.then(() => resolve(undefined));
    });
    const joined = await first;
    return joined && { ws, joined, received: () => count, closed };
  }
}
