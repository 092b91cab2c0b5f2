/**
 * The interleavings of one room. A server of several processes may promise the order of each sender only:
 * then the users of each process receive an interleaving of their own. Each frequent interleaving gets its
 * own reference, so that its recipients are checked at the speed of memory. The choice of reference changes
 * the cost of the check, never its result.
 */
import type { Reference } from './reference.ts';

/** References of one room at most. Recipients of further interleavings are read frame by frame. Chosen. */
export const interleavingsMax = 8;
/**
 * To judge a reference, so many pairs of successive messages must be known in it. Of them, one may be broken,
 * and one more in each `neighboursPerBreak`: a lost message breaks a pair too, and rare breaks cost little.
 * Chosen, not measured.
 */
const neighboursMin = 16;
const neighboursPerBreak = 64;
/** The newest reference must hold so many frames before another one begins: earlier it cannot be judged. */
const settledFrames = 512;
/** A reference whose newest message is so far behind is stale; less may be the lag of a slow reader. */
const staleMessages = 32_768;

export class Interleavings {
  readonly references: Reference[];
  readonly #referencesMax: number;
  readonly #newReference: () => Reference;

  constructor(referencesMax: number, newReference: () => Reference) {
    this.#referencesMax = referencesMax;
    this.#newReference = newReference;
    this.references = [newReference()];
  }

  /**
   * Forgets all frames, for a step that begins; no user may be at one. It keeps the references in `used`,
   * those of users who are present: they will share an order again, and need not find that out anew.
   */
  restart(used: ReadonlySet<Reference>): void {
    const kept = this.references.filter((reference) => used.has(reference));
    if (kept.length === 0) kept.push(this.references[0]!);
    this.references.splice(0, this.references.length, ...kept);
    for (const reference of kept) reference.clear();
  }

  /**
   * The reference for a user that does not match its current one and has just received these messages in
   * this order: a reference with the same order, a new one if there is none, the current one in doubt.
   */
  bestFor(current: Reference, numbers: Int32Array, count: number): Reference {
    let best = current;
    let leastBroken = brokenShare(current, numbers, count) ?? Number.POSITIVE_INFINITY;
    let isSure = true;
    for (const reference of this.references) {
      const broken = brokenShare(reference, numbers, count);
      if (broken === null) isSure &&= isStale(reference, numbers[0]!);
      else if (broken < leastBroken) {
        best = reference;
        leastBroken = broken;
      }
    }
    if (leastBroken === 0) return best;
    if (!isSure || this.references.length === this.#referencesMax) return current;
    if (this.references.length > 1 && this.references.at(-1)!.next < settledFrames) return current;
    const started = this.#newReference();
    this.references.push(started);
    return started;
  }
}

/** True if its newest message is long past. */
function isStale(reference: Reference, number: number): boolean {
  if (reference.next === 0) return false;
  return number - reference.numbers[(reference.next - 1) & reference.mask]! > staleMessages;
}

/**
 * Of the successive messages that the reference holds, the share that is not successive there, beyond the
 * tolerance; null if it holds too few to judge.
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
