/** A client that stays in the chat through a failure: it publishes, records deliveries, and reconnects. */
import { WebSocket } from 'ws';
import {
  encodeMessage,
  encodePosition,
  type Joined,
  type Position,
  parseJoined,
  parseReconnectWaitMs,
} from '#protocol';

/** One connection; the last one of a participant has no end. Times are of the one clock of this process. */
export type Connection = {
  node: string;
  openedAtMs: number;
  closedAtMs: number | null;
  /** 1006 where the connection was lost without a close frame. */
  code: number | null;
  /** Of a participant that resumes, once it has been told whether it missed nothing: true or false. */
  recovered?: boolean;
};

/** One message published, with the node that took it. */
export type Publish = { key: string; atMs: number; node: string };

/** Chooses the node of the next connection; called before every attempt. */
export type ChooseNode = () => { node: string; chatUrl: string };

// Chosen, not measured: fast enough to measure recovery, slow enough not to flood a node that starts.
const retryMsMin = 100;
const retryMsMax = 1000;
const handshakeTimeoutMs = 1000;

export class Participant {
  readonly name: string;
  readonly connections: Connection[] = [];
  readonly published: Publish[] = [];
  /** First receipt of each message, by its key. */
  readonly receivedAtMs = new Map<string, number>();
  duplicated = 0;
  /** Received after a later message of the same sender. */
  reordered = 0;
  readonly #choose: ChooseNode;
  readonly #random: () => number;
  /** Its place in the log of the room; undefined before it was told, and where it does not resume. */
  #position: Position | undefined;
  readonly resumes: boolean;
  readonly #newestOf = new Map<string, number>();
  #socket: WebSocket | undefined;
  #failures = 0;
  #retryTimer: NodeJS.Timeout | undefined;
  #left = false;

  /** `resumes`: it comes back with its position, on a stage that tells it one. */
  constructor(name: string, choose: ChooseNode, random: () => number, resumes = false) {
    this.resumes = resumes;
    this.name = name;
    this.#choose = choose;
    this.#random = random;
  }

  get connected(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  join(): void {
    const { node, chatUrl } = this.#choose();
    const after = this.#position === undefined ? '' : encodePosition(this.#position);
    const url = this.resumes ? `${chatUrl}?after=${after}` : chatUrl;
    const socket = new WebSocket(url, { perMessageDeflate: false, handshakeTimeout: handshakeTimeoutMs });
    this.#socket = socket;
    let connection: Connection | undefined;
    socket.on('open', () => {
      this.#failures = 0;
      connection = { node, openedAtMs: performance.now(), closedAtMs: null, code: null };
      this.connections.push(connection);
    });
    socket.on('message', (data: Buffer) => this.#receive(data.toString(), connection));
    socket.on('error', () => {}); // 'close' follows, with the code.
    socket.on('close', (code, reason) => {
      if (this.#left) return;
      if (connection) Object.assign(connection, { closedAtMs: performance.now(), code });
      this.#retryTimer = setTimeout(() => this.join(), this.#waitMs(reason.toString()));
    });
  }

  /** Publishes the next message; does nothing without a connection. */
  publish(): void {
    if (!this.connected) return;
    const key = `${this.name}:${this.published.length}`;
    this.published.push({ key, atMs: performance.now(), node: this.connections.at(-1)!.node });
    this.#socket!.send(encodeMessage({ clientId: this.name, Message: key }));
  }

  leave(): void {
    this.#left = true;
    clearTimeout(this.#retryTimer);
    this.#socket?.terminate();
  }

  #told({ epoch, offset, recovered }: Joined, connection: Connection): void {
    connection.recovered = recovered;
    this.#position = { epoch, offset };
  }

  #waitMs(reason: string): number {
    const asked = parseReconnectWaitMs(reason);
    if (asked !== undefined) return asked;
    const backoffMs = Math.min(retryMsMax, retryMsMin * 2 ** this.#failures++);
    return backoffMs * (0.5 + this.#random() / 2);
  }

  #receive(text: string, connection: Connection | undefined): void {
    const joined = this.resumes ? parseJoined(text) : undefined;
    if (joined !== undefined) {
      this.#told(joined, connection!);
      return;
    }
    if (this.#position !== undefined)
      this.#position = { ...this.#position, offset: this.#position.offset + 1 };
    const { clientId, Message: key } = JSON.parse(text) as { clientId: string; Message: string };
    if (this.receivedAtMs.has(key)) {
      this.duplicated++;
      return;
    }
    this.receivedAtMs.set(key, performance.now());
    const number = Number(key.slice(clientId.length + 1));
    if (number < (this.#newestOf.get(clientId) ?? -1)) this.reordered++;
    else this.#newestOf.set(clientId, number);
  }
}
