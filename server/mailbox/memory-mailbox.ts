/** Mailboxes in the memory of one process, for tests and as the plain statement of the guarantees. */
import type {
  Arrival,
  Arrived,
  MailboxLimits,
  MailboxMessage,
  MailboxPage,
  MailboxStore,
  NewMessage,
  Owed,
  ReceiptKind,
  Stored,
  StoredReceipt,
} from './mailbox-store.ts';

type Entry = MailboxMessage & { readonly from: string };
type Device = {
  readonly name: string;
  cursor: number;
  seenMs: number;
  leaseEndsMs: number;
  node: string;
  token: string;
};
type Marks = Record<ReceiptKind, { upTo: number; version: number }>;

/** As in Redis: a claim of a client moves a mailbox ahead by so much at the most, and ids live for a day. */
const claimMax = 1_000_000;
const idsMs = 86_400_000;

class Mailbox {
  log: Entry[] = [];
  last = 0;
  gone = 0;
  seen = 0;
  version = 0;
  readonly devices = new Map<string, Device>();
  readonly ids: Memory<{ seq: number; sentAtMs: number }>;
  readonly peers: Memory<{ newest: number; read: number }>;
  readonly owed = new Map<string, Owed>();
  readonly receipts: Memory<Marks>;

  constructor(memoryMax: number) {
    this.ids = new Memory(memoryMax);
    this.peers = new Memory(memoryMax);
    this.receipts = new Memory(memoryMax);
  }

  get bytes(): number {
    return this.log.reduce((sum, { body }) => sum + Buffer.byteLength(body), 0);
  }

  /** Removes all up to this `seq`. Returns how many they were. */
  remove(upTo: number): number {
    if (upTo <= this.gone) return 0;
    const before = this.log.length;
    this.log = this.log.filter(({ seq }) => seq > upTo);
    this.gone = upTo;
    return before - this.log.length;
  }

  owe(kind: ReceiptKind, peer: string, seq: number): Owed {
    const owed = { kind, peer, seq };
    this.owed.set(`${kind} ${peer}`, owed);
    return owed;
  }

  settle(settled: readonly Owed[]): void {
    for (const { kind, peer, seq } of settled) {
      const name = `${kind} ${peer}`;
      if ((this.owed.get(name)?.seq ?? Number.POSITIVE_INFINITY) <= seq) this.owed.delete(name);
    }
  }

  advance(upTo: number): Owed[] {
    const newest = new Map<string, number>();
    for (const { seq, from } of this.log) if (seq > this.seen && seq <= upTo) newest.set(from, seq);
    this.seen = Math.max(this.seen, upTo);
    return Array.from(newest, ([peer, seq]) => this.owe('received', peer, seq));
  }
}

/** The latest entries: at least `entriesMax`, at most twice as many. */
class Memory<V> {
  readonly #entriesMax: number;
  #young = new Map<string, V>();
  #old = new Map<string, V>();

  constructor(entriesMax: number) {
    this.#entriesMax = entriesMax;
  }

  get(key: string): V | undefined {
    return this.#young.get(key) ?? this.#old.get(key);
  }

  set(key: string, value: V): void {
    this.#young.set(key, value);
    if (this.#young.size <= this.#entriesMax) return;
    this.#old = this.#young;
    this.#young = new Map();
  }

  get entries(): [string, V][] {
    return [...new Map([...this.#old, ...this.#young])];
  }
}

export class MemoryMailbox implements MailboxStore {
  readonly #limits: MailboxLimits;
  readonly #nowMs: () => number;
  readonly #mailboxes = new Map<string, Mailbox>();

  constructor(limits: MailboxLimits, nowMs = () => Date.now()) {
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  async store({ to, from, id, body }: NewMessage): Promise<Stored> {
    const mailbox = this.#make(to);
    const nowMs = this.#nowMs();
    const name = `${from} ${id}`;
    const nodes = this.#nodesOf(mailbox);
    const before = mailbox.ids.get(name);
    if (before && before.sentAtMs > nowMs - idsMs)
      return { result: 'ok', ...before, nodes, expired: { age: 0, room: 0 } };
    const { hasRoom, expired } = this.#makeRoom(mailbox, Buffer.byteLength(body));
    if (!hasRoom) return { result: 'full', expired };
    const message = { seq: ++mailbox.last, sentAtMs: nowMs };
    mailbox.log.push({ ...message, from, body });
    mailbox.ids.set(name, message);
    mailbox.peers.set(from, { newest: message.seq, read: mailbox.peers.get(from)?.read ?? 0 });
    return { result: 'ok', ...message, nodes, expired };
  }

  async page(user: string, after: number, count: number): Promise<MailboxPage> {
    const mailbox = this.#make(user);
    const age = this.#expire(mailbox);
    const messages = mailbox.log.filter(({ seq }) => seq > after).slice(0, count);
    return { messages, last: mailbox.last, expired: { age, room: 0 } };
  }

  async received(user: string, name: string, upTo: number, settled: readonly Owed[]) {
    const mailbox = this.#make(user);
    mailbox.settle(settled);
    const limit = Math.min(upTo, mailbox.last);
    const device = mailbox.devices.get(name);
    if (device) {
      device.cursor = Math.max(device.cursor, limit);
      device.seenMs = this.#nowMs();
    }
    const owed = mailbox.advance(limit);
    this.#prune(mailbox);
    return { owed };
  }

  async read(user: string, peer: string, upTo: number) {
    const mailbox = this.#make(user);
    const known = mailbox.peers.get(peer);
    const limit = Math.min(upTo, known?.newest ?? 0);
    if (!known || limit <= known.read) return { owed: [] };
    mailbox.peers.set(peer, { ...known, read: limit });
    return { owed: [mailbox.owe('read', peer, limit)] };
  }

  async receipt(user: string, by: string, kind: ReceiptKind, upTo: number) {
    const mailbox = this.#mailboxes.get(user);
    if (!mailbox) return { version: 0, nodes: [] };
    const none = { upTo: 0, version: 0 };
    const marks = mailbox.receipts.get(by) ?? { received: none, read: none };
    if (upTo <= marks[kind].upTo) return { version: 0, nodes: [] };
    const version = ++mailbox.version;
    mailbox.receipts.set(by, { ...marks, [kind]: { upTo, version } });
    return { version, nodes: this.#nodesOf(mailbox) };
  }

  async receipts(user: string, after: number) {
    const mailbox = this.#make(user);
    const receipts: StoredReceipt[] = mailbox.receipts.entries
      .flatMap(([by, marks]) => (['received', 'read'] as const).map((kind) => ({ kind, by, ...marks[kind] })))
      .filter(({ version }) => version > after)
      .sort((one, other) => one.version - other.version);
    return { receipts, version: mailbox.version };
  }

  async arrive(arrival: Arrival): Promise<Arrived> {
    const { user, device: name, upTo = 0, sent = 0, receiptsAfter = 0, lease, renews, settled } = arrival;
    const mailbox = this.#make(user);
    const nowMs = this.#nowMs();
    mailbox.settle(settled ?? []);
    const claimed = Math.max(upTo, sent);
    const age = this.#expire(mailbox);
    if (claimed > mailbox.last && claimed <= mailbox.last + claimMax) {
      if (mailbox.log.length === 0) mailbox.gone = claimed;
      mailbox.last = claimed;
    }
    if (receiptsAfter > mailbox.version && receiptsAfter <= mailbox.version + claimMax)
      mailbox.version = receiptsAfter;
    const limit = Math.min(upTo, mailbox.last);
    const device = mailbox.devices.get(name) ?? this.#newDevice(mailbox, name, limit);
    const { node, token } = device;
    const other = device.leaseEndsMs > nowMs && token !== lease?.token ? { node, token } : undefined;
    const isHolder = !(other && renews);
    if (isHolder) {
      device.cursor = Math.max(device.cursor, limit);
      device.seenMs = nowMs;
      if (lease)
        Object.assign(device, { node: lease.node, token: lease.token, leaseEndsMs: nowMs + lease.ttlMs });
      mailbox.advance(limit);
      this.#prune(mailbox);
    }
    const { last, gone, version: receiptVersion, owed } = mailbox;
    const waiting = Math.max(0, Math.min(mailbox.log.length, last - Math.max(device.cursor, gone)));
    const expired = { age, room: 0 };
    const { cursor } = device;
    return { cursor, last, waiting, receiptVersion, isHolder, other, owed: [...owed.values()], expired };
  }

  async leave(user: string, name: string, token: string, settled: readonly Owed[]): Promise<void> {
    const mailbox = this.#make(user);
    mailbox.settle(settled);
    const device = mailbox.devices.get(name);
    if (device?.token !== token) return;
    Object.assign(device, { seenMs: this.#nowMs(), leaseEndsMs: 0, node: '', token: '' });
  }

  async online(users: readonly string[]): Promise<readonly boolean[]> {
    return users.map((user) => {
      const mailbox = this.#mailboxes.get(user);
      return mailbox !== undefined && this.#nodesOf(mailbox).length > 0;
    });
  }

  async start(): Promise<void> {}

  async close(): Promise<void> {}

  #make(user: string): Mailbox {
    let mailbox = this.#mailboxes.get(user);
    if (!mailbox) {
      mailbox = new Mailbox(this.#limits.mailboxMemoryMax);
      this.#mailboxes.set(user, mailbox);
    }
    return mailbox;
  }

  #newDevice(mailbox: Mailbox, name: string, upTo: number): Device {
    const nowMs = this.#nowMs();
    const isLive = ({ leaseEndsMs }: Device) => Number(leaseEndsMs > nowMs);
    const byUse = [...mailbox.devices.values()].sort(
      (one, other) => isLive(one) - isLive(other) || one.seenMs - other.seenMs,
    );
    while (mailbox.devices.size >= this.#limits.mailboxDevicesMax)
      mailbox.devices.delete(byUse.shift()!.name);
    const cursor = upTo > 0 ? upTo : mailbox.gone;
    const device = { name, cursor, seenMs: nowMs, leaseEndsMs: 0, node: '', token: '' };
    mailbox.devices.set(name, device);
    return device;
  }

  #nodesOf({ devices }: Mailbox): string[] {
    const nowMs = this.#nowMs();
    const live = [...devices.values()].filter(({ leaseEndsMs }) => leaseEndsMs > nowMs);
    return [...new Set(live.map(({ node }) => node))];
  }

  #expire(mailbox: Mailbox): number {
    const limitMs = this.#nowMs() - this.#limits.mailboxAgeMs;
    return mailbox.remove(mailbox.log.findLast(({ sentAtMs }) => sentAtMs <= limitMs)?.seq ?? 0);
  }

  #cursorMin({ devices }: Mailbox, silentMs: number): number {
    const limitMs = this.#nowMs() - silentMs;
    const cursors = [...devices.values()].filter(({ seenMs }) => seenMs > limitMs).map((one) => one.cursor);
    return Math.min(...cursors);
  }

  #prune(mailbox: Mailbox): void {
    const cursor = this.#cursorMin(mailbox, this.#limits.mailboxAgeMs);
    if (cursor !== Number.POSITIVE_INFINITY) mailbox.remove(cursor);
  }

  #makeRoom(mailbox: Mailbox, bytes: number) {
    const { mailboxMessagesMax, mailboxBytesMax, mailboxHoldMs } = this.#limits;
    const fits = () => mailbox.log.length < mailboxMessagesMax && mailbox.bytes + bytes <= mailboxBytesMax;
    const expired = { age: fits() ? 0 : this.#expire(mailbox), room: 0 };
    const limit = Math.min(mailbox.seen, this.#cursorMin(mailbox, mailboxHoldMs));
    while (!fits()) {
      const oldest = mailbox.log.filter(({ seq }) => seq <= limit).slice(0, 16);
      if (oldest.length === 0) return { hasRoom: false, expired };
      expired.room += mailbox.remove(oldest.at(-1)!.seq);
    }
    return { hasRoom: true, expired };
  }
}
