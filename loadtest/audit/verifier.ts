/** Checks a message that this worker has not received before: whether it is intact, and of which run. */
import {
  type MessageFormat,
  readStamp,
  type Stamp,
  stampAt,
  stampChars,
  stepOfRunId,
  writeStamp,
} from '../model/stamp.ts';

export type VerifierSettings = {
  firstRunId: number;
  /** The step that is measured, counted from 0. */
  step: number;
  format: MessageFormat;
  /** The user (its index in the whole run) that sends message `number` of `room`. */
  senderOf(room: number, number: number): number;
  /** When that message of this step was due, in µs since the schedule began; −1 if it cannot be there yet. */
  dueUsOf(room: number, number: number): number;
};

/** `ignored`: no chat message but a typed one, of a later stage of the server. */
export type Finding = 'intact' | 'ignored' | 'corrupted';

export class Verifier {
  /** The stamp of the last intact message, of this run or of another; of this step, as it was sent. */
  readonly stamp: Stamp = { runId: 0, room: 0, number: 0, dueUs: 0, lagUs: 0 };
  readonly #stampText = Buffer.alloc(stampChars);
  readonly #settings: VerifierSettings;

  constructor(settings: VerifierSettings) {
    this.#settings = settings;
  }

  /** Checks the payload in [start, end), however its JSON is written. */
  verify(bytes: Buffer, start: number, end: number): Finding {
    const { format, senderOf } = this.#settings;
    const { stamp } = this;
    if (end - start === format.payloadBytes && readStamp(bytes, start + stampAt, stamp)) {
      if (this.#hasAnySender()) return 'intact';
      if (!this.#takeDueTime()) return 'corrupted';
      if (format.isIntact(bytes, start, end, senderOf(stamp.room, stamp.number), stamp)) return 'intact';
    }
    return this.#parse(bytes.toString('utf8', start, end));
  }

  /**
   * Where the stamp of the last intact message lies in its payload; −1 if the bytes do not hold it. A server
   * that writes its JSON differently puts it elsewhere, but at the same place in every frame.
   */
  offsetOfStamp(bytes: Buffer, start: number, end: number): number {
    writeStamp(this.#stampText, 0, this.stamp);
    const offset = bytes.indexOf(this.#stampText, start);
    return offset !== -1 && offset + stampChars <= end ? offset : -1;
  }

  #parse(text: string): Finding {
    const { format, senderOf } = this.#settings;
    const { stamp } = this;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      return 'corrupted';
    }
    if (typeof value !== 'object' || value === null) return 'corrupted';
    const { clientId, Message, type } = value as Record<string, unknown>;
    if (typeof type === 'string' && Message === undefined) return 'ignored';
    if (typeof clientId !== 'string' || typeof Message !== 'string') return 'corrupted';
    const chars = Buffer.from(Message.slice(0, stampChars), 'latin1');
    if (chars.length < stampChars || !readStamp(chars, 0, stamp)) return 'corrupted';
    if (this.#hasAnySender()) return 'intact';
    if (!this.#takeDueTime()) return 'corrupted';
    return format.isSame(clientId, Message, senderOf(stamp.room, stamp.number), stamp)
      ? 'intact'
      : 'corrupted';
  }

  /**
   * The due time comes from the schedule. A message with another one is not what was sent. False if nothing
   * with this room and number can have been sent.
   */
  #takeDueTime(): boolean {
    const { stamp } = this;
    if (this.stepsAgo > 0) return true;
    stamp.dueUs = this.#settings.dueUsOf(stamp.room, stamp.number);
    return stamp.dueUs >= 0;
  }

  /** Any user may send a probe, and the senders and sizes of another run are unknown here. */
  #hasAnySender(): boolean {
    return this.stepsAgo < 0 || (this.stamp.runId & 1) === 1;
  }

  /** How many steps ago the last message was sent: 0 for this step; below 0, it is of another run. */
  get stepsAgo(): number {
    return this.#settings.step - stepOfRunId(this.#settings.firstRunId, this.stamp.runId);
  }
}
