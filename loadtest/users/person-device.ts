/**
 * One device of a person: its connection, its login, its place in the mailbox. What it hears goes to the
 * events of its pool. Hot path.
 */
import { encodeLogin } from '#protocol';
import type { MailboxCursor, ReceivedMessage } from '../audit/mailbox-audit.ts';
import type { Endpoint } from '../model/assignment.ts';
import { nameOfDevice, nameOfPerson, passwordOf } from '../model/people.ts';
import { type ConnectionOwner, TextConnection } from '../wire/text-connection.ts';

/**
 * `queued`: it waits for a free handshake, or for another attempt. `in`: it is logged in. `gone`: the server
 * closed it in a way after which it does not come back by itself.
 */
export type DeviceState = 'away' | 'queued' | 'connecting' | 'login' | 'in' | 'gone';

/** Why it comes: for the first time, for a visit, for a short look, in a storm, or at the end of the run. */
export type Purpose = 'enroll' | 'visit' | 'look-in' | 'storm' | 'end';

/** Any frame of a server. Each field may be anything. */
export type ServerFrame = Readonly<Record<string, unknown>> & ReceivedMessage;

/** Events of all devices of a worker. */
export type DeviceEvents = {
  opened(device: PersonDevice): void;
  refused(device: PersonDevice, why: string, retryAfterMs?: number): void;
  closed(device: PersonDevice, code: number, reason: string): void;
  /** Any frame but a text that is no JSON object. */
  frame(device: PersonDevice, frame: ServerFrame): void;
  reading(): void;
  read(device: PersonDevice): void;
};

/** Text frames of a server at most, in bytes. A larger one ends the connection. Chosen, not measured. */
const messageBytesMax = 1_048_576;

export class PersonDevice implements MailboxCursor, ConnectionOwner {
  readonly person: number;
  readonly device: number;
  /** Among the devices of this worker. */
  readonly index: number;
  readonly name: string;
  state: DeviceState = 'away';
  purpose: Purpose = 'enroll';
  seqMax = 0;
  /** What it has told the server: up to where it has received. */
  seqTold = 0;
  /** The highest version of a receipt. */
  version = 0;
  /** Of its last login by password; empty without one. */
  token = '';
  /** Failed attempts in a row. */
  attempts = 0;
  /** When it wanted to come, when it asked to be logged in, and when that was granted; in µs. */
  wantedUs = 0;
  askedUs = 0;
  inUs = Number.POSITIVE_INFINITY;
  /** When everything that waited had come; infinite before. */
  caughtUpUs = Number.POSITIVE_INFINITY;
  /** Messages that waited when it logged in and have not come yet. */
  waiting = 0;
  /** The times of this coming belong to the measure phase. */
  isMeasured = false;
  /** Its place among the devices that are logged in; −1: it is not. */
  inIndex = -1;
  /** It has received something and has not said so yet; the frames `read` that it says then. */
  isUntold = false;
  readonly reads: string[] = [];
  /** Keys of its messages that the server has not answered. */
  readonly unanswered = new Set<number>();
  readonly #prefix: string;
  readonly #events: DeviceEvents;
  #connection: TextConnection | null = null;
  #timer: NodeJS.Timeout | undefined;

  constructor(prefix: string, person: number, device: number, index: number, events: DeviceEvents) {
    this.#prefix = prefix;
    this.person = person;
    this.device = device;
    this.index = index;
    this.name = nameOfPerson(prefix, person);
    this.#events = events;
  }

  /** Connects; with a token it is logged in by that. */
  connect(endpoint: Endpoint): void {
    this.state = 'connecting';
    const url = this.token === '' ? endpoint.url : this.#withToken(endpoint.url);
    this.#connection = new TextConnection({ ...endpoint, url }, messageBytesMax, this);
  }

  /** Asks to be logged in by password. */
  login(): void {
    const { name: user, version: receiptsAfter, seqMax: upTo } = this;
    const positions = upTo + receiptsAfter === 0 ? {} : { upTo, receiptsAfter };
    const device = nameOfDevice(this.device);
    this.send(encodeLogin({ user, password: passwordOf(this.#prefix, this.person), device, ...positions }));
  }

  /** Says how far it has received, where that is news, and what was read. */
  tellReceived(): void {
    this.isUntold = false;
    if (this.state === 'in' && this.seqMax > this.seqTold) {
      this.seqTold = this.seqMax;
      this.send(`{"type":"received","upTo":${this.seqMax}}`);
    }
    if (this.reads.length === 0) return;
    if (this.state === 'in') for (const read of this.reads) this.send(read);
    this.reads.length = 0;
  }

  send(text: string): void {
    this.#connection?.send(text);
  }

  /** Bytes that wait in this process because the kernel's send buffer is full. */
  get bufferedBytes(): number {
    return this.#connection?.bufferedBytes ?? 0;
  }

  get connected(): boolean {
    return this.#connection?.connected ?? false;
  }

  /** Does that after some time, in place of whatever it would have done later. */
  later(ms: number, action: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(action, ms);
  }

  /** Does nothing later. */
  stay(): void {
    clearTimeout(this.#timer);
  }

  /** Closes in order. */
  close(): void {
    this.#leave();
    this.#connection?.close();
  }

  /** Drops the connection, as a network does that fails. */
  drop(): void {
    this.#leave();
    this.#connection?.destroy();
    this.#connection = null;
  }

  opened(): void {
    this.#events.opened(this);
  }

  refused(why: string, retryAfterMs?: number): void {
    this.#leave();
    this.#events.refused(this, why, retryAfterMs);
  }

  closed(code: number, reason: string): void {
    this.#leave();
    this.#events.closed(this, code, reason);
  }

  message(bytes: Buffer, start: number, end: number): void {
    const frame = parse(bytes.toString('utf8', start, end));
    if (frame !== undefined) this.#events.frame(this, frame);
  }

  reading(): void {
    this.#events.reading();
  }

  read(): void {
    this.#events.read(this);
  }

  #leave(): void {
    clearTimeout(this.#timer);
    this.inUs = Number.POSITIVE_INFINITY;
    this.caughtUpUs = Number.POSITIVE_INFINITY;
    // What it has told on a connection that is gone may not have arrived; the next login tells it again.
    this.seqTold = this.seqMax;
  }

  #withToken(url: URL): URL {
    const own = new URL(url);
    own.searchParams.set('login', this.token);
    if (this.seqMax > 0) own.searchParams.set('upTo', String(this.seqMax));
    if (this.version > 0) own.searchParams.set('receiptsAfter', String(this.version));
    return own;
  }
}

/** A frame that is no JSON object is none. */
function parse(text: string): ServerFrame | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as ServerFrame) : undefined;
  } catch {
    return undefined;
  }
}
