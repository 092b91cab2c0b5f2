/** A recipient as the receive path sees it: its place in the reference of its room. Hot path. */
import type { FrameScanner } from '../wire/frame-scanner.ts';
import { Interleavings } from './interleavings.ts';
import { Reference } from './reference.ts';
import type { Resumption } from './resumption.ts';
import type { RoomAudit } from './room-audit.ts';

/** The part of a room that lives in this worker. */
export type LocalRoom = {
  index: number;
  /** Of the step that is measured. */
  audit: RoomAudit;
  readonly interleavings: Interleavings;
};

/** The part of a virtual user that the receive path needs. */
export type Listener = {
  readonly room: LocalRoom;
  /** Its row in the room's audit. */
  readonly member: number;
  readonly scanner: FrameScanner;
  /** The reference that it follows, and its place there: `within` bytes into `frame`. −1: it follows none. */
  reference: Reference;
  frame: number;
  within: number;
  /** The last chunk differed from the reference too often. */
  isMisfit: boolean;
  /** One more than the last frame of the reference that it has received: its place in the one order. */
  heard: number;
  /** Whether it has received a probe. */
  probed: boolean;
  /** Messages of this connection, of whatever kind. Typed frames are none. */
  received: number;
  /** Of a user that comes back and resumes; else null. */
  readonly resumption: Resumption | null;
  pinged(payload: Buffer): void;
  closed(code: number, reason: string): void;
  failed(detail: string): void;
};

/** Leaves the reference; the part of a frame that was already compared is given to the scanner. */
export function stopFollowing(listener: Listener): void {
  const { reference } = listener;
  if (listener.within > 0) {
    const at = (listener.frame & reference.mask) * reference.frameBytes;
    listener.scanner.resume(reference.bytes, at, at + listener.within);
  }
  listener.frame = -1;
  listener.within = 0;
}

/** At most so many references of a room are followed in each worker. */
export type ReferenceBounds = { bytesMax: number; referencesMax: number };

/** The interleavings of a room of these listeners, which may still grow. `bytesMax` bounds each reference. */
export function newInterleavings(
  listeners: readonly Listener[],
  { bytesMax, referencesMax }: ReferenceBounds,
): Interleavings {
  return new Interleavings(referencesMax, () => {
    const reference: Reference = new Reference({
      bytesMax,
      forget: (frame) => {
        for (const one of listeners)
          if (one.reference === reference && one.frame !== -1 && one.frame < frame) stopFollowing(one);
      },
    });
    return reference;
  });
}
