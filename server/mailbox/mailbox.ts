/**
 * Hot path. The part of a stage that brings messages from person to person: it brings sessions, mailboxes and
 * wakes together.
 *
 * A device that comes: subscribe, take the lease, read the mailbox, in this order. A message that is stored
 * before the lease is in what is read; one that is stored after it finds the lease and wakes this node.
 */
import { randomBytes } from 'node:crypto';
import { splitUrls } from '#host/secrets.ts';
import {
  type DecodeFault,
  type DevicePositions,
  type DirectFrameOf,
  type MessageLimits,
  parseRead,
  parseReceived,
  parseSend,
  parseTyping,
} from '#protocol';
import type { Person, PersonPart, PersonSession } from '../accounts/person.ts';
import type { Signals } from '../backplane/signals.ts';
import type { Metrics } from '../ops/metrics.ts';
import { RedisStore } from '../redis/store.ts';
import { Device, type DeviceParts } from './device.ts';
import { encodeTyping } from './direct-frames.ts';
import { refuseFault } from './fault.ts';
import { FrameWriter } from './frame-writer.ts';
import { Inbox, nameOf } from './inbox.ts';
import { Leases } from './leases.ts';
import { createMailboxMeter, type MailboxMeter } from './mailbox-meter.ts';
import type { MailboxSettings } from './mailbox-settings.ts';
import type { MailboxStore, Owed } from './mailbox-store.ts';
import { PresenceWatch } from './presence-watch.ts';
import { RedisMailbox } from './redis-mailbox.ts';
import { Sending } from './sending.ts';
import { encodeWake, type Wake } from './wake.ts';

export type MailboxParts = {
  readonly store: MailboxStore;
  readonly signals: Signals;
  /** Whether there is an account of this name; asked only where there is no mailbox of it yet. */
  readonly accounts: { exists(user: string): Promise<boolean> };
  readonly settings: MailboxSettings & Pick<MessageLimits, 'messageBytesMax'>;
  readonly meter: MailboxMeter;
};

type Frame = Readonly<Record<string, unknown>>;

/** One indication of typing to the same person in this time is enough. Chosen. */
const typingMs = 1000;

export class Mailbox implements PersonPart {
  readonly handlers: PersonPart['handlers'];
  readonly #parts: MailboxParts;
  /** A random name of this process. */
  readonly #node = randomBytes(8).toString('hex');
  readonly #inboxes = new Map<string, Inbox>();
  readonly #devices = new Map<PersonSession, Device>();
  readonly #writer = new FrameWriter();
  readonly #leases: Leases;
  readonly #presence: PresenceWatch;
  readonly #deviceParts: DeviceParts;
  readonly #sending: Sending;
  readonly #typing = new WeakMap<PersonSession, { to: string; atMs: number }>();
  /** Devices of which the store has not been told how far they are. */
  readonly #telling = new Set<Device>();

  constructor(parts: MailboxParts) {
    this.#parts = parts;
    const { store, meter, settings, accounts } = parts;
    this.#sending = new Sending({
      store,
      accounts,
      meter,
      writer: this.#writer,
      queueMax: settings.mailboxQueueMax,
      wake: (user, nodes, wake) => this.#wake(user, nodes, wake),
    });
    this.#presence = new PresenceWatch({ store, settings, meter, writer: this.#writer });
    this.#deviceParts = {
      store,
      meter,
      writer: this.#writer,
      acknowledged: (device) => void this.#tellStore(device),
    };
    this.#leases = new Leases({
      store,
      meter,
      node: this.#node,
      ttlMs: settings.presenceLeaseMs,
      inboxOf: (device) => this.#inboxes.get(device.person.user),
      owed: (user, owed) => this.#tellSenders(user, owed),
      displaced: (device, other) =>
        this.#wake(device.person.user, [other.node], {
          kind: 'displaced',
          device: device.person.device,
          token: other.token,
        }),
    });
    meter.observeWaiting(() => {
      let waiting = 0;
      for (const device of this.#devices.values()) waiting += device.waiting;
      return waiting;
    });
    this.handlers = new Map([
      [
        'message',
        handler(
          (frame) => parseSend(frame, settings),
          (one, frame) => this.#sending.say(one, frame),
        ),
      ],
      ['received', handler(parseReceived, (one, { upTo }) => this.#devices.get(one)?.received(upTo))],
      ['read', handler(parseRead, (one, frame) => void this.#read(one, frame))],
      ['presence', handler(parseTyping, (one, frame) => this.#type(one, frame))],
      ['watch', (one, frame) => this.#presence.take(one, frame)],
    ]);
  }

  async start(): Promise<void> {
    await this.#parts.store.start();
    this.#leases.start(() => this.#devices.values());
    this.#presence.start();
  }

  async close(): Promise<void> {
    this.#leases.stop();
    this.#presence.stop();
    this.#writer.flush();
    await this.#parts.store.close();
  }

  async signingIn({ user, device }: Person, { upTo, receiptsAfter }: DevicePositions): Promise<number> {
    const claims = {
      ...(upTo !== undefined && { upTo }),
      ...(receiptsAfter !== undefined && { receiptsAfter }),
    };
    const { waiting, expired } = await this.#parts.store.arrive({ user, device, ...claims });
    this.#parts.meter.countExpired(expired);
    return waiting;
  }

  signedIn(session: PersonSession, { receiptsAfter = 0 }: DevicePositions): void {
    const { user } = session.person!;
    const device = new Device(session, randomBytes(8).toString('hex'), this.#deviceParts);
    device.receiptsSent = receiptsAfter;
    this.#devices.set(session, device);
    let inbox = this.#inboxes.get(user);
    if (!inbox) {
      inbox = new Inbox(user, this.#node, this.#parts.signals, {
        ready: (one) => void this.#leases.take(one),
        gap: (devices) => {
          for (const one of devices) void this.#leases.refresh(one);
        },
      });
      this.#inboxes.set(user, inbox);
    }
    inbox.add(device);
  }

  left(session: PersonSession): void {
    this.#presence.left(session);
    const device = this.#devices.get(session);
    if (!device) return;
    this.#devices.delete(session);
    device.end();
    const { user, device: name } = device.person;
    const inbox = this.#inboxes.get(user)!;
    const settled = inbox.takeSettled();
    if (inbox.remove(device)) this.#inboxes.delete(user);
    // Where it fails, the lease ends by itself, and what is owed is told again, which changes nothing.
    this.#parts.store.leave(user, name, device.token, settled).catch(() => {});
  }

  /** Wakes the devices here, and other nodes where some are. */
  #wake(user: string, nodes: readonly string[], wake: Wake): void {
    this.#inboxes.get(user)?.wake(wake);
    if (nodes.some((node) => node !== this.#node))
      this.#parts.signals.publish(nameOf(user), encodeWake(this.#node, wake));
  }

  /** One at a time for a device: what it acknowledges meanwhile is told next. */
  async #tellStore(device: Device): Promise<void> {
    if (this.#telling.has(device)) return;
    this.#telling.add(device);
    const { user, device: name } = device.person;
    const inbox = this.#inboxes.get(user)!;
    for (let told = -1; told < device.acknowledged; ) {
      told = device.acknowledged;
      const settled = inbox.takeSettled();
      try {
        const { owed } = await this.#parts.store.received(user, name, told, settled);
        this.#tellSenders(user, owed);
      } catch {
        inbox.putBack(settled); // The next renewal of the lease tells it.
        break;
      }
    }
    this.#telling.delete(device);
  }

  async #read(session: PersonSession, { peer, upTo }: DirectFrameOf<'read'>): Promise<void> {
    const { user } = session.person!;
    const { owed } = await this.#parts.store.read(user, peer, upTo).catch(() => ({ owed: [] }));
    this.#tellSenders(user, owed);
  }

  /** Writes receipts into the mailboxes of those who sent. Until then the mailbox of `by` owes them. */
  #tellSenders(by: string, owed: readonly Owed[]): void {
    for (const one of owed) {
      const { peer, kind, seq } = one;
      this.#parts.store.receipt(peer, by, kind, seq).then(
        ({ version, nodes }) => {
          this.#inboxes.get(by)?.settle(one);
          if (version === 0) return;
          this.#wake(peer, nodes, { kind: 'receipt', receipt: { type: kind, by, upTo: seq, version } });
        },
        () => {}, // It is still owed, and told again when a lease is renewed.
      );
    }
  }

  #type(session: PersonSession, { to }: DirectFrameOf<'presence'>): void {
    const last = this.#typing.get(session);
    const atMs = performance.now();
    if (last?.to === to && atMs - last.atMs < typingMs) return;
    this.#typing.set(session, { to, atMs });
    const wake = { kind: 'typing', text: encodeTyping(session.person!.user) } as const;
    this.#inboxes.get(to)?.wake(wake);
    this.#parts.signals.publish(nameOf(to), encodeWake(this.#node, wake));
  }
}

/** The mailboxes of a stage, in Redis. `url`: of one, or of several nodes of one cluster. */
export function mailboxOnRedis({
  url,
  channel,
  metrics,
  ...parts
}: Omit<MailboxParts, 'store' | 'meter'> & {
  readonly url: string;
  readonly channel: string;
  readonly metrics: Metrics;
}): Mailbox {
  const isCluster = splitUrls(url).length > 1;
  const store = new RedisStore({ url, name: 'chat-mailbox' });
  const meter = createMailboxMeter(metrics.registry);
  return new Mailbox({
    ...parts,
    meter,
    store: new RedisMailbox({ ...parts.settings, store, channel, isCluster }),
  });
}

/** A handler of frames of one type: a frame that breaks its rules costs its sender the connection. */
function handler<T extends object>(
  parse: (frame: Frame) => T | DecodeFault,
  take: (session: PersonSession, frame: T) => void,
) {
  return (session: PersonSession, frame: Frame): void => {
    const parsed = parse(frame);
    if ('fault' in parsed) refuseFault(session, parsed);
    else take(session, parsed as T);
  };
}
