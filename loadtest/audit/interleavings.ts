/**
 * The interleavings in which a room is heard. A server of several processes may promise each sender's order only: then the users
 * of one process hear one interleaving, and those of another process another. Each interleaving that is worth it gets a
 * reference of its own, so that everybody in it is checked at the speed of memory. Which reference a user follows
 * changes what the check costs, never what it finds.
 */
import type { Reference } from './reference.ts';

/** Bound of the references of one room: as many processes of a server as can differ before the rest is read frame by frame. */
const interleavingsMax = 8;
/**
 * Neighbours that must be known to judge an order. One of them may be broken anyway, and one in so many more: where
 * breaks are rarer, following costs little; a lost message breaks as much. Chosen, not measured.
 */
const neighboursMin = 16;
const neighboursPerBreak = 64;
/** The newest order must hold so many frames before another one begins: until then nobody knows who belongs to it. */
const settledFrames = 512;
/** So many messages without one of them in a reference, and nobody follows it any more; fewer may be a slow reader's lag. */
const desertedMessages = 32_768;

export class Interleavings {
  readonly references: Reference[];
  readonly #newReference: () => Reference;

  constructor(newReference: () => Reference) {
    this.#newReference = newReference;
    this.references = [newReference()];
  }

  /**
   * The reference to follow for a user who keeps falling out of the current one and has just heard these messages one
   * after another: the one whose order they have, or a new one where they have none of them. The current one in doubt.
   */
  bestFor(current: Reference, numbers: Int32Array, count: number): Reference {
    let best = current;
    let leastBroken = brokenShare(current, numbers, count) ?? Number.POSITIVE_INFINITY;
    let isSure = true;
    for (const reference of this.references) {
      const broken = brokenShare(reference, numbers, count);
      if (broken === null) isSure &&= isDeserted(reference, numbers[0]!);
      else if (broken < leastBroken) {
        best = reference;
        leastBroken = broken;
      }
    }
    if (leastBroken === 0) return best;
    if (!isSure || this.references.length === interleavingsMax) return current;
    if (this.references.length > 1 && this.references.at(-1)!.next < settledFrames) return current;
    const started = this.#newReference();
    this.references.push(started);
    return started;
  }
}

/** True where nobody seems to follow it any more: its newest message is long past. */
function isDeserted(reference: Reference, number: number): boolean {
  if (reference.next === 0) return false;
  return number - reference.numbers[(reference.next - 1) & reference.mask]! > desertedMessages;
}

/**
 * Of the neighbours that the reference holds, the share that are none there, beyond those that may be; null where it
 * holds too few to tell.
 */
function brokenShare(reference: Reference, numbers: Int32Array, count: number): number | null {
  let known = 0;
  let broken = 0;
  let before = -1;
  for (let i = 0; i < count; i++) {
    const frame = reference.find(numbers[i]!);
    if (before !== -1 && frame !== -1) {
      known++;
      if (frame !== before + 1) broken++;
    }
    before = frame;
  }
  if (known < neighboursMin) return null;
  return Math.max(0, broken - 1 - known / neighboursPerBreak) / known;
}
