/**
 * Messages that this client sends to persons: sent until the server has answered, and how far each has
 * come.
 */
import type { ServerAck } from '#protocol';
import type { Clock } from './clock.ts';
import { newId } from './new-id.ts';

/**
 * `waiting`: not sent yet. `sent`: without an answer. `stored`: in the mailbox of the other. `received`: a
 * device of theirs has it. `read`: they have read it. `full`, `unknown`: not stored, because their mailbox is
 * full or nobody has that name.
 */
export type Mark = 'waiting' | 'sent' | 'stored' | 'received' | 'read' | 'full' | 'unknown';

export type SentMessage = {
  /** Chosen here; the same each time that it is sent. */
  readonly id: string;
  readonly to: string;
  readonly text: string;
  readonly atMs: number;
  readonly mark: Mark;
  /** Its number in the mailbox of the other, once it is stored. */
  readonly seq?: number;
};

type Changeable = { -readonly [Key in keyof SentMessage]: SentMessage[Key] };

/** One person who is written to. */
type Peer = {
  /** Messages without an answer, the oldest first: only the first is on its way. */
  readonly open: Changeable[];
  /** Stored messages whose marks may still change, the oldest first. */
  stored: Changeable[];
  /** What they have received and read, as far as this client was told. */
  received: number;
  read: number;
  /** Set while the first message waits for its answer, or for the time to be sent again. */
  cancelTimer: (() => void) | undefined;
  busyMs: number;
};

/** Without an answer for so long, a message is sent again. Chosen, not measured. */
const answerMsMax = 10_000;
/** The wait after `busy` doubles between these. Chosen, not measured. */
const busyMsMin = 500;
/** So many messages to one person keep their marks. Chosen, not measured. */
const storedMax = 500;
/** So many messages may wait for their answers. Chosen, not measured. */
const openMax = 1_000;

/**
 * To each person one message at a time is on its way: the next one goes when the server has answered, so a
 * message that is sent again never comes after a later one. All of them survive a reconnect.
 */
export class SentMessages {
  readonly #clock: Clock;
  readonly #send: (message: SentMessage) => boolean;
  readonly #onChange: (message: SentMessage) => void;
  readonly #peers = new Map<string, Peer>();
  #openCount = 0;

  /** `send` is false while nothing can be sent. `onChange` gets each message whose mark has changed. */
  constructor(
    clock: Clock,
    send: (message: SentMessage) => boolean,
    onChange: (message: SentMessage) => void,
  ) {
    this.#clock = clock;
    this.#send = send;
    this.#onChange = onChange;
  }

  /** Messages without an answer. */
  get openCount(): number {
    return this.#openCount;
  }

  /** Accepts a message, and sends it as soon as that is possible; undefined where too many wait already. */
  put(to: string, text: string): SentMessage | undefined {
    if (this.#openCount >= openMax) return undefined;
    const message: Changeable = { id: newId(), to, text, atMs: this.#clock.nowMs(), mark: 'waiting' };
    this.#openCount += 1;
    // The caller has the message before it changes.
    if (this.#peer(to).open.push(message) === 1) this.#clock.after(0, () => this.#sendFirst(to));
    return message;
  }

  /** Goes on with messages of an earlier page. With its id, one that was sent already is not stored twice. */
  restore(messages: readonly SentMessage[]): void {
    for (const message of messages) {
      const { open, stored } = this.#peer(message.to);
      if (message.mark === 'stored' || message.mark === 'received') stored.push({ ...message });
      if (message.mark !== 'waiting' && message.mark !== 'sent') continue;
      open.push({ ...message });
      this.#openCount += 1;
    }
  }

  /** A login has just succeeded: what has no answer yet is sent, or sent again. */
  resume(): void {
    for (const to of this.#peers.keys()) this.#sendFirst(to);
  }

  /** The connection ended: nothing is sent until `resume()`. */
  pause(): void {
    for (const peer of this.#peers.values()) stopTimer(peer);
  }

  /** Forgets all of them, when the person is another one. Returns how many had no answer. */
  clear(): number {
    this.pause();
    const left = this.#openCount;
    this.#peers.clear();
    this.#openCount = 0;
    return left;
  }

  /** The server has answered, perhaps for the second time. */
  answered({ id, to, result, seq }: ServerAck): void {
    const peer = this.#peers.get(to);
    const message = peer?.open[0];
    if (!peer || message?.id !== id) return;
    if (result === 'busy') {
      this.#sendAgain(to, peer, peer.busyMs);
      peer.busyMs = Math.min(2 * peer.busyMs, answerMsMax);
      return;
    }
    stopTimer(peer);
    peer.busyMs = busyMsMin;
    peer.open.shift();
    this.#openCount -= 1;
    if (result === 'ok') {
      if (seq !== undefined) message.seq = seq;
      peer.stored.push(message);
      if (peer.stored.length > storedMax) peer.stored.shift();
    }
    this.#mark(message, result === 'ok' ? markOf(message, peer) : result);
    this.#sendFirst(to);
  }

  /** That person has received, or read, what is at most `upTo` in their mailbox. It never goes back. */
  reached(by: string, kind: 'received' | 'read', upTo: number): void {
    const peer = this.#peer(by);
    // Who has read it has received it.
    peer.received = Math.max(peer.received, upTo);
    if (kind === 'read') peer.read = Math.max(peer.read, upTo);
    for (const message of peer.stored) this.#mark(message, markOf(message, peer));
    peer.stored = peer.stored.filter(({ mark }) => mark !== 'read');
  }

  #peer(name: string): Peer {
    let peer = this.#peers.get(name);
    if (!peer) {
      peer = { open: [], stored: [], received: 0, read: 0, cancelTimer: undefined, busyMs: busyMsMin };
      this.#peers.set(name, peer);
    }
    return peer;
  }

  #sendFirst(to: string): void {
    const peer = this.#peers.get(to);
    const message = peer?.open[0];
    if (!peer || !message || peer.cancelTimer || !this.#send(message)) return;
    this.#mark(message, 'sent');
    this.#sendAgain(to, peer, answerMsMax);
  }

  #sendAgain(to: string, peer: Peer, afterMs: number): void {
    stopTimer(peer);
    peer.cancelTimer = this.#clock.after(afterMs, () => {
      peer.cancelTimer = undefined;
      this.#sendFirst(to);
    });
  }

  #mark(message: Changeable, mark: Mark): void {
    if (message.mark === mark) return;
    message.mark = mark;
    this.#onChange(message);
  }
}

function stopTimer(peer: Peer): void {
  peer.cancelTimer?.();
  peer.cancelTimer = undefined;
}

function markOf({ seq = Number.POSITIVE_INFINITY }: SentMessage, { received, read }: Peer): Mark {
  if (seq <= read) return 'read';
  return seq <= received ? 'received' : 'stored';
}
