/** The part of a room that is in one worker: its users, its audit, and the streams that they follow. */
import { interleavingsMax } from '../audit/interleavings.ts';
import { type LocalRoom, newInterleavings, stopFollowing } from '../audit/listener.ts';
import { RoomAudit } from '../audit/room-audit.ts';
import { sendersOfRoom } from '../model/assignment.ts';
import type { ResolvedWorkload } from '../workload.ts';
import type { VirtualUser } from './virtual-user.ts';

/** The part of a room that is in this worker. */
export type UserRoom = LocalRoom & {
  readonly users: VirtualUser[];
  /** Other workers have users of the room too. */
  readonly isShared: boolean;
  /** Frames of the first reference whose order has been taken. */
  orderTaken: number;
};

/**
 * Bound of the reference streams of one worker, for each interleaving of its rooms: 13 s of 20,000 messages/s
 * of 128 B. A recipient that is further behind is read frame by frame.
 */
const referenceBytesMax = 64 * 2 ** 20;

/** A room without users, with an audit for so many recipients. */
export function newRoom(
  workload: ResolvedWorkload,
  index: number,
  recipients: number,
  isShared: boolean,
): UserRoom {
  const users: VirtualUser[] = [];
  const interleavings = newInterleavings(users, {
    bytesMax: Math.floor(referenceBytesMax / workload.rooms),
    referencesMax: workload.order === 'one-for-all' ? 1 : interleavingsMax,
  });
  const audit = newAudit(workload, index, recipients);
  return { index, users, interleavings, audit, isShared, orderTaken: 0 };
}

/** Every delivery in the room is new from now on. */
export function beginStepIn(room: UserRoom, workload: ResolvedWorkload, isFirst: boolean): void {
  for (const user of room.users) stopFollowing(user);
  room.audit = newAudit(workload, room.index, room.users.length);
  const { interleavings } = room;
  interleavings.restart(new Set(room.users.filter(isPresent).map(({ reference }) => reference)));
  room.orderTaken = 0;
  for (const user of room.users) {
    if (!interleavings.references.includes(user.reference)) user.reference = interleavings.references[0]!;
    user.heard = 0;
    user.isMisfit = false;
    user.isAbsent = !isFirst && user.state === 'closed' && !isPresent(user);
    user.sentNumber = -1;
  }
}

/** Connected, or between two connections. */
export function isPresent({ state, resumption }: VirtualUser): boolean {
  return state === 'open' || resumption?.isAway === true;
}

/** Messages of its first reference since the last call; numbers of the warm-up are inverted. */
export function takeOrder(room: UserRoom, measureSlot: number): Int32Array {
  const { numbers, slots, mask, next, oldest } = room.interleavings.references[0]!;
  const from = Math.max(room.orderTaken, oldest);
  room.orderTaken = next;
  return Int32Array.from({ length: next - from }, (_, i) => {
    const at = (from + i) & mask;
    return slots[at]! >= measureSlot ? numbers[at]! : ~numbers[at]!;
  });
}

function newAudit(workload: ResolvedWorkload, room: number, recipients: number): RoomAudit {
  return new RoomAudit(recipients, sendersOfRoom(workload, room));
}
