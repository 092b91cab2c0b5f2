/** What a stage is to the server: sessions come in, messages go in, and it sees to it that the room hears them. */
import { type ChatMessage, encodeMessage } from '#protocol';
import type { Backplane } from '../backplane/backplane.ts';
import type { Session } from '../gateway/session.ts';

export interface Chat {
  /** Brings up what the stage needs; rejects when it cannot. `interrupted`: sessions may have missed messages. */
  start(interrupted: (reason: string) => void): Promise<void>;
  /** False while messages cannot flow; readiness follows it. */
  readonly ready: boolean;
  /** Rooms that have sessions here. */
  readonly rooms: number;
  /** Lets a session hear its room from now on; false when there is no place for another room. */
  join(session: Session): boolean;
  leave(session: Session): void;
  /** Takes a message; false when it cannot be carried, which the sender is told with 1013. */
  publish(session: Session, message: ChatMessage): boolean;
  /** Writes at once what the session has still to hear; false when it cannot take it all yet (ask again later). */
  finish(session: Session): boolean;
  close(): Promise<void>;
}

/** How frames that arrived here reach the sessions that are here. */
export interface FanOut {
  readonly rooms: number;
  join(session: Session): boolean;
  leave(session: Session): void;
  /** Sends one encoded message to every session of a room; the buffer is not kept. */
  deliver(room: string, payload: Buffer): void;
  /** As `Chat.finish`. */
  finish(session: Session): boolean;
}

/** A chat whose messages all go the same way: encoded once, over the backplane, into the fan-out of each process. */
export class RelayedChat implements Chat {
  readonly #backplane: Backplane;
  readonly #fanOut: FanOut;

  constructor(backplane: Backplane, fanOut: FanOut) {
    this.#backplane = backplane;
    this.#fanOut = fanOut;
  }

  get ready(): boolean {
    return this.#backplane.ready;
  }

  get rooms(): number {
    return this.#fanOut.rooms;
  }

  start(interrupted: (reason: string) => void): Promise<void> {
    const fanOut = this.#fanOut;
    return this.#backplane.start({ deliver: (room, payload) => fanOut.deliver(room, payload), interrupted });
  }

  join(session: Session): boolean {
    return this.#fanOut.join(session);
  }

  leave(session: Session): void {
    this.#fanOut.leave(session);
  }

  publish(session: Session, message: ChatMessage): boolean {
    return this.#backplane.publish(session.room, Buffer.from(encodeMessage(message)));
  }

  finish(session: Session): boolean {
    return this.#fanOut.finish(session);
  }

  close(): Promise<void> {
    return this.#backplane.close();
  }
}
