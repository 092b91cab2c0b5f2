/**
 * The audit of receipts: how far each person that a device has written to says to have received and read.
 * Neither ever goes back. One entry for each pair that wrote, in an open-addressing table.
 */

const capacityMin = 1024;
/** A table that is fuller grows. Chosen, not measured. */
const loadMax = 0.6;
/** More than there are people. */
const peersMax = 2 ** 20;

/** `stranger`: it is of somebody to whom this device's person has not written. */
export type ReceiptVerdict = 'new' | 'back' | 'stranger';

export class Receipts {
  #keys = new Float64Array(capacityMin).fill(-1);
  /** By slot: the highest acknowledged message, and up to where it was received and read. */
  #values = new Uint32Array(capacityMin * 3);
  #size = 0;

  /** This device's person writes to that peer. */
  wrote(device: number, peer: number): void {
    this.#slot(device, peer, true);
  }

  /** A message of this device has that place in the peer's mailbox. */
  acked(device: number, peer: number, seq: number): void {
    const at = this.#slot(device, peer, true) * 3;
    if (seq > this.#values[at]!) this.#values[at] = seq;
  }

  receipt(device: number, peer: number, kind: 'received' | 'read', upTo: number): ReceiptVerdict {
    const slot = this.#slot(device, peer, false);
    if (slot === -1) return 'stranger';
    const at = slot * 3 + (kind === 'received' ? 1 : 2);
    if (upTo < this.#values[at]!) return 'back';
    this.#values[at] = upTo;
    return 'new';
  }

  /** Pairs whose sender has not been told that all its acknowledged messages were received. */
  untold(): number {
    let count = 0;
    for (let slot = 0; slot < this.#keys.length; slot++)
      if (this.#keys[slot] !== -1 && this.#values[slot * 3]! > this.#values[slot * 3 + 1]!) count++;
    return count;
  }

  /** −1 if there is none and none shall be made. */
  #slot(device: number, peer: number, isWanted: boolean): number {
    const key = device * peersMax + peer;
    let slot = this.#find(key);
    if (this.#keys[slot] === key) return slot;
    if (!isWanted) return -1;
    if (this.#size + 1 > this.#keys.length * loadMax) {
      this.#grow();
      slot = this.#find(key);
    }
    this.#keys[slot] = key;
    this.#size++;
    return slot;
  }

  /** The slot of the key, or the free one where it belongs. */
  #find(key: number): number {
    const mask = this.#keys.length - 1;
    const hash = Math.imul((key % 2 ** 32) ^ Math.floor(key / 2 ** 32), 0x9e3779b1);
    let slot = (hash ^ (hash >>> 15)) & mask;
    while (this.#keys[slot] !== -1 && this.#keys[slot] !== key) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const [keys, values] = [this.#keys, this.#values];
    this.#keys = new Float64Array(keys.length * 2).fill(-1);
    this.#values = new Uint32Array(this.#keys.length * 3);
    for (let slot = 0; slot < keys.length; slot++) {
      if (keys[slot] === -1) continue;
      const to = this.#find(keys[slot]!);
      this.#keys[to] = keys[slot]!;
      this.#values.set(values.subarray(slot * 3, slot * 3 + 3), to * 3);
    }
  }
}
