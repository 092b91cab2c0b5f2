/**
 * Signals over the backplane of the rooms: they travel the same partitions. The chat is given a backplane
 * that carries its rooms only.
 *
 * Where a partition breaks off, it is subscribed again first, and only then the listeners are told: what they
 * read from the store then, and the signals that follow, leave no hole between them.
 */
import type { BackplaneEvents, LogBackplane } from './backplane.ts';
import { Listeners, type SignalReceiver, type Signals, startsSignalName } from './signals.ts';

/** Chosen: after a failure to subscribe, which itself took `resumeDeadlineMs` in most cases. */
const retryMs = 250;

/** A name that somebody listens to. */
type Subscription = { isReady: boolean; isBroken: boolean; readonly waiting: ((ok: boolean) => void)[] };

/** Cuts a backplane into one for the rooms and the signals. They start and close with the rooms'. */
export function withSignals(backplane: LogBackplane): { rooms: LogBackplane; signals: Signals } {
  const signals = new LogSignals(backplane);
  const rooms: LogBackplane = {
    get ready() {
      return backplane.ready;
    },
    get congested() {
      return backplane.congested ?? false;
    },
    get waitsFor() {
      return backplane.waitsFor ?? 'the other processes';
    },
    start: (events) => backplane.start(signals.before(events)),
    want: (room) => backplane.want(room),
    unwant: (room) => backplane.unwant(room),
    publish: (room, payload) => backplane.publish(room, payload),
    prepare: (room, request, done) => backplane.prepare(room, request, done),
    recover: (room, request) => backplane.recover(room, request),
    close: () => {
      signals.close();
      return backplane.close();
    },
  };
  return { rooms, signals };
}

class LogSignals implements Signals {
  readonly #backplane: LogBackplane;
  readonly #listeners = new Listeners();
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #retries = new Set<NodeJS.Timeout>();
  #closed = false;

  constructor(backplane: LogBackplane) {
    this.#backplane = backplane;
  }

  listen(name: string, to: SignalReceiver, ready: (ok: boolean) => void): () => void {
    let isOver = false;
    if (this.#listeners.add(name, to)) {
      const subscription = { isReady: false, isBroken: false, waiting: [ready] };
      this.#subscriptions.set(name, subscription);
      this.#subscribe(name, subscription);
    } else {
      const subscription = this.#subscriptions.get(name)!;
      if (subscription.isReady) ready(true);
      else subscription.waiting.push(ready);
    }
    return () => {
      if (isOver) return;
      isOver = true;
      if (!this.#listeners.remove(name, to)) return;
      this.#subscriptions.delete(name);
      this.#backplane.unwant(name);
    };
  }

  publish(name: string, payload: Buffer): boolean {
    return this.#backplane.publish(name, payload);
  }

  /** The events of the backplane before those of the rooms. */
  before(rooms: BackplaneEvents): BackplaneEvents {
    return {
      deliver: (name, payload) => {
        if (startsSignalName(name)) this.#listeners.receive(name, payload);
        else rooms.deliver(name, payload);
      },
      gap: (reason, affects) => {
        rooms.gap(reason, affects);
        for (const [name, subscription] of this.#subscriptions) {
          if (affects && !affects(name)) continue;
          subscription.isBroken = true;
          if (!subscription.isReady) continue; // It is being subscribed.
          subscription.isReady = false;
          this.#subscribe(name, subscription);
        }
      },
    };
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#retries) clearTimeout(timer);
  }

  #subscribe(name: string, subscription: Subscription): void {
    const isPresent = () => this.#subscriptions.get(name) === subscription && !this.#closed;
    if (!isPresent()) return;
    this.#backplane.prepare(name, undefined, (prepared) => {
      if (!isPresent()) return;
      if (prepared) this.#backplane.want(name);
      subscription.isReady = prepared;
      for (const ready of subscription.waiting.splice(0)) ready(prepared);
      if (!prepared) this.#retry(name, subscription);
      else if (subscription.isBroken) {
        subscription.isBroken = false;
        this.#listeners.gap(name);
      }
    });
  }

  #retry(name: string, subscription: Subscription): void {
    subscription.isBroken = true;
    const timer = setTimeout(() => {
      this.#retries.delete(timer);
      this.#subscribe(name, subscription);
    }, retryMs);
    this.#retries.add(timer);
  }
}
