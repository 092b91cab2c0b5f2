/** The settings of mailboxes and presence. */
import { size, time } from '#host/units.ts';
import { group, limit, type ValuesOf } from '../settings.ts';

const mebibyte = 1024 ** 2;
const dayMs = 86_400_000;

/** The defaults are chosen, not measured. */
export const mailboxSettings = group('Mailbox', {
  mailboxMessagesMax: limit(1, 100_000, 500, 'messages that one mailbox holds'),
  mailboxBytesMax: limit(64 * 1024, 256 * mebibyte, mebibyte, 'bytes of the messages in one mailbox', size),
  mailboxAgeMs: limit(60_000, 3650 * dayMs, 90 * dayMs, 'time for which a message is kept', time),
  mailboxHoldMs: limit(
    60_000,
    3650 * dayMs,
    7 * dayMs,
    'time for which a silent device keeps messages that others have, where room is needed',
    time,
  ),
  mailboxDevicesMax: limit(1, 100, 16, 'devices of one person'),
  mailboxMemoryMax: limit(
    16,
    100_000,
    1000,
    'ids of messages, and people, that one mailbox remembers at least',
  ),
  mailboxQueueMax: limit(1, 1_000_000, 10_000, 'messages that wait to be stored, in this process'),
  presenceLeaseMs: limit(1000, 600_000, 30_000, 'time after which a silent node has nobody online', time),
  presenceIntervalMs: limit(
    100,
    600_000,
    5000,
    'time between two looks at the presence of watched people',
    time,
  ),
  presenceWatchedMax: limit(1, 10_000_000, 100_000, 'people that sessions of this process watch, together'),
});

export type MailboxSettings = ValuesOf<typeof mailboxSettings>;
