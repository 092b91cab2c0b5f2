/**
 * Signals: small messages to a name, beside the rooms. `@bob` is the mailbox of a person, `#…` a channel of
 * posts. A signal is a wake and no store: whoever listens and missed one reads what it said from a store.
 */

export type SignalReceiver = {
  /** One signal; the payload is UTF-8, and belongs to the receiver. */
  receive(payload: Buffer): void;
  /** Signals may have been missed, and all later ones will be received: read the store. */
  gap(): void;
};

/**
 * Every implementation guarantees:
 * - after `ready(true)`, each signal that is published to the name reaches the receiver, at most once, or
 *   `gap` is called. So who subscribes first, and reads the store when it is ready, misses nothing between
 *   the two;
 * - signals that one process publishes to one name are received in that order;
 * - a signal that was accepted may still be lost with the process or the service that was to carry it, and
 *   only the store knows of it.
 */
export interface Signals {
  /**
   * Calls `ready` once, perhaps at once: true when everything published to `name` from now on will reach
   * `to`; false when that took too long: then `gap` is called when it has come to hold. Returns the function
   * that ends it.
   */
  listen(name: string, to: SignalReceiver, ready: (ok: boolean) => void): () => void;
  /** Takes a signal, UTF-8. False: it cannot be carried. The publishing process receives it too. */
  publish(name: string, payload: Buffer): boolean;
}

/** `@` or `#` and 1 to 254 visible characters of ASCII: no room has such a name. */
export function isSignalName(name: string): boolean {
  return /^[@#][!-~]{1,254}$/.test(name);
}

/** Tells the name of a signal from that of a room. */
export function startsSignalName(name: string): boolean {
  return name.startsWith('@') || name.startsWith('#');
}

/** Receivers by name. */
export class Listeners {
  readonly #byName = new Map<string, Set<SignalReceiver>>();

  get names(): Iterable<string> {
    return this.#byName.keys();
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** Adds a receiver. True: it is the first of this name. */
  add(name: string, to: SignalReceiver): boolean {
    const all = this.#byName.get(name);
    if (all) all.add(to);
    else this.#byName.set(name, new Set([to]));
    return all === undefined;
  }

  /** Removes a receiver. True: it was the last of this name. */
  remove(name: string, to: SignalReceiver): boolean {
    const all = this.#byName.get(name);
    return all?.delete(to) === true && all.size === 0 && this.#byName.delete(name);
  }

  receive(name: string, payload: Buffer): void {
    for (const to of this.#byName.get(name) ?? []) to.receive(payload);
  }

  gap(name: string): void {
    for (const to of this.#byName.get(name) ?? []) to.gap();
  }
}

/** Signals within one process. They arrive at once. */
export class MemorySignals implements Signals {
  readonly #listeners = new Listeners();

  listen(name: string, to: SignalReceiver, ready: (ok: boolean) => void): () => void {
    this.#listeners.add(name, to);
    ready(true);
    return () => void this.#listeners.remove(name, to);
  }

  publish(name: string, payload: Buffer): boolean {
    this.#listeners.receive(name, payload);
    return true;
  }

  /** As if signals to these names may have been lost; for tests. */
  break(affects: (name: string) => boolean): void {
    for (const name of [...this.#listeners.names]) if (affects(name)) this.#listeners.gap(name);
  }
}
