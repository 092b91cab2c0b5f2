/**
 * What people wrote to each other, what the server said of it, and what arrived: every message against the
 * device that it was for. Pure.
 */
import type { DirectMessage } from '#protocol';

export type MailAudit = {
  /** Messages written, and of them those that the server said it had stored. */
  written: number;
  acked: number;
  /** Answered with another result than `ok` or `busy`. */
  refused: number;
  /** Neither: nobody knows, and the sender would go on asking. */
  unanswered: number;
  /** Acknowledged, and never heard. */
  lost: number;
  /** Heard more than once by one device. */
  doubled: number;
  /** Heard at a place of the mailbox that is not behind the one before. */
  disordered: number;
  /** Messages of which a device was told that they are gone. */
  gone: number;
  /** Heard by somebody whom they were not for, or with another text. */
  strange: number;
};

type Entry = { to: string; text: string; writtenAtMs: number; ackedAtMs: number | null; heard: number };

export class Ledger {
  readonly #entries = new Map<string, Entry>();
  readonly #lastSeqOf = new Map<string, number>();
  #refused = 0;
  #disordered = 0;
  #gone = 0;
  #strange = 0;
  /** From the moment in which a message was written, until its sender, and its recipient, had it. */
  readonly ackMs: number[] = [];
  readonly deliveryMs: number[] = [];

  /** `id` is unique for its sender. Times are of one clock. */
  wrote(from: string, to: string, id: string, text: string, atMs: number): void {
    this.#entries.set(`${from}/${id}`, { to, text, writtenAtMs: atMs, ackedAtMs: null, heard: 0 });
  }

  /** The server has stored it. The same answer again, to a message that was sent again, is no news. */
  acked(from: string, id: string, atMs: number): void {
    const entry = this.#entries.get(`${from}/${id}`);
    if (entry === undefined || entry.ackedAtMs !== null) return;
    entry.ackedAtMs = atMs;
    this.ackMs.push(atMs - entry.writtenAtMs);
  }

  /** The server will not store it. */
  refused(from: string, id: string): void {
    this.#refused++;
    this.#entries.delete(`${from}/${id}`);
  }

  heard(user: string, { from, id, seq, Message }: DirectMessage, atMs: number): void {
    if (seq <= (this.#lastSeqOf.get(user) ?? 0)) this.#disordered++;
    this.#lastSeqOf.set(user, seq);
    const entry = this.#entries.get(`${from}/${id}`);
    if (entry === undefined || entry.to !== user || entry.text !== Message) {
      this.#strange++;
      return;
    }
    entry.heard++;
    if (entry.heard === 1) this.deliveryMs.push(atMs - entry.writtenAtMs);
  }

  /** A device was told that these are gone. */
  gone(from: number, to: number): void {
    this.#gone += to - from + 1;
  }

  /** What is written and not heard, unless it was refused. */
  get outstanding(): number {
    let count = 0;
    for (const { heard } of this.#entries.values()) if (heard === 0) count++;
    return count;
  }

  audit(): MailAudit {
    const entries = [...this.#entries.values()];
    const acked = entries.filter(({ ackedAtMs }) => ackedAtMs !== null);
    return {
      written: entries.length + this.#refused,
      acked: acked.length,
      refused: this.#refused,
      unanswered: entries.length - acked.length,
      lost: acked.filter(({ heard }) => heard === 0).length,
      doubled: entries.reduce((sum, { heard }) => sum + Math.max(0, heard - 1), 0),
      disordered: this.#disordered,
      gone: this.#gone,
      strange: this.#strange,
    };
  }
}
