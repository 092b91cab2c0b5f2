/** The metrics of mailboxes and presence. */
import { Counter, Gauge, Registry } from 'prom-client';
import type { Expired } from './mailbox-store.ts';

export type MailboxMeter = ReturnType<typeof createMailboxMeter>;

/** Declares them in a registry; without one, in one of their own. */
export function createMailboxMeter(registry = new Registry()) {
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name, help, registers, labelNames: [...labelNames] });
  const expired = counter(
    'chat_mailbox_expired_total',
    'Messages removed before every device had them: too old, or for want of room',
    ['reason'],
  );
  return {
    stored: counter('chat_mailbox_stored_total', 'Messages to a person, by their answer', ['result']),
    delivered: counter('chat_mailbox_delivered_total', 'Messages of mailboxes handed to sockets'),
    receipts: counter('chat_mailbox_receipts_total', 'Receipts handed to sockets'),
    presenceChanges: counter('chat_presence_changes_total', 'Changes of presence handed to sockets'),
    /** Counts what an answer of the store tells. */
    countExpired({ age, room }: Expired): void {
      if (age > 0) expired.inc({ reason: 'age' }, age);
      if (room > 0) expired.inc({ reason: 'room' }, room);
    },
    /** `waiting` is asked at each scrape. */
    observeWaiting(waiting: () => number): void {
      new Gauge({
        name: 'chat_mailbox_waiting',
        help: 'Messages that devices here have not acknowledged yet',
        registers,
        collect() {
          this.set(waiting());
        },
      });
    },
  };
}
