/** The store of mailboxes: what every implementation guarantees. mailbox-store.contract.ts checks it. */

/** The bounds of a mailbox. */
export type MailboxLimits = {
  /** Messages in one mailbox, and bytes of them. */
  readonly mailboxMessagesMax: number;
  readonly mailboxBytesMax: number;
  /** A message is kept for this time at the most. */
  readonly mailboxAgeMs: number;
  /** A device that was silent for longer does not keep messages from being removed where room is needed. */
  readonly mailboxHoldMs: number;
  /** Devices of one person; a further one takes the place of the one that was silent for longest. */
  readonly mailboxDevicesMax: number;
  /** Ids of messages, and people, of which a mailbox knows at least the latest so many. */
  readonly mailboxMemoryMax: number;
};

export type NewMessage = {
  readonly to: string;
  readonly from: string;
  /** Chosen by the sender's client, unique per sender. */
  readonly id: string;
  /** Opaque; it takes its bytes of UTF-8 in the mailbox. */
  readonly body: string;
};

/** Messages that were removed before every device had them, since the last answer: too old, or no room. */
export type Expired = { readonly age: number; readonly room: number };

/**
 * `ok`: it is stored, now or before under the same sender and id. `nodes`: those with a device of the
 * recipient.
 */
export type Stored =
  | ({ readonly result: 'full' } & { readonly expired: Expired })
  | {
      readonly result: 'ok';
      readonly seq: number;
      readonly sentAtMs: number;
      readonly nodes: readonly string[];
      readonly expired: Expired;
    };

export type MailboxMessage = { readonly seq: number; readonly sentAtMs: number; readonly body: string };

/** Messages in order of `seq`. Where there are fewer than asked for, there are no more up to `last`. */
export type MailboxPage = {
  readonly messages: readonly MailboxMessage[];
  readonly last: number;
  readonly expired: Expired;
};

export type ReceiptKind = 'received' | 'read';

/** `peer` is still to be told: the owner of the mailbox has come up to this `seq` with its messages. */
export type Owed = { readonly kind: ReceiptKind; readonly peer: string; readonly seq: number };

/** A receipt as its person is told. */
export type StoredReceipt = {
  readonly kind: ReceiptKind;
  readonly by: string;
  readonly upTo: number;
  readonly version: number;
};

/** A session of a device: the node and a random name of the session there. */
export type Lease = { readonly node: string; readonly token: string; readonly ttlMs: number };

export type Arrival = {
  readonly user: string;
  readonly device: string;
  /** The highest `seq` that this device says it has: it counts as received. */
  readonly upTo?: number;
  /** The highest `seq` that was ever sent to it, and version of a receipt: none is given twice. */
  readonly sent?: number;
  readonly receiptsAfter?: number;
  /** Left out: it only says what it has. */
  readonly lease?: Lease;
  /** Only where this session still has the device's lease, or nobody has. */
  readonly renews?: boolean;
  /** Owed before, and told meanwhile. */
  readonly settled?: readonly Owed[];
};

/** The state of a mailbox at one moment, as a device sees it. */
export type Arrived = {
  /** The device has these already, or they are not for it. */
  readonly cursor: number;
  /** The newest `seq`. */
  readonly last: number;
  /** Messages behind the cursor. */
  readonly waiting: number;
  /** The newest version of a receipt. */
  readonly receiptVersion: number;
  /** The session that had the device's lease until now, or that keeps it from being renewed. */
  readonly other: { readonly node: string; readonly token: string } | undefined;
  /** False: `other` has the lease, so nothing was renewed. */
  readonly isHolder: boolean;
  readonly owed: readonly Owed[];
  readonly expired: Expired;
};

/**
 * A mailbox is a log, and each device of its person a cursor in it. Every method is one atomic step on one
 * mailbox; it rejects where the store does not answer, and then has perhaps been carried out.
 *
 * - `seq` rises by one with each message. A message whose sender and id are known is not stored again: its
 *   first answer is given again, also after it was removed, until `mailboxMemoryMax` more messages came, and
 *   for a day at the least where fewer came.
 * - What was answered with `ok` stays until every device has it that was here within `mailboxAgeMs`, or until
 *   that age; only for want of room it is removed earlier, where a device has it and the others were silent
 *   for `mailboxHoldMs`. A mailbox takes at most `mailboxMessagesMax` messages of `mailboxBytesMax`.
 * - Cursors, and what is owed, never go back. A receipt is owed from the step in which the cursor moved until
 *   somebody says that it is settled: `arrive` tells it again and again, so a crash in between loses none.
 * - Versions of receipts rise by one per person; of each peer and kind only the newest is kept.
 */
export interface MailboxStore {
  /** Makes the mailbox where there is none: call it only for people who have an account. */
  store(message: NewMessage): Promise<Stored>;
  /** Messages behind `after`, at most `count`. */
  page(user: string, after: number, count: number): Promise<MailboxPage>;
  /** The device has all up to `upTo`, which may lie beyond the end. Returns what is owed since this step. */
  received(
    user: string,
    device: string,
    upTo: number,
    settled: readonly Owed[],
  ): Promise<{ owed: readonly Owed[] }>;
  /** The person has read the peer's messages up to `upTo`. Nothing where the peer has never written. */
  read(user: string, peer: string, upTo: number): Promise<{ owed: readonly Owed[] }>;
  /** Tells `user` how far `by` has come. A version of 0: it was known. */
  receipt(
    user: string,
    by: string,
    kind: ReceiptKind,
    upTo: number,
  ): Promise<{ version: number; nodes: readonly string[] }>;
  /** The receipts of a person beyond a version, in order; `version` is the newest. */
  receipts(user: string, after: number): Promise<{ receipts: readonly StoredReceipt[]; version: number }>;
  /** A device says where it is, and may take or renew its lease. Makes the mailbox where there is none. */
  arrive(arrival: Arrival): Promise<Arrived>;
  /** The session has ended: its lease too, unless another session has it. */
  leave(user: string, device: string, token: string, settled: readonly Owed[]): Promise<void>;
  /** For each user, whether any device has a lease. */
  online(users: readonly string[]): Promise<readonly boolean[]>;
  /** Connects; rejects where it cannot. */
  start(): Promise<void>;
  close(): Promise<void>;
}
