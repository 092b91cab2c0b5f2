/** The chat of a stage: members join, messages come in, and every member of the room receives them. */
import { type ChatMessage, encodeMessage } from '#protocol';
import type { Backplane, ResumeRequest } from '../backplane/backplane.ts';
import { group, limit } from '../settings.ts';
import type { Member } from './member.ts';

/** The bound is chosen, not measured. */
export const roomSettings = group('Rooms', {
  roomsMax: limit(1, 1_000_000, 10_000, 'rooms that have sessions, in this process'),
});

/**
 * The bound for which somebody cannot join: `rooms`, their number; `missed_bytes`, the missed messages that
 * slow readers have still to take.
 */
export type NoPlace = 'rooms' | 'missed_bytes';

/** Each in a sentence, for the client that is turned away. */
export const noPlaceTexts: Readonly<Record<NoPlace, string>> = {
  rooms: 'no place for another room',
  missed_bytes: 'too many missed messages wait to be read by others; come back later',
};

export interface Chat {
  /**
   * Starts what the stage needs; rejects when it cannot. `onGap`: sessions here may have missed messages,
   * those in the rooms that `affects` accepts, or all.
   */
  start(onGap: (reason: string, affects?: (room: string) => boolean) => void): Promise<void>;
  /** False while messages cannot flow; readiness follows it. */
  readonly ready: boolean;
  /** True while so much waits to be carried that senders should be read no faster. Left out: never. */
  readonly congested?: boolean;
  /** Only where it needs a service: which one, and why the last attempt failed, without secrets. */
  readonly waitsFor?: string;
  /** Rooms that have members here. */
  readonly rooms: number;
  /**
   * Only where members can resume: calls back, perhaps at once, when somebody can join the room. False: not
   * in time. Whoever is to join must do so within the callback. `request` as for `join`.
   */
  prepare?(room: string, request: ResumeRequest | undefined, done: (prepared: boolean) => void): void;
  /**
   * From now on the member receives the messages of its room. With a request it receives its position and
   * what it missed first. Returns the bound that is reached where it cannot join.
   */
  join(member: Member, request?: ResumeRequest): NoPlace | undefined;
  leave(member: Member): void;
  /** Takes a message for the sender's room. False: it cannot be carried, and the sender is told 1013. */
  publish(sender: Member, message: ChatMessage): boolean;
  /** Writes all that the member has still to receive. False: the kernel has not taken it all yet. */
  flush(member: Member): boolean;
  close(): Promise<void>;
}

/** Brings messages that arrived in this process to its members: bounded-fan-out.ts and fan-out.ts. */
export type FanOut = Pick<Chat, 'rooms' | 'leave' | 'flush'> & {
  /** From now on the member receives the messages of its room, unless a bound is reached: it is returned. */
  join(member: Member): NoPlace | undefined;
  /** True while its memory is used up and slow consumers are evicted: more comes in than it can write. */
  readonly full: boolean;
  /** Sends one encoded message to every member of a room; the buffer is not kept. */
  deliver(room: string, payload: Buffer): void;
};

/** Encodes each message once, and sends it over the backplane into the fan-out of every process. */
export function relayedChat(backplane: Backplane, fanOut: FanOut): Chat {
  return {
    get ready() {
      return backplane.ready;
    },
    get congested() {
      return backplane.congested ?? false;
    },
    get waitsFor() {
      return backplane.waitsFor ?? 'the other processes';
    },
    get rooms() {
      return fanOut.rooms;
    },
    start: (onGap) =>
      backplane.start({ deliver: (room, payload) => fanOut.deliver(room, payload), gap: onGap }),
    join(member) {
      const roomsBefore = fanOut.rooms;
      const noPlace = fanOut.join(member);
      if (fanOut.rooms > roomsBefore) backplane.want(member.room);
      return noPlace;
    },
    leave(member) {
      const roomsBefore = fanOut.rooms;
      fanOut.leave(member);
      if (fanOut.rooms < roomsBefore) backplane.unwant(member.room);
    },
    publish: (sender, message) =>
      !fanOut.full && backplane.publish(sender.room, Buffer.from(encodeMessage(message))),
    flush: (member) => fanOut.flush(member),
    close: () => backplane.close(),
  };
}
