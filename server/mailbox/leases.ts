/**
 * The leases of the devices here: presence, and the address of wakes. Each is renewed three times while it
 * lasts, a few at a time. The answer says how far the mailbox goes, so a wake that was lost is made up for by
 * then; and what is still owed, so a receipt that was not delivered is told again.
 */
import type { Device } from './device.ts';
import type { Inbox } from './inbox.ts';
import type { MailboxMeter } from './mailbox-meter.ts';
import type { Arrived, MailboxStore, Owed } from './mailbox-store.ts';

type LeasesOptions = {
  readonly store: Pick<MailboxStore, 'arrive' | 'leave'>;
  readonly meter: Pick<MailboxMeter, 'countExpired'>;
  readonly node: string;
  readonly ttlMs: number;
  inboxOf(device: Device): Inbox | undefined;
  /** The mailbox of this user owes these. */
  owed(user: string, owed: readonly Owed[]): void;
  /** A session of the same device, perhaps on another node, has lost its lease to this one. */
  displaced(by: Device, other: { readonly node: string; readonly token: string }): void;
};

/** Renewals of each lease while it lasts, and steps in which all are renewed once. Chosen. */
const renewalsPerLease = 3;
const stepsPerRenewal = 20;

export class Leases {
  readonly #options: LeasesOptions;
  readonly #renewing = new Set<Device>();
  /** Those of which the mailbox is to be looked at again as soon as the answer is here. */
  readonly #again = new Set<Device>();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LeasesOptions) {
    this.#options = options;
  }

  /** `devices`: all that are here, asked again for each round. */
  start(devices: () => IterableIterator<Device>): void {
    let rest: Device[] = [];
    let share = 0;
    const step = () => {
      if (rest.length === 0) {
        rest = [...devices()];
        share = Math.ceil(rest.length / stepsPerRenewal);
      }
      for (const device of rest.splice(0, share)) void this.#renew(device);
    };
    this.#timer = setInterval(step, this.#options.ttlMs / renewalsPerLease / stepsPerRenewal);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Takes the lease for a device that has just come, from whoever has it. */
  async take(device: Device): Promise<void> {
    await this.#arrive(device, false);
  }

  /** Looks at the mailbox now, and renews the lease: wakes may have been lost. */
  async refresh(device: Device): Promise<void> {
    // What is on its way may have been answered before they were lost.
    if (this.#renewing.has(device)) this.#again.add(device);
    else await this.#renew(device);
  }

  /**
   * Where another session has the lease, this one is closed; but one that never had it takes it: it is the
   * newer one, and the store did not answer when it came.
   */
  #renew(device: Device): Promise<void> {
    return this.#arrive(device, device.isLive);
  }

  async #arrive(device: Device, renews: boolean): Promise<void> {
    if (device.isOver || this.#renewing.has(device)) return;
    this.#renewing.add(device);
    const { store, node, ttlMs, meter } = this.#options;
    const settled = this.#options.inboxOf(device)?.takeSettled() ?? [];
    const { acknowledged, sent, receiptsSent: receiptsAfter, token } = device;
    const lease = { node, token, ttlMs };
    const place = { ...device.person, upTo: acknowledged, sent, receiptsAfter };
    try {
      const arrived = await store.arrive({ ...place, lease, renews, settled });
      meter.countExpired(arrived.expired);
      this.#arrived(device, arrived);
    } catch {
      this.#options.inboxOf(device)?.putBack(settled); // The next renewal comes soon.
    }
    this.#renewing.delete(device);
    if (this.#again.delete(device)) await this.#renew(device);
  }

  #arrived(device: Device, arrived: Arrived): void {
    const { user, device: name } = device.person;
    if (device.isOver) {
      // It left before it had the lease, perhaps.
      this.#options.store.leave(user, name, device.token, []).catch(() => {});
      return;
    }
    if (!arrived.isHolder) return device.displace();
    if (arrived.other) this.#options.displaced(device, arrived.other);
    if (!device.isLive) device.begin(arrived);
    else {
      device.offer(arrived.last);
      device.offerReceipt(arrived.receiptVersion);
    }
    this.#options.owed(user, arrived.owed);
  }
}
