/**
 * Several backplanes as one: each carries a share of the rooms, and fails alone. The order of messages is
 * that of its parts, because all messages of a room are in one of them.
 */
import type { Backplane, BackplaneEvents } from './backplane.ts';
import { partitionOf } from './partition.ts';

export class GroupedBackplane implements Backplane {
  readonly #parts: readonly Backplane[];

  constructor(parts: readonly Backplane[]) {
    this.#parts = parts;
  }

  /** False while one part is not ready: the others go on meanwhile. */
  get ready(): boolean {
    return this.#parts.every(({ ready }) => ready);
  }

  get congested(): boolean {
    return this.#parts.some(({ congested }) => congested);
  }

  get waitsFor(): string {
    const part = this.#parts.find(({ ready }) => !ready) ?? this.#parts[0]!;
    return part.waitsFor ?? '';
  }

  async start({ deliver, gap }: BackplaneEvents): Promise<void> {
    const starts = this.#parts.map((part) =>
      part.start({
        deliver,
        gap: (reason, affects = () => true) =>
          gap(reason, (room) => this.#partOf(room) === part && affects(room)),
      }),
    );
    const failed = (await Promise.allSettled(starts)).find(({ status }) => status === 'rejected');
    if (!failed) return;
    await this.close();
    throw (failed as PromiseRejectedResult).reason;
  }

  want(room: string): void {
    this.#partOf(room).want(room);
  }

  unwant(room: string): void {
    this.#partOf(room).unwant(room);
  }

  publish(room: string, payload: Buffer): boolean {
    return this.#partOf(room).publish(room, payload);
  }

  async close(): Promise<void> {
    await Promise.all(this.#parts.map((part) => part.close()));
  }

  #partOf(room: string): Backplane {
    return this.#parts[partitionOf(room, this.#parts.length)]!;
  }
}
