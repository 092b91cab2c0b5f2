/** Hot path. One room of the cursor fan-out: its log, its members, and how far the present round has come. */
import type { LogMemory } from './log-memory.ts';
import type { Member } from './member.ts';
import { RoomLog, type Segment } from './room-log.ts';

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
  /** The last segment at the start of the present round: all members are brought there at least. */
  #roundFrom: Segment;
  /** All members are here or further on, except for those that wait. It is held for them. */
  #reached: Segment;

  constructor(memory: LogMemory) {
    this.log = new RoomLog(memory);
    this.#roundFrom = this.log.tail;
    this.#reached = this.log.tail;
    this.log.hold(this.#reached);
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

  startRound(nowMs: number): void {
    this.roundAtMs = nowMs;
    this.#roundFrom = this.log.tail;
  }

  /** Ends the round. True: messages came during it, and the room has to be queued for the next round. */
  endRound(): boolean {
    this.next = 0;
    this.dirty = this.oldestNextAtMs !== 0;
    this.oldestAtMs = this.oldestNextAtMs;
    this.oldestNextAtMs = 0;
    this.#reach(this.dirty ? this.#roundFrom : this.log.tail);
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
    this.forget(member);
    // The last member of the list must not move to a place that the present round has passed: it would miss
    // its turn. So the member that was served last moves into the free place first, and frees its own.
    if (free < this.next) {
      this.next--;
      free = this.#move(this.next, free);
    }
    this.#move(this.members.length - 1, free);
    this.members.pop();
  }

  /** The member waits at its cursor until the kernel has taken what was written. */
  wait(member: Member): void {
    member.writing = true;
    member.waitsIn = member.segment;
    if (member.segment) this.log.hold(member.segment);
  }

  /** The kernel has taken it, or the connection has ended. */
  endWait(member: Member): void {
    member.writing = false;
    if (member.waitsIn) this.log.letGo(member.waitsIn);
    member.waitsIn = undefined;
  }

  /** The member receives nothing more: its cursor keeps no segment. */
  forget(member: Member): void {
    if (member.waitsIn) this.log.letGo(member.waitsIn);
    member.waitsIn = undefined;
    member.segment = undefined;
  }

  /** The members that wait further behind than this many bytes. */
  behind(bytes: number): Member[] {
    const { index } = this.log.segmentOfLast(bytes);
    return this.members.filter(({ waitsIn }) => waitsIn !== undefined && waitsIn.index < index);
  }

  /** Gives a last segment back that is larger than it may be now, if everybody has read all of it. */
  shrink(segmentBytes: number): void {
    const { tail } = this.log;
    const atEnd = ({ segment, offset }: Member) => segment === tail && offset === tail.end;
    if (tail.bytes.length <= segmentBytes || this.dirty || tail.waiting > 1) return;
    const readers = this.members.filter(({ segment }) => segment !== undefined);
    if (!readers.every(atEnd)) return;
    const fresh = this.log.renewTail();
    for (const member of readers) {
      member.segment = fresh;
      member.offset = 0;
    }
    this.#reach(fresh);
  }

  #reach(segment: Segment): void {
    this.log.hold(segment);
    this.log.letGo(this.#reached);
    this.#reached = segment;
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
