/** The backplane of a single process: it delivers a published message at once. One order for all sessions. */
import type { Backplane, BackplaneEvents } from './backplane.ts';

export class MemoryBackplane implements Backplane {
  #events: BackplaneEvents | undefined;

  get ready(): boolean {
    return this.#events !== undefined;
  }

  async start(events: BackplaneEvents): Promise<void> {
    this.#events = events;
  }

  want(): void {}

  unwant(): void {}

  publish(room: string, payload: Buffer): boolean {
    if (!this.#events) return false;
    this.#events.deliver(room, payload);
    return true;
  }

  async close(): Promise<void> {
    this.#events = undefined;
  }
}
