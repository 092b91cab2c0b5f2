/** Hot path. One room of the cursor fan-out: its log, its members, and how far the present round has come. */
import type { Member } from './member.ts';
import { RoomLog } from './room-log.ts';

export class CursorRoom {
  readonly log: RoomLog;
  readonly members: Member[] = [];
  /** Index of the member that the present round serves next. */
  next = 0;
  /** Waits for a round, or is in one. */
  dirty = false;
  /** Time at which the oldest message of the present (or next) round was appended. */
  oldestAtMs = 0;
  /** The same for a message that came during the round, which may not bring it to all; 0: none. */
  oldestNextAtMs = 0;
  /** Start of the last round, for the minimum interval. */
  roundAtMs = Number.NEGATIVE_INFINITY;

  constructor(segmentBytesMax: number) {
    this.log = new RoomLog(segmentBytesMax);
  }

  /** Appends a message and notes its time. True: the room was clean, and has to be queued for a round now. */
  append(payload: Buffer, nowMs: number): boolean {
    this.log.append(payload);
    if (!this.dirty) {
      this.dirty = true;
      this.oldestAtMs = nowMs;
      return true;
    }
    if (this.next > 0 && this.oldestNextAtMs === 0) this.oldestNextAtMs = nowMs;
    return false;
  }

  /** Ends the round. True: messages came during it, and the room has to be queued for the next round. */
  endRound(): boolean {
    this.next = 0;
    this.dirty = this.oldestNextAtMs !== 0;
    this.oldestAtMs = this.oldestNextAtMs;
    this.oldestNextAtMs = 0;
    return this.dirty;
  }

  /** The member's cursor starts at the end of the log. */
  join(member: Member): void {
    const { tail } = this.log;
    member.segment = tail;
    member.offset = tail.end;
    member.framesSeen = this.log.frames;
    member.index = this.members.length;
    this.members.push(member);
  }

  leave(member: Member): void {
    if (member.index === -1) return;
    let free = member.index;
    member.index = -1;
    member.segment = undefined;
    // The last member of the list must not move to a place that the present round has passed: it would miss
    // its turn. So the member that was served last moves into the free place first, and frees its own.
    if (free < this.next) {
      this.next--;
      free = this.#move(this.next, free);
    }
    this.#move(this.members.length - 1, free);
    this.members.pop();
  }

  /** Moves a member from one place of the list to another; returns the place that is free now. */
  #move(from: number, to: number): number {
    if (from !== to) {
      const member = this.members[from]!;
      this.members[to] = member;
      member.index = to;
    }
    return from;
  }
}
