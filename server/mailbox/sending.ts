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
  /** Whether there is an account of this name. */
  readonly accounts: { exists(user: string): Promise<boolean> };
  readonly writer: FrameWriter;
  readonly meter: Pick<MailboxMeter, 'stored' | 'countExpired'>;
  /** Messages that may be on their way at a time. */
  readonly queueMax: number;
  /** The mailbox of this user has something new, and these nodes have devices of theirs. */
  wake(user: string, nodes: readonly string[], wake: Wake): void;
};

/** Names that are known to have an account, and for how long; chosen. */
const knownMax = 100_000;
const knownMs = 600_000;

/** A message that waits until it is known whether there is an account; undefined: nobody can say it now. */
type Waiting = (isKnown: boolean | undefined) => void;

export class Sending {
  readonly #parts: SendingParts;
  #storing = 0;
  /** Who has an account, and until when that is taken for granted: a reading of `performance.now`. */
  readonly #known = new Map<string, number>();
  /** The messages that wait, by recipient, in their order. */
  readonly #lookedUp = new Map<string, Waiting[]>();

  constructor(parts: SendingParts) {
    this.#parts = parts;
  }

  /** Takes a message of a person: it is answered with `server_ack`. Messages to one person stay in order. */
  say(session: PersonSession, { to, id, Message }: DirectFrameOf<'message'>): void {
    const from = session.person!.user;
    if (this.#storing >= this.#parts.queueMax) return this.#answer(session, to, id, 'busy');
    this.#storing++;
    const message = { to, from, id, body: encodeBody(from, id, Message) };
    const lookedUp = this.#lookedUp.get(to);
    if (!lookedUp && this.#isKnown(to)) return this.#store(session, message);
    const go: Waiting = (isKnown) => {
      if (isKnown) this.#store(session, message);
      else this.#finish(session, message, isKnown === false ? 'unknown' : 'busy');
    };
    if (lookedUp) lookedUp.push(go);
    else this.#lookUp(to, go);
  }

  #isKnown(user: string): boolean {
    return (this.#known.get(user) ?? 0) > performance.now();
  }

  #lookUp(user: string, first: Waiting): void {
    const waiting = [first];
    this.#lookedUp.set(user, waiting);
    const answer = (isKnown: boolean | undefined) => {
      this.#lookedUp.delete(user);
      if (isKnown) this.#remember(user);
      for (const go of waiting) go(isKnown);
    };
    this.#parts.accounts.exists(user).then(answer, () => answer(undefined));
  }

  #remember(user: string): void {
    if (this.#known.size >= knownMax) this.#known.clear();
    this.#known.set(user, performance.now() + knownMs);
  }

  #store(session: PersonSession, message: NewMessage): void {
    this.#parts.store.store(message).then(
      (stored) => this.#stored(session, message, stored),
      () => this.#finish(session, message, 'busy'),
    );
  }

  #stored(session: PersonSession, message: NewMessage, stored: Stored): void {
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
