/**
 * Hot path. The mailboxes in Redis. The operations of one turn of the event loop are one script, which runs
 * them one after the other; on Redis Cluster one script for each mailbox, because mailboxes are in different
 * slots.
 */
import { oncePerTurn, waitFor } from '../backplane/timing.ts';
import { defineScript, type Store, type StoreArgument } from '../redis/store.ts';
import { prelude } from './mailbox-lua.ts';
import { operations } from './mailbox-operations.ts';
import type {
  Arrival,
  Arrived,
  MailboxLimits,
  MailboxPage,
  MailboxStore,
  NewMessage,
  Owed,
  ReceiptKind,
  Stored,
  StoredReceipt,
} from './mailbox-store.ts';

const script = defineScript(prelude + operations);

/** Operations in one script; chosen: Redis does nothing else meanwhile, for about a millisecond. */
const operationsMax = 64;
/** Chosen: the leases of sessions that have just ended are given back, where Redis is well. */
const closeDeadlineMs = 500;

export type RedisMailboxOptions = MailboxLimits & {
  readonly store: Store;
  /** All nodes of one chat share it: the start of its keys. */
  readonly channel: string;
  /** The keys of two people may be on two servers. */
  readonly isCluster: boolean;
  /** The time in ms; left out: that of Redis. For tests. */
  readonly nowMs?: () => number;
};

type Reply = readonly (string | number)[];

type Operation = {
  readonly user: string;
  readonly name: string;
  readonly args: readonly StoreArgument[];
  resolve(reply: Reply): void;
  reject(error: Error): void;
};

export class RedisMailbox implements MailboxStore {
  readonly #options: RedisMailboxOptions;
  readonly #limits: readonly number[];
  #waiting: Operation[] = [];
  /** Scripts without an answer. */
  #running = 0;
  readonly #flushSoon = oncePerTurn(() => this.#flush());

  constructor(options: RedisMailboxOptions) {
    this.#options = options;
    const { mailboxMessagesMax, mailboxBytesMax, mailboxAgeMs, mailboxHoldMs } = options;
    const { mailboxDevicesMax, mailboxMemoryMax } = options;
    this.#limits = [mailboxMessagesMax, mailboxBytesMax, mailboxAgeMs, mailboxHoldMs];
    this.#limits = [...this.#limits, mailboxDevicesMax, mailboxMemoryMax];
  }

  async store({ to, from, id, body }: NewMessage): Promise<Stored> {
    const reply = await this.#ask(to, 'store', [from, id, body]);
    const [result, ...rest] = reply;
    if (result === 'full') return { result, expired: { age: Number(rest[0]), room: Number(rest[1]) } };
    const [seq, sentAtMs, age, room, ...nodes] = rest as [number, number, number, number, ...string[]];
    return { result: 'ok', seq, sentAtMs, nodes, expired: { age, room } };
  }

  async page(user: string, after: number, count: number): Promise<MailboxPage> {
    const [last, age, ...entries] = await this.#ask(user, 'page', [after, count]);
    const messages = [];
    for (let index = 0; index < entries.length; index += 2) {
      const [seq, sentAtMs] = String(entries[index]).split('-').map(Number) as [number, number];
      messages.push({ seq, sentAtMs, body: String(entries[index + 1]) });
    }
    return { messages, last: Number(last), expired: { age: Number(age), room: 0 } };
  }

  async received(user: string, device: string, upTo: number, settled: readonly Owed[]) {
    return { owed: owedOf(await this.#ask(user, 'received', [device, upTo, ...settledArgs(settled)])) };
  }

  async read(user: string, peer: string, upTo: number) {
    return { owed: owedOf(await this.#ask(user, 'read', [peer, upTo])) };
  }

  async receipt(user: string, by: string, kind: ReceiptKind, upTo: number) {
    const [version, ...nodes] = await this.#ask(user, 'receipt', [by, kind, upTo]);
    return { version: Number(version), nodes: nodes as string[] };
  }

  async receipts(user: string, after: number) {
    const [newest, ...found] = await this.#ask(user, 'receipts', [after]);
    const receipts: StoredReceipt[] = [];
    for (let index = 0; index < found.length; index += 3) {
      const [kind, by] = String(found[index]).split(' ') as [ReceiptKind, string];
      receipts.push({ kind, by, upTo: Number(found[index + 1]), version: Number(found[index + 2]) });
    }
    receipts.sort((one, other) => one.version - other.version);
    return { receipts, version: Number(newest) };
  }

  async arrive(arrival: Arrival): Promise<Arrived> {
    const { user, device, upTo = '', sent = 0, receiptsAfter = 0, lease, renews, settled = [] } = arrival;
    const { node, token, ttlMs } = lease ?? { node: '', token: '', ttlMs: 0 };
    const args = [device, upTo, sent, receiptsAfter, node, token, ttlMs, renews ? '1' : ''];
    const reply = await this.#ask(user, 'arrive', [...args, ...settledArgs(settled)]);
    const [cursor, last, waiting, receiptVersion, holds, otherNode, otherToken, age, ...owed] = reply;
    return {
      cursor: Number(cursor),
      last: Number(last),
      waiting: Number(waiting),
      receiptVersion: Number(receiptVersion),
      isHolder: holds === 1,
      other: otherNode === '' ? undefined : { node: String(otherNode), token: String(otherToken) },
      owed: owedOf(owed),
      expired: { age: Number(age), room: 0 },
    };
  }

  async leave(user: string, device: string, token: string, settled: readonly Owed[]): Promise<void> {
    await this.#ask(user, 'leave', [device, token, ...settledArgs(settled)]);
  }

  async online(users: readonly string[]): Promise<readonly boolean[]> {
    const replies = await Promise.all(users.map((user) => this.#ask(user, 'online', [])));
    return replies.map(([isOnline]) => isOnline === 1);
  }

  start(): Promise<void> {
    return this.#options.store.start();
  }

  /** What was asked in this turn is still sent, and answered where Redis answers at once. */
  async close(): Promise<void> {
    this.#flush();
    await waitFor(() => this.#running === 0, closeDeadlineMs);
    await this.#options.store.close();
  }

  #ask(user: string, name: string, args: readonly StoreArgument[]): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ user, name, args, resolve, reject });
      this.#flushSoon();
    });
  }

  #flush(): void {
    const all = this.#waiting;
    this.#waiting = [];
    if (this.#options.isCluster) {
      for (const ofUser of Map.groupBy(all, ({ user }) => user).values()) this.#runInPieces(ofUser);
    } else this.#runInPieces(all);
  }

  #runInPieces(all: readonly Operation[]): void {
    for (let start = 0; start < all.length; start += operationsMax)
      this.#run(all.slice(start, start + operationsMax));
  }

  #run(batch: readonly Operation[]): void {
    const { store, channel, nowMs } = this.#options;
    const keys = new Map<string, number>();
    const args: StoreArgument[] = [nowMs?.() ?? '', ...this.#limits];
    for (const { user, name, args: own } of batch) {
      let key = keys.get(user);
      if (key === undefined) {
        key = keys.size + 1;
        keys.set(user, key);
      }
      args.push(name, key, own.length);
      for (const arg of own) args.push(arg);
    }
    const names = Array.from(keys.keys(), (user) => `${channel}:{m:${user}}`);
    this.#running++;
    store.run(script, names, args).then(
      (replies) => {
        this.#running--;
        for (const [index, { resolve }] of batch.entries()) resolve((replies as Reply[])[index]!);
      },
      (error: Error) => {
        this.#running--;
        for (const { reject } of batch) reject(error);
      },
    );
  }
}

/** Pairs of `<kind> <peer>` and a `seq`. */
function owedOf(reply: Reply): Owed[] {
  const owed: Owed[] = [];
  for (let index = 0; index < reply.length; index += 2) {
    const [kind, peer] = String(reply[index]).split(' ') as [ReceiptKind, string];
    owed.push({ kind, peer, seq: Number(reply[index + 1]) });
  }
  return owed;
}

function settledArgs(settled: readonly Owed[]): StoreArgument[] {
  return settled.flatMap(({ kind, peer, seq }) => [`${kind} ${peer}`, seq]);
}
