/** The devices of one person that are here, and what this node knows of their mailbox. */
import type { Signals } from '../backplane/signals.ts';
import type { Device } from './device.ts';
import type { Owed } from './mailbox-store.ts';
import { readWake, type Wake } from './wake.ts';

export type InboxEvents = {
  /** The subscription stands, or has to be waited for no longer: the device may take its lease. */
  ready(device: Device): void;
  /** Wakes may have been lost. */
  gap(devices: ReadonlySet<Device>): void;
};

export class Inbox {
  readonly user: string;
  readonly devices = new Set<Device>();
  /** What senders were told since the store was last told of it. */
  #settled: Owed[] = [];
  readonly #node: string;
  readonly #events: InboxEvents;
  readonly #unlisten: () => void;
  #isListening = false;

  constructor(user: string, node: string, signals: Signals, events: InboxEvents) {
    this.user = user;
    this.#node = node;
    this.#events = events;
    const receiver = {
      receive: (payload: Buffer) => this.#receive(payload),
      gap: () => events.gap(this.devices),
    };
    // Without a subscription the heads that come with each renewal of a lease are wakes enough, if late ones.
    this.#unlisten = signals.listen(nameOf(user), receiver, () => {
      this.#isListening = true;
      for (const device of this.devices) events.ready(device);
    });
  }

  add(device: Device): void {
    this.devices.add(device);
    if (this.#isListening) this.#events.ready(device);
  }

  /** True: it was the last one, and nothing is heard of this mailbox any more. */
  remove(device: Device): boolean {
    this.devices.delete(device);
    if (this.devices.size > 0) return false;
    this.#unlisten();
    return true;
  }

  /** Hands over a wake, whether it came from this node or from another one. */
  wake(wake: Wake): void {
    for (const device of this.devices) {
      if (wake.kind === 'message') device.offer(wake.seq, wake.text);
      else if (wake.kind === 'receipt') device.offerReceipt(wake.receipt.version, wake.receipt);
      else if (wake.kind === 'typing') device.tell(wake.text);
      else if (device.person.device === wake.device && device.token === wake.token) device.displace();
    }
  }

  settle(owed: Owed): void {
    this.#settled.push(owed);
  }

  takeSettled(): Owed[] {
    return this.#settled.splice(0);
  }

  /** They were taken, and the store may not have got them. */
  putBack(settled: readonly Owed[]): void {
    this.#settled.unshift(...settled);
  }

  #receive(payload: Buffer): void {
    const wake = readWake(payload, this.#node);
    if (wake) this.wake(wake);
  }
}

/** The name of the signals of a mailbox. */
export const nameOf = (user: string) => `@${user}`;
