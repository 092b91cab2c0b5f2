/**
 * The chat of a stage whose backplane has a log: who joins with a position receives the messages since then
 * first. All that takes time is done before the join, in `prepare`. The join itself is one step: the missed
 * messages end where the member's cursor begins, with nothing between them and nothing twice.
 */
import { encodeJoined } from '#protocol';
import type { LogBackplane, ResumeRequest } from '../backplane/backplane.ts';
import { type Chat, type FanOut, type NoPlace, relayedChat } from './chat.ts';
import type { FramesBefore } from './fan-out.ts';
import { frameTexts } from './frame.ts';
import type { Member } from './member.ts';

/** A fan-out that can hand over frames before those of the log, and part members from their rooms. */
export type ResumingFanOut = FanOut & {
  /** The member receives what `before` returns first; it is not called where there is no place. */
  join(member: Member, before?: () => FramesBefore): NoPlace | undefined;
  /** The members of these rooms receive nothing that is delivered later. Returns the rooms. */
  part(affects: (room: string) => boolean): string[];
};

/** Up to this size two pieces are copied into one, because a write costs more than the copy. Chosen. */
const copiedBytesMax = 64 * 1024;

export function resumingChat(backplane: LogBackplane, fanOut: ResumingFanOut): Chat {
  const chat = relayedChat(backplane, fanOut);
  /** Whole rooms come back with the same position: their frames are made once. */
  const framed = new WeakMap<readonly Buffer[], Buffer>();
  const framesOf = (missed: readonly Buffer[]) => {
    const frames = framed.get(missed) ?? frameTexts(missed);
    framed.set(missed, frames);
    return frames;
  };
  const part = (affects: (room: string) => boolean) => {
    for (const room of fanOut.part(affects)) backplane.unwant(room);
  };
  return {
    get ready() {
      return chat.ready;
    },
    get congested() {
      return backplane.congested ?? false;
    },
    get waitsFor() {
      return chat.waitsFor;
    },
    get rooms() {
      return chat.rooms;
    },
    start: (onGap) =>
      backplane.start({
        deliver: (room, payload) => fanOut.deliver(room, payload),
        gap: (reason, affects = () => true) => {
          // A message after a hole would be counted by who resumes, and stand for one that was missed.
          part(affects);
          onGap(reason, affects);
        },
      }),
    prepare: (room, request, done) => backplane.prepare(room, request, done),
    join(member, request) {
      const roomsBefore = fanOut.rooms;
      const noPlace = fanOut.join(member, request && (() => greeting(member.room, request)));
      if (fanOut.rooms > roomsBefore) backplane.want(member.room);
      return noPlace;
    },
    leave: (member) => chat.leave(member),
    publish: (sender, message) => chat.publish(sender, message),
    flush: (member) => chat.flush(member),
    close: () => chat.close(),
  };

  /** The frame `joined`, and the frames that were missed. */
  function greeting(room: string, request: ResumeRequest): FramesBefore {
    const { epoch, offset, recovered, missed } = backplane.recover(room, request);
    const joined = frameTexts([Buffer.from(encodeJoined({ room, epoch, offset, recovered }))]);
    const messages = missed.length;
    if (messages === 0) return { pieces: [joined], messages };
    const frames = framesOf(missed);
    return {
      pieces: frames.length > copiedBytesMax ? [joined, frames] : [Buffer.concat([joined, frames])],
      messages,
    };
  }
}
