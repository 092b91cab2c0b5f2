/**
 * Hot path. Messages on their way into mailboxes: each is stored first, and only then its sender has an
 * acknowledgement, and the devices of the recipient are woken. Nothing is kept here: a message that the store
 * does not answer is answered with `busy`, and its sender says it again.
 */
import type { AckResult, DirectFrameOf } from '#protocol';
import type { PersonSession } from '../accounts/person.ts';
import { encodeAck, encodeBody, encodeMessage } from './direct-frames.ts';
import type { FrameWriter } from './frame-writer.ts';
import type { MailboxMeter } from './mailbox-meter.ts';
import type { MailboxStore, NewMessage, Stored } from './mailbox-store.ts';
import type { Wake } from './wake.ts';

type SendingParts = {
  readonly store: Pick<MailboxStore, 'store'>;
  /** Whether there is an account of this name; asked only where there is no mailbox of it yet. */
  readonly accounts: { exists(user: string): Promise<boolean> };
  readonly writer: FrameWriter;
  readonly meter: Pick<MailboxMeter, 'stored' | 'countExpired'>;
  /** Messages that may be on their way at a time. */
  readonly queueMax: number;
  /** The mailbox of this user has something new, and these nodes have devices of theirs. */
  wake(user: string, nodes: readonly string[], wake: Wake): void;
};

export class Sending {
  readonly #parts: SendingParts;
  #storing = 0;
  /** Messages that wait until it is known whether there is an account, by its name. */
  readonly #lookedUp = new Map<string, ((isKnown: boolean) => void)[]>();

  constructor(parts: SendingParts) {
    this.#parts = parts;
  }

  /** Takes a message of a person: it is answered with `server_ack`. */
  say(session: PersonSession, { to, id, Message }: DirectFrameOf<'message'>): void {
    const from = session.person!.user;
    if (this.#storing >= this.#parts.queueMax) return this.#answer(session, to, id, 'busy');
    this.#storing++;
    const message = { to, from, id, body: encodeBody(from, id, Message) };
    const lookedUp = this.#lookedUp.get(to);
    // Messages of one sender to one person stay in order.
    if (lookedUp) lookedUp.push((isKnown) => this.#storeKnown(session, message, isKnown));
    else this.#store(session, message, false);
  }

  #store(session: PersonSession, message: NewMessage, isKnown: boolean): void {
    this.#parts.store.store(message, isKnown).then(
      (stored) => {
        if (stored.result === 'unknown') this.#lookUp(session, message);
        else this.#stored(session, message, stored);
      },
      () => this.#finish(session, message, 'busy'),
    );
  }

  #storeKnown(session: PersonSession, message: NewMessage, isKnown: boolean): void {
    if (isKnown) this.#store(session, message, true);
    else this.#finish(session, message, 'unknown');
  }

  /** There is no mailbox: it is made where there is an account. */
  #lookUp(session: PersonSession, message: NewMessage): void {
    const { to } = message;
    const go = (isKnown: boolean) => this.#storeKnown(session, message, isKnown);
    const others = this.#lookedUp.get(to);
    if (others) return void others.push(go);
    const waiting = [go];
    this.#lookedUp.set(to, waiting);
    const answer = (how: (go: (isKnown: boolean) => void) => void) => {
      this.#lookedUp.delete(to);
      waiting.forEach(how);
    };
    this.#parts.accounts.exists(to).then(
      (isKnown) => answer((one) => one(isKnown)),
      () => answer(() => this.#finish(session, message, 'busy')),
    );
  }

  #stored(session: PersonSession, message: NewMessage, stored: Exclude<Stored, { result: 'unknown' }>): void {
    this.#parts.meter.countExpired(stored.expired);
    if (stored.result === 'full') return this.#finish(session, message, 'full');
    const { seq, sentAtMs, nodes } = stored;
    this.#finish(session, message, 'ok', seq);
    this.#parts.wake(message.to, nodes, {
      kind: 'message',
      seq,
      text: encodeMessage({ body: message.body, seq, sentAtMs }),
    });
  }

  #finish(session: PersonSession, { to, id }: NewMessage, result: AckResult, seq?: number): void {
    this.#storing--;
    this.#answer(session, to, id, result, seq);
  }

  #answer(session: PersonSession, to: string, id: string, result: AckResult, seq?: number): void {
    this.#parts.meter.stored.inc({ result });
    this.#parts.writer.send(session, encodeAck(to, id, result, seq));
  }
}
