/** The place of this client in the log of its room: how it comes back, and whether it missed anything. */
import { encodePosition, type Joined, type Position, parseJoined } from '#protocol';

/** `recovered` and `lost`: everything missed follows, or not. `unable`: this server keeps no log. */
export type Resumption = 'recovered' | 'lost' | 'unable';

/** Counts the messages of the room, and reads the frame with which a server that keeps a log begins. */
export class Resume {
  #position: Position | undefined;
  #isAwaited = false;

  /** The address with the position. A server that cannot resume ignores it. */
  addressOf(url: string): string {
    const address = new URL(url);
    address.searchParams.set('after', this.#position ? encodePosition(this.#position) : '');
    return address.href;
  }

  /** A connection has opened: its first frame will tell whether this client missed anything. */
  opened(): void {
    this.#isAwaited = true;
  }

  /** Whether the first frame of the connection is still to come. */
  get isAwaited(): boolean {
    return this.#isAwaited;
  }

  /** Whether the last server kept a log. */
  get isAble(): boolean {
    return this.#position !== undefined;
  }

  /** Takes the frame `joined`, if the text is one that was asked for. */
  takeJoined(text: string): Resumption | undefined {
    const joined: Joined | undefined = this.#isAwaited ? parseJoined(text) : undefined;
    if (!joined) return undefined;
    this.#isAwaited = false;
    // Both together: an offset means nothing in another epoch.
    this.#position = { epoch: joined.epoch, offset: joined.offset };
    return joined.recovered ? 'recovered' : 'lost';
  }

  /** A message has come. `unable` if it is the first frame. */
  takeMessage(): Resumption | undefined {
    if (this.#isAwaited) {
      this.#isAwaited = false;
      this.#position = undefined;
      return 'unable';
    }
    if (this.#position) this.#position = { ...this.#position, offset: this.#position.offset + 1 };
    return undefined;
  }
}

/** Whether a client that was away missed messages, in words. */
export function resumption({ complete, lateCount }: { complete: boolean; lateCount: number }): string {
  if (!complete) return 'messages may be missing here';
  if (lateCount === 0) return 'you missed nothing';
  return `you missed nothing: ${lateCount === 1 ? '1 message' : `${lateCount} messages`} came late`;
}
