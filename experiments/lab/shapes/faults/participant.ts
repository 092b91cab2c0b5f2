/** A person who stays in the chat whatever happens: says numbered things, remembers everything heard, and comes back. */
import { WebSocket } from 'ws';
import { encodeMessage, parseReconnectWaitMs } from '#protocol';

/** One connection, from open to close; the last one of a person has no end. Times are of the one clock of this process. */
export type PersonSession = {
  node: string;
  openedAtMs: number;
  closedAtMs: number | null;
  /** 1006 where the connection was lost without a word. */
  code: number | null;
};

/** Something said: over which node, and when. */
export type Utterance = { key: string; atMs: number; node: string };

/** Where a person may go: asked before every attempt. */
export type Door = () => { node: string; chatUrl: string };

// Chosen, not measured: the pace of a client that wants to be back and does not want to be a storm.
const retryMsMin = 100;
const retryMsMax = 1000;
const handshakeTimeoutMs = 1000;

export class Person {
  readonly name: string;
  readonly sessions: PersonSession[] = [];
  readonly said: Utterance[] = [];
  /** When each thing was heard first. */
  readonly heard = new Map<string, number>();
  duplicated = 0;
  /** Heard after a later one of the same speaker. */
  reordered = 0;
  readonly #door: Door;
  readonly #lastHeardOf = new Map<string, number>();
  #socket: WebSocket | undefined;
  #failures = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  #left = false;

  constructor(name: string, door: Door) {
    this.name = name;
    this.#door = door;
  }

  get connected(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  join(): void {
    const { node, chatUrl } = this.#door();
    const socket = new WebSocket(chatUrl, { perMessageDeflate: false, handshakeTimeout: handshakeTimeoutMs });
    this.#socket = socket;
    let session: PersonSession | undefined;
    socket.on('open', () => {
      this.#failures = 0;
      session = { node, openedAtMs: performance.now(), closedAtMs: null, code: null };
      this.sessions.push(session);
    });
    socket.on('message', (data: Buffer) => this.#hear(data));
    socket.on('error', () => {}); // 'close' follows, with the code.
    socket.on('close', (code, reason) => {
      if (this.#left) return;
      if (session) Object.assign(session, { closedAtMs: performance.now(), code });
      this.#retryTimer = setTimeout(() => this.join(), this.#waitMs(reason.toString()));
    });
  }

  /** Says the next thing; nothing where there is no connection. */
  say(): void {
    if (!this.connected) return;
    const key = `${this.name}:${this.said.length}`;
    this.said.push({ key, atMs: performance.now(), node: this.sessions.at(-1)!.node });
    this.#socket!.send(encodeMessage({ clientId: this.name, Message: key }));
  }

  leave(): void {
    this.#left = true;
    clearTimeout(this.#retryTimer);
    this.#socket?.terminate();
  }

  #waitMs(reason: string): number {
    const asked = parseReconnectWaitMs(reason);
    if (asked !== undefined) return asked;
    const backoffMs = Math.min(retryMsMax, retryMsMin * 2 ** this.#failures++);
    return backoffMs * (0.5 + Math.random() / 2);
  }

  #hear(data: Buffer): void {
    const { clientId, Message: key } = JSON.parse(data.toString()) as { clientId: string; Message: string };
    if (this.heard.has(key)) {
      this.duplicated++;
      return;
    }
    this.heard.set(key, performance.now());
    const number = Number(key.slice(clientId.length + 1));
    if (number < (this.#lastHeardOf.get(clientId) ?? -1)) this.reordered++;
    else this.#lastHeardOf.set(clientId, number);
  }
}
