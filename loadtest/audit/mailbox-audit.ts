/**
 * The audit of mailboxes, over a whole run: whatever the server has acknowledged reaches every device of its
 * recipient once, in the order of the mailbox, intact, and nobody else. One bit for each message and device.
 * Hot path.
 */
import type { DirectFormat } from '../model/direct-text.ts';
import { DueTimes } from '../model/due-times.ts';
import { personOfName, recipientOf } from '../model/people.ts';
import { scheduleOf } from '../model/schedule.ts';
import type { DirectCounts } from '../record/direct-counts.ts';
import type { ResolvedWorkload } from '../workload.ts';
import { Bits } from './bits.ts';

/** The cursor of a device in its person's mailbox. */
export type MailboxCursor = {
  readonly person: number;
  /** Of its person's devices, counted from 0. */
  readonly device: number;
  /** The highest number that it has received. */
  seqMax: number;
};

/** The fields of a frame `message` that the audit looks at; a server may send anything. */
export type ReceivedMessage = { from: unknown; id: unknown; seq: unknown; Message: unknown };

/** A message that has come for the first time. */
export type Delivery = { step: number; number: number; dueUs: number; lagUs: number };

/** The messages of a step that were acknowledged, by number; and how many still await an answer. */
export type AckedMessages = { step: number; acked: Uint8Array; unanswered: number };

/** `waiting`: acknowledged messages whose device has not been back for them, one for each device. */
export type Judgement = { lost: number; waiting: number };

type Ledger = {
  /** When its schedule began, in µs of the common clock. */
  beginUs: number;
  dueTimes: DueTimes;
  acked: Bits;
  received: Bits;
  /** Deliveries that have been counted as lost. */
  writtenOff: Bits;
};

export class MailboxAudit {
  /** Of the step that goes on. */
  counts: DirectCounts;
  readonly #workload: ResolvedWorkload;
  readonly #format: DirectFormat;
  readonly #ledgers = new Map<number, Ledger>();
  #step = -1;

  /** `workload`: of the run; steps have schedules of their own, and the same people. */
  constructor(workload: ResolvedWorkload, format: DirectFormat, counts: DirectCounts) {
    this.#workload = workload;
    this.#format = format;
    this.counts = counts;
  }

  /** Steps follow each other; messages of earlier ones may still come. */
  beginStep(step: number, workload: ResolvedWorkload, counts: DirectCounts): void {
    this.counts = counts;
    this.#step = step;
    this.#ledgers.set(step, {
      beginUs: Number.POSITIVE_INFINITY,
      dueTimes: new DueTimes(scheduleOf(workload)),
      ...{ acked: new Bits(), received: new Bits(), writtenOff: new Bits() },
    });
  }

  /** The schedule of the step begins at `beginUs` of the common clock. */
  start(beginUs: number): void {
    this.#ledgers.get(this.#step)!.beginUs = beginUs;
  }

  /** The server has stored a message of ours. */
  acked(step: number, number: number): void {
    this.#ledgers.get(step)?.acked.add(number);
  }

  /** Judges a message that has come. Undefined if it is not one that came rightly, for the first time. */
  receive(cursor: MailboxCursor, { from, id, seq, Message }: ReceivedMessage): Delivery | undefined {
    const { counts } = this;
    const key = this.#format.parseId(id);
    const ledger = key && this.#ledgers.get(key.step);
    if (key === undefined || ledger === undefined) {
      // All of a step that is closed has come before, or was written off.
      if (key === undefined || key.step > this.#step) counts.foreign++;
      else counts.duplicated++;
      this.#advance(cursor, seq);
      return undefined;
    }
    const { step, number } = key;
    const workload = this.#workload;
    const lagUs = this.#format.lagOf(Message, personOfName(workload, from), step, number);
    const dueUs = ledger.dueTimes.dueUs(0, number, Number.POSITIVE_INFINITY);
    if (lagUs < 0 || dueUs < 0 || !(Number.isSafeInteger(seq) && (seq as number) > 0)) {
      counts.corrupted++;
      this.#advance(cursor, seq);
      return undefined;
    }
    if (recipientOf(workload, step, number) !== cursor.person) {
      counts.misdelivered++;
      return undefined;
    }
    const bit = number * workload.devices + cursor.device;
    const isFirst = ledger.received.add(bit);
    const isLate = isFirst && ledger.writtenOff.has(bit);
    if (!isFirst) counts.duplicated++;
    else if (isLate) counts.late++;
    else {
      counts.delivered++;
      counts.deliveredEver++;
    }
    if (isFirst && cursor.seqMax > 0) {
      counts.ordered++;
      if ((seq as number) <= cursor.seqMax) counts.misordered++;
    }
    this.#advance(cursor, seq);
    return isFirst && !isLate ? { step, number, dueUs: ledger.beginUs + dueUs, lagUs } : undefined;
  }

  /** What this worker's people have had acknowledged, by step that is not closed. */
  ackedMessages(unanswered: (step: number) => number): AckedMessages[] {
    return [...this.#ledgers].map(([step, { acked }]) => ({
      ...{ step, acked: acked.bytes, unanswered: unanswered(step) },
    }));
  }

  /**
   * With the acknowledged messages of all workers: what has not come is lost if `isOwed` says that its device
   * must have it by now; else it waits. `isOurs`: whether a person's devices are in this worker. A step of
   * which nothing waits, here or unanswered anywhere, is closed.
   */
  judge(
    all: readonly AckedMessages[],
    isOurs: (person: number) => boolean,
    isOwed: (person: number, device: number) => boolean,
  ): Judgement {
    const total = { lost: 0, waiting: 0 };
    const open = new Set<number>();
    for (const { step, acked, unanswered } of all) {
      this.#ledgers.get(step)?.acked.merge(acked);
      if (unanswered > 0) open.add(step);
    }
    const workload = this.#workload;
    for (const [step, { acked, received, writtenOff }] of this.#ledgers) {
      const before = total.waiting;
      acked.forEach((number) => {
        const person = recipientOf(workload, step, number);
        if (!isOurs(person)) return;
        for (let device = 0; device < workload.devices; device++) {
          const bit = number * workload.devices + device;
          if (received.has(bit)) continue;
          if (!isOwed(person, device)) total.waiting += writtenOff.has(bit) ? 0 : 1;
          else if (writtenOff.add(bit)) total.lost++;
        }
      });
      if (total.waiting === before && !open.has(step)) this.#ledgers.delete(step);
    }
    this.counts.lostEver += total.lost;
    return total;
  }

  #advance(cursor: MailboxCursor, seq: unknown): void {
    if (Number.isSafeInteger(seq) && (seq as number) > cursor.seqMax) cursor.seqMax = seq as number;
  }
}
