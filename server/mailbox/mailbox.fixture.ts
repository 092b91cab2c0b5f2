/** Nodes with mailboxes in one process, and devices that use them, for tests. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { DirectClientFrame, DirectMessage, DirectServerFrame, Gap, Receipt, ServerAck } from '#protocol';
import { readDirectFrame } from '#protocol';
import type { Person, PersonSession } from '../accounts/person.ts';
import { MemorySignals } from '../backplane/signals.ts';
import { Mailbox } from './mailbox.ts';
import { createMailboxMeter } from './mailbox-meter.ts';
import type { MailboxLimits, MailboxStore } from './mailbox-store.ts';
import { MemoryMailbox } from './memory-mailbox.ts';

const dayMs = 86_400_000;

export const testSettings = {
  mailboxMessagesMax: 500,
  mailboxBytesMax: 1024 ** 2,
  mailboxAgeMs: 90 * dayMs,
  mailboxHoldMs: 7 * dayMs,
  mailboxDevicesMax: 16,
  mailboxMemoryMax: 1000,
  mailboxQueueMax: 10_000,
  // Renewed every 200 ms, by the clock of the process.
  presenceLeaseMs: 600,
  presenceIntervalMs: 20,
  presenceWatchedMax: 100,
  messageBytesMax: 4096,
};

/** A session whose client is the test. */
export class FakeSession implements PersonSession {
  readonly person: Person;
  open = true;
  bufferedBytes = 0;
  closeCode = 0;
  readonly frames: DirectServerFrame[] = [];
  /** Writes so far. */
  writes = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #onFrame: (frame: DirectServerFrame) => void;

  constructor(user: string, device = 'phone', onFrame: (frame: DirectServerFrame) => void = () => {}) {
    this.person = { user, device };
    this.#onFrame = onFrame;
  }

  sendText(): void {
    throw new Error('mailboxes write whole frames');
  }

  write(frames: Buffer): void {
    this.writes++;
    for (let offset = 0; offset < frames.length; ) {
      const short = frames[offset + 1]!;
      const start = offset + (short < 126 ? 2 : 4);
      const end = start + (short < 126 ? short : frames.readUInt16BE(offset + 2));
      const frame = readDirectFrame(JSON.parse(frames.toString('utf8', start, end)));
      assert.ok(frame, 'a frame of this protocol');
      this.frames.push(frame);
      this.#onFrame(frame);
      offset = end;
    }
  }

  whenWritten(callback: () => void): void {
    this.#waiting.push(callback);
  }

  /** The kernel takes everything. */
  drain(): void {
    this.bufferedBytes = 0;
    for (const callback of this.#waiting.splice(0)) callback();
  }

  close(code: number): void {
    this.open = false;
    this.closeCode = code;
  }

  get messages(): DirectMessage[] {
    return this.frames.filter((frame): frame is DirectMessage => frame.type === 'message');
  }

  get seqs(): number[] {
    return this.messages.map(({ seq }) => seq);
  }

  get acks(): ServerAck[] {
    return this.frames.filter((frame): frame is ServerAck => frame.type === 'server_ack');
  }

  get gaps(): Gap[] {
    return this.frames.filter((frame): frame is Gap => frame.type === 'gap');
  }

  get receipts(): Receipt[] {
    return this.frames.filter(
      (frame): frame is Receipt => frame.type === 'received' || frame.type === 'read',
    );
  }
}

type Hook = (name: keyof MailboxStore, args: readonly unknown[]) => void | Promise<void>;

/** A store of which any method can be made to fail, or be watched. */
export function tampered(store: MailboxStore, before: Hook, after: Hook = () => {}): MailboxStore {
  return new Proxy(store, {
    get(target, name: keyof MailboxStore) {
      const method = target[name] as (...args: unknown[]) => Promise<unknown>;
      return async (...args: unknown[]) => {
        await before(name, args);
        const answer = await method.apply(target, args);
        await after(name, args);
        return answer;
      };
    },
  });
}

export type MakeStore = (limits: MailboxLimits, nowMs: () => number) => MailboxStore;

type NodesOptions = {
  readonly count?: number;
  readonly settings?: Partial<typeof testSettings>;
  readonly makeStore?: MakeStore;
};

const memoryStore: MakeStore = (limits, nowMs) => new MemoryMailbox(limits, nowMs);

/** Nodes that share a store and signals. Everybody has an account whose name does not begin with `no`. */
export class Nodes implements AsyncDisposable {
  readonly clock = { nowMs: Date.now() };
  readonly signals = new MemorySignals();
  readonly meter = createMailboxMeter();
  readonly nodes: Mailbox[] = [];
  /** Called before each call of the store. */
  before: Hook = () => {};
  /** Called after each call of the store, before its answer is seen. */
  after: Hook = () => {};
  /** Signals are lost while it is true. */
  isDeaf = false;
  readonly store: MailboxStore;
  readonly #sessions = new Map<FakeSession, Mailbox>();
  readonly #settings: typeof testSettings;

  constructor({ count = 1, settings = {}, makeStore = memoryStore }: NodesOptions = {}) {
    this.#settings = { ...testSettings, ...settings };
    const store = makeStore(this.#settings, () => this.clock.nowMs);
    this.store = tampered(
      store,
      (...call) => this.before(...call),
      (...call) => this.after(...call),
    );
    for (let index = 0; index < count; index++)
      this.nodes.push(this.#make(index === 0 ? this.meter : undefined));
  }

  #make(meter = createMailboxMeter()): Mailbox {
    const signals = {
      listen: this.signals.listen.bind(this.signals),
      publish: (name: string, payload: Buffer) => this.isDeaf || this.signals.publish(name, payload),
    };
    const accounts = { exists: async (user: string) => !user.startsWith('no') };
    // All nodes share the store, which outlives them.
    const nothing = async () => {};
    const store = new Proxy(this.store, {
      get: (target, name: keyof MailboxStore) =>
        name === 'start' || name === 'close' ? nothing : target[name],
    });
    return new Mailbox({ store, signals, accounts, meter, settings: this.#settings });
  }

  async start(): Promise<this> {
    await this.store.start();
    for (const node of this.nodes) await node.start();
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const session of [...this.#sessions.keys()]) this.leave(session);
    for (const node of this.nodes) await node.close();
    await this.store.close();
  }

  /** Logs a session in. Resolves with the number of messages that wait. */
  async enter(
    session: FakeSession,
    { node = 0, upTo, receiptsAfter }: { node?: number; upTo?: number; receiptsAfter?: number } = {},
  ): Promise<number> {
    const positions = {
      ...(upTo !== undefined && { upTo }),
      ...(receiptsAfter !== undefined && { receiptsAfter }),
    };
    const mailbox = this.nodes[node]!;
    const waiting = await mailbox.signingIn(session.person, positions);
    this.#sessions.set(session, mailbox);
    mailbox.signedIn(session, positions);
    return waiting;
  }

  /** A node dies without a word, and another one takes its place. */
  async crash(node: number): Promise<void> {
    const dead = this.nodes[node]!;
    for (const [session, mailbox] of this.#sessions) {
      if (mailbox !== dead) continue;
      session.open = false;
      this.#sessions.delete(session);
    }
    await dead.close();
    this.nodes[node] = this.#make();
    await this.nodes[node]!.start();
  }

  leave(session: FakeSession): void {
    session.open = false;
    this.#sessions.get(session)?.left(session);
    this.#sessions.delete(session);
  }

  send(session: FakeSession, frame: DirectClientFrame | Record<string, unknown>): void {
    const handler = this.#sessions.get(session)!.handlers.get(String(frame.type))!;
    handler(session, frame as Record<string, unknown>);
  }

  /** Says something new to somebody; returns its id. */
  say(session: FakeSession, to: string, id: string = randomUUID()): string {
    this.send(session, { type: 'message', to, id, Message: `${id} said` });
    return id;
  }
}

/** Nodes that have started. */
export async function setUp(options: ConstructorParameters<typeof Nodes>[0] = {}): Promise<Nodes> {
  return new Nodes(options).start();
}

/** Lets that many turns of the event loop pass. */
export async function turns(count = 10): Promise<void> {
  for (let n = 0; n < count; n++) await turn();
}

/** The whole numbers of a range, its ends included. */
export const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);
