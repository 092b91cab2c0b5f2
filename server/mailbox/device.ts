/**
 * Hot path. A device that is here: a cursor in the mailbox of its person, and one in their receipts.
 *
 * The store is the truth: what the node hears of a message is only a wake. One that is the next in order is
 * sent at once; anything else is read from the store behind the cursor, so neither a wake that was lost nor
 * one that came early, late or twice changes what the device gets. A hole in what the store returns is told
 * as a gap.
 */
import { closeCode, type Receipt, windowMessages } from '#protocol';
import type { Person, PersonSession } from '../accounts/person.ts';
import { encodeGap, encodeMessage, encodeReceipt } from './direct-frames.ts';
import type { FrameWriter } from './frame-writer.ts';
import type { MailboxMeter } from './mailbox-meter.ts';
import type { Arrived, MailboxMessage, MailboxPage, MailboxStore } from './mailbox-store.ts';

/** Nothing more is sent to a session of which the kernel has not taken so many bytes. Chosen. */
const bufferedBytesMax = 64 * 1024;
/** The window is filled again when so many fit: no single messages are read from the store. Chosen. */
const roomMin = windowMessages / 2;
/** After a store that did not answer; chosen. */
const retryMs = 500;

export type DeviceParts = {
  readonly store: Pick<MailboxStore, 'page' | 'receipts'>;
  readonly writer: FrameWriter;
  readonly meter: MailboxMeter;
  /** The device has all up to this `seq`. */
  acknowledged(device: Device): void;
};

export class Device {
  readonly session: PersonSession;
  readonly person: Person;
  /** A random name of this session. */
  readonly token: string;
  readonly #parts: DeviceParts;
  #isLive = false;
  #isOver = false;
  /** The highest `seq` that was sent, or told to be gone. */
  sent = 0;
  /** The highest `seq` that the device said it has. */
  acknowledged = 0;
  /** The highest `seq` of which this node has heard. */
  #head = 0;
  /** Those on their way. */
  readonly #unacknowledged: number[] = [];
  #isReading = false;
  #isBlocked = false;
  /** The highest version of a receipt that was sent, and of which this node has heard. */
  receiptsSent = 0;
  #receiptsHead = 0;
  #isReadingReceipts = false;

  constructor(session: PersonSession, token: string, parts: DeviceParts) {
    this.session = session;
    this.person = session.person!;
    this.token = token;
    this.#parts = parts;
  }

  /** The session has ended: what comes back from the store is for nobody. */
  get isOver(): boolean {
    return this.#isOver;
  }

  get isLive(): boolean {
    return this.#isLive;
  }

  get waiting(): number {
    return Math.max(0, this.#head - this.acknowledged);
  }

  /** The mailbox as it was when the device took its lease: from now on messages are sent. */
  begin({ cursor, last, receiptVersion }: Arrived): void {
    this.#isLive = true;
    this.sent = cursor;
    this.acknowledged = cursor;
    this.offer(last);
    this.offerReceipt(receiptVersion);
  }

  end(): void {
    this.#isOver = true;
    this.#isLive = false;
  }

  /** The mailbox has a message of this `seq`. `text`: its frame, where it is at hand. */
  offer(seq: number, text?: string): void {
    if (seq > this.#head) this.#head = seq;
    if (text === undefined || seq !== this.sent + 1 || !this.#isFree || this.#room === 0) this.#pump();
    else this.#send(seq, text);
  }

  /** The device has all up to this `seq`: nothing beyond what was sent to it counts. */
  received(upTo: number): void {
    const limit = Math.min(upTo, this.sent);
    if (!this.#isLive || limit <= this.acknowledged) return;
    this.acknowledged = limit;
    let done = 0;
    while (done < this.#unacknowledged.length && this.#unacknowledged[done]! <= limit) done++;
    this.#unacknowledged.splice(0, done);
    this.#parts.acknowledged(this);
    this.#pump();
  }

  /** There is a receipt of this version. */
  offerReceipt(version: number, receipt?: Receipt): void {
    if (version > this.#receiptsHead) this.#receiptsHead = version;
    if (!receipt || version !== this.receiptsSent + 1 || !this.#isLive || this.#isReadingReceipts)
      return this.#pumpReceipts();
    this.receiptsSent = version;
    this.#sendReceipt(receipt);
  }

  /** Sends a frame that no store keeps, unless the device is slow. */
  tell(text: string): void {
    if (this.#isLive && this.session.bufferedBytes <= bufferedBytesMax)
      this.#parts.writer.send(this.session, text);
  }

  /** A newer session of the same device has taken its lease. */
  displace(): void {
    this.session.close(closeCode.loggedInElsewhere, 'logged in elsewhere');
  }

  get #room(): number {
    return windowMessages - this.#unacknowledged.length;
  }

  /** Whether a message can be sent at once. */
  get #isFree(): boolean {
    if (!this.#isLive || this.#isReading || this.#isBlocked) return false;
    if (this.session.bufferedBytes <= bufferedBytesMax) return true;
    this.#isBlocked = true;
    this.session.whenWritten((error) => {
      this.#isBlocked = false;
      if (!error) this.#pump();
    });
    return false;
  }

  #send(seq: number, text: string): void {
    const { writer, meter } = this.#parts;
    this.sent = seq;
    this.#unacknowledged.push(seq);
    writer.send(this.session, text);
    meter.delivered.inc();
  }

  /** Reads what is missing up to the head, as far as the window allows. */
  #pump(): void {
    const behind = this.#head - this.sent;
    if (behind <= 0 || this.#room < Math.min(roomMin, behind) || !this.#isFree) return;
    this.#isReading = true;
    const asked = this.#room;
    this.#parts.store.page(this.person.user, this.sent, asked).then(
      (page) => {
        this.#isReading = false;
        if (!this.#isLive) return;
        const before = this.sent;
        this.#take(page, asked);
        // The store has nothing of what was heard of: it is asked again when there is more to hear.
        if (this.sent === before) this.#head = before;
        else this.#pump();
      },
      () =>
        this.#later(
          () => this.#pump(),
          () => {
            this.#isReading = false;
          },
        ),
    );
  }

  #take({ messages, last, expired }: MailboxPage, asked: number): void {
    this.#parts.meter.countExpired(expired);
    for (const message of messages) this.#takeOne(message);
    if (messages.length < asked && last > this.sent) this.#skip(last);
    if (last > this.#head) this.#head = last;
  }

  #takeOne(message: MailboxMessage): void {
    if (message.seq > this.sent + 1) this.#skip(message.seq - 1);
    this.#send(message.seq, encodeMessage(message));
  }

  /** The messages up to this one are gone. */
  #skip(to: number): void {
    this.#parts.writer.send(this.session, encodeGap(this.sent + 1, to));
    this.sent = to;
  }

  #pumpReceipts(): void {
    if (!this.#isLive || this.#isReadingReceipts || this.receiptsSent >= this.#receiptsHead) return;
    this.#isReadingReceipts = true;
    this.#parts.store.receipts(this.person.user, this.receiptsSent).then(
      ({ receipts, version }) => {
        this.#isReadingReceipts = false;
        if (!this.#isLive) return;
        for (const { kind: type, ...receipt } of receipts) this.#sendReceipt({ type, ...receipt });
        if (version <= this.receiptsSent) this.#receiptsHead = this.receiptsSent;
        else this.receiptsSent = version;
        this.#pumpReceipts();
      },
      () =>
        this.#later(
          () => this.#pumpReceipts(),
          () => {
            this.#isReadingReceipts = false;
          },
        ),
    );
  }

  #sendReceipt(receipt: Receipt): void {
    this.#parts.writer.send(this.session, encodeReceipt(receipt));
    this.#parts.meter.receipts.inc();
  }

  /** Tries again after a while, and does not read in between. */
  #later(again: () => void, release: () => void): void {
    setTimeout(() => {
      release();
      if (this.#isLive) again();
    }, retryMs).unref();
  }
}
