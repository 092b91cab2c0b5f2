/**
 * Hot path. A member is a session's place in a room: the room and the cursor in its log. It keeps no queue.
 * The frames that it has still to receive lie in the log, behind the cursor.
 */
import type { Segment } from './room-log.ts';

/** The part of a connection that the chat uses. The session implements it (gateway/session.ts). */
export interface Connection {
  /** False once either side begins to close: after a close frame no other frame may follow. */
  readonly open: boolean;
  /** Bytes that were written and that the kernel has not taken. */
  readonly bufferedBytes: number;
  /** Set to true on any sign of life of the peer. */
  alive: boolean;
  /** Writes whole frames as they are. */
  write(frames: Buffer): void;
  /** Frames a text and writes it; a buffer holds UTF-8. */
  sendText(payload: string | Buffer): void;
  /** Calls back when the kernel has taken all bytes, or with the error that ended the connection. */
  whenWritten(callback: (error?: Error | null) => void): void;
  /** Sends a close frame after all that was written. */
  close(code: number, reason: string): void;
}

export class Member {
  readonly connection: Connection;
  readonly room: string;
  /** The cursor: the next byte to write, and the number of frames of the log that lie before it. */
  segment: Segment | undefined = undefined;
  offset = 0;
  framesSeen = 0;
  /** The kernel has not taken the last write whole; the member is skipped until it has. */
  writing = false;
  /** The segment that is kept for it meanwhile. */
  waitsIn: Segment | undefined = undefined;
  /** Index in its room's list of members, or -1; kept by the fan-out. */
  index = -1;

  constructor(connection: Connection, room: string) {
    this.connection = connection;
    this.room = room;
  }
}
