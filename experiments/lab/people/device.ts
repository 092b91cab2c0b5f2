/**
 * A device of a person, over the real wire: it logs in, sends direct messages and frames of posts, and says
 * how far it has received. Nothing is retried here: whoever drives it decides that.
 */
import { WebSocket } from 'ws';
import {
  type Credentials,
  type DirectMessage,
  encodeLogin,
  type LoginAck,
  parseLoginAck,
  readDirectFrame,
  type ServerAck,
} from '#protocol';

/** Told to whoever drives the device. */
export type DeviceListener = {
  /** A message from its mailbox. It has been counted as received. */
  message?(message: DirectMessage, device: Device): void;
  ack?(ack: ServerAck, device: Device): void;
  /** The server says that these messages are gone. */
  gap?(from: number, to: number, device: Device): void;
  /** Any other typed frame. */
  other?(frame: Readonly<Record<string, unknown>>, device: Device): void;
  /** The connection of a login that was good has ended. */
  closed?(code: number, reason: string, device: Device): void;
};

/** How a device logs in: with its password, or with the token of an earlier login. */
export type LoginBy = 'password' | 'token';

/** Chosen, not measured: many times what a login takes where the server is not overloaded. */
const loginTimeoutMs = 30_000;

export class Device {
  readonly person: Credentials;
  readonly name: string;
  /** The highest number of the mailbox that it has. */
  upTo = 0;
  /** Of the last login by password. */
  token: string | undefined;
  readonly #listener: DeviceListener;
  #socket: WebSocket | undefined;
  #toldUpTo = 0;
  #isTelling = false;

  constructor(person: Credentials, listener: DeviceListener, name = 'd') {
    this.person = person;
    this.#listener = listener;
    this.name = name;
  }

  /** Whether it can send. */
  get isIn(): boolean {
    return this.#socket !== undefined && this.#socket.readyState === WebSocket.OPEN;
  }

  /** One attempt. Resolves with the answer; rejects where none came. Only after `ok` it is connected. */
  logIn(chatUrl: string, by: LoginBy = 'password', timeoutMs = loginTimeoutMs): Promise<LoginAck> {
    const { promise, resolve, reject } = Promise.withResolvers<LoginAck>();
    const byToken = by === 'token' && this.token !== undefined;
    const url = byToken ? `${chatUrl}?login=${this.token}&upTo=${this.upTo}` : chatUrl;
    const socket = new WebSocket(url, { perMessageDeflate: false, handshakeTimeout: timeoutMs });
    const timer = setTimeout(() => socket.terminate(), timeoutMs);
    let isIn = false;
    socket.on('open', () => {
      if (!byToken) socket.send(encodeLogin({ ...this.person, device: this.name, upTo: this.upTo }));
    });
    socket.on('message', (data: Buffer) => {
      const text = data.toString();
      if (isIn) return this.#take(text);
      const ack = parseLoginAck(text);
      if (ack === undefined) return;
      clearTimeout(timer);
      if (ack.result === 'ok') {
        isIn = true;
        this.#socket = socket;
        this.#toldUpTo = this.upTo;
        this.token = ack.token ?? this.token;
      } else socket.close();
      resolve(ack);
    });
    let failure = '';
    socket.on('error', (error) => {
      failure = error.message;
    });
    socket.on('close', (code, reason) => {
      clearTimeout(timer);
      if (!isIn) return reject(new Error(failure || `closed with ${code} ${reason} before the login`));
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#listener.closed?.(code, reason.toString(), this);
    });
    return promise;
  }

  /** Sends a message to a person; again under the same id where it has no answer. False if not connected. */
  send(to: string, id: string, text: string): boolean {
    return this.write({ type: 'message', to, id, Message: text });
  }

  /** Sends any typed frame. False if not connected. */
  write(frame: Readonly<Record<string, unknown>>): boolean {
    if (!this.isIn) return false;
    this.#socket!.send(JSON.stringify(frame));
    return true;
  }

  /** Tells how far it has received, and ends the connection in order. */
  leave(): void {
    this.#tell();
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  /** Ends the connection without a word, as a phone that loses its network. */
  drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.terminate();
  }

  #take(text: string): void {
    const value = Object(JSON.parse(text)) as Readonly<Record<string, unknown>>;
    const frame = readDirectFrame(value);
    if (frame?.type === 'message') {
      this.upTo = Math.max(this.upTo, frame.seq);
      this.#tellSoon();
      this.#listener.message?.(frame, this);
    } else if (frame?.type === 'server_ack') this.#listener.ack?.(frame, this);
    else if (frame?.type === 'gap') {
      this.upTo = Math.max(this.upTo, frame.to);
      this.#listener.gap?.(frame.from, frame.to, this);
    } else this.#listener.other?.(value, this);
  }

  /** One `received` for all that one turn of the event loop has brought. */
  #tellSoon(): void {
    if (this.#isTelling) return;
    this.#isTelling = true;
    setImmediate(() => {
      this.#isTelling = false;
      this.#tell();
    });
  }

  #tell(): void {
    if (this.#toldUpTo === this.upTo || !this.write({ type: 'received', upTo: this.upTo })) return;
    this.#toldUpTo = this.upTo;
  }
}
