/**
 * One user across its connections: where it is in the log of its room, when it left, and whether it has
 * caught up again. Times are in µs of the common clock, unless they are said to be of the schedule.
 */
import { encodePosition, type Joined, type Position, parseJoined } from '#protocol';
import type { StreamTimes } from '../record/recorder.ts';

/** What becomes of the absences of the users of a worker. */
export type ReturnEvents = {
  /** Back in the room, so long after it left. */
  connected(user: Resumption, afterUs: number): void;
  /** It has received everything that it had missed. */
  caughtUp(user: Resumption, afterUs: number): void;
  /** It was told that everything it missed follows. */
  recovered(): void;
  /** Messages may be missing: it was told so, or (`isUnable`) the server keeps no log. */
  gap(user: Resumption, isUnable: boolean): void;
  /** The frame `joined` contradicts what was asked for. */
  misannounced(): void;
  /** A message that the user had missed has come. */
  late(messages: number): void;
};

export class Resumption {
  readonly index: number;
  readonly #room: string;
  readonly #events: ReturnEvents;
  /** Its place before the first message of this connection; undefined where the server keeps no log. */
  #base: Position | undefined;
  #asked: Position | undefined;
  /** Whether the server has ever said that it keeps a log. */
  #isAble = false;
  /** It is back, and its first frame is still to come. */
  #isBack = false;
  #leftUs = 0;
  #lastLateUs = 0;
  /** When it was back, in µs of the schedule, modulo 2^32. */
  #backAtUs = 0;
  /** It has been connected since it left. */
  #wasConnected = false;
  /** The first frame of this connection is still to come. */
  isAwaited = false;
  /** It comes back: it is between two connections. */
  isAway = false;
  /** It has left in this step. */
  hasLeft = false;
  /** It left because of the storm of this step. */
  isOfStorm = false;
  /** It has not yet received a message that was sent after it was back. */
  isCatchingUp = false;

  constructor(index: number, room: string, events: ReturnEvents) {
    this.index = index;
    this.#room = room;
    this.#events = events;
  }

  /** The value of `?after=` for the next connection. */
  get after(): string {
    return this.#base === undefined ? '' : encodePosition(this.#base);
  }

  /**
   * The connection has ended after so many messages, and the user will come back. False if it has never been
   * back since the last time: who is closed before it has caught up is still on its way.
   */
  left(nowUs: number, received: number, isOfStorm: boolean): boolean {
    if (this.#base !== undefined && !this.isAwaited)
      this.#base = { epoch: this.#base.epoch, offset: this.#base.offset + received };
    const isNew = !this.isCatchingUp && !this.#isBack;
    if (isNew) {
      this.#leftUs = nowUs;
      this.#wasConnected = false;
      this.isOfStorm = isOfStorm;
    }
    this.isCatchingUp = false;
    this.isAway = true;
    this.hasLeft = true;
    return isNew;
  }

  /** A connection has opened. */
  opened(nowUs: number): void {
    this.isAwaited = true;
    this.#asked = this.#base;
    this.#isBack = this.isAway;
    if (!this.isAway) return;
    this.isAway = false;
    if (!this.#wasConnected) this.#events.connected(this, nowUs - this.#leftUs);
    this.#wasConnected = true;
    // A server that kept no log before is not waited for: it may have nothing to say for long.
    if (!this.#isAble) this.#missed(nowUs, true);
  }

  /** The first frame of a connection has come. True if it was the frame `joined`, which is no message. */
  first(text: string | undefined, nowUs: number, scheduleUs: number): boolean {
    this.isAwaited = false;
    const joined = text === undefined ? undefined : parseJoined(text);
    if (joined === undefined) {
      this.#base = undefined;
      if (this.#isAble) this.#missed(nowUs, true);
      this.#isAble = false;
      return false;
    }
    this.#isAble = true;
    this.#check(joined);
    // Both together: an offset means nothing in another epoch.
    this.#base = { epoch: joined.epoch, offset: joined.offset };
    if (!this.#isBack) return true;
    if (!joined.recovered) this.#missed(nowUs, false);
    else {
      this.#isBack = false;
      this.#events.recovered();
      this.isCatchingUp = true;
      this.#backAtUs = scheduleUs | 0;
      this.#lastLateUs = nowUs;
    }
    return true;
  }

  /**
   * While it catches up: these frames came now. The ones that were sent before it was back come late. One
   * that was sent after shows that all of them have come.
   */
  catchUp({ sentUs, mask }: StreamTimes, from: number, to: number, nowUs: number): void {
    let frame = from;
    while (frame < to && ((sentUs[frame & mask]! - this.#backAtUs) | 0) < 0) frame++;
    if (frame > from) {
      this.#lastLateUs = nowUs;
      this.#events.late(frame - from);
    }
    if (frame < to) this.endCatchUp();
  }

  /** Everything that it had missed has come, or the step ends. */
  endCatchUp(): void {
    if (!this.isCatchingUp) return;
    this.isCatchingUp = false;
    this.#events.caughtUp(this, this.#lastLateUs - this.#leftUs);
  }

  /** A step begins. */
  begin(): void {
    this.endCatchUp();
    this.hasLeft = this.isAway;
    this.isOfStorm = false;
  }

  /** It hears what is new from now on, and nothing that it missed. */
  #missed(nowUs: number, isUnable: boolean): void {
    if (!this.#isBack) return;
    this.#isBack = false;
    this.#events.gap(this, isUnable);
    this.#events.caughtUp(this, nowUs - this.#leftUs);
  }

  #check({ room, epoch, offset, recovered }: Joined): void {
    const asked = this.#asked;
    const isSame = asked !== undefined && asked.epoch === epoch && asked.offset === offset;
    if (room !== this.#room || (recovered && !isSame)) this.#events.misannounced();
  }
}
