/** Who may upload now: uploads at a time, of all and of each user, and what a user uploads in a day. */
import { busy, Refusal } from './refusal.ts';
import type { MediaServerSettings } from './settings.ts';

type Bounds = Pick<
  MediaServerSettings,
  'mediaUploadsMax' | 'mediaUserUploadsMax' | 'mediaUserDayBytesMax' | 'mediaFreeBytesMin'
>;

const dayMs = 24 * 3_600_000;
/** Chosen: users of one day who are told apart. Only people with an account have addresses. */
const usersMax = 100_000;

/** A place for one upload. */
export type Slot = {
  /** Frees the place. The user pays for the bytes that came: a failed upload cost as much as any. */
  release(receivedBytes: number): void;
};

export class UploadSlots {
  readonly #bounds: Bounds;
  readonly #paths = new Set<string>();
  /** Uploads under way by user. */
  readonly #users = new Map<string, number>();
  /** Bytes of this day by user, with those that uploads under way have announced. */
  readonly #dayBytes = new Map<string, number>();
  #day = 0;
  /** Bytes that uploads under way have announced. */
  #announcedBytes = 0;

  constructor(bounds: Bounds) {
    this.#bounds = bounds;
  }

  /** Uploads under way. */
  get size(): number {
    return this.#paths.size;
  }

  /** Takes a place for an upload of that many bytes. Throws a `Refusal`. `nowMs`: since 1970. */
  take(path: string, user: string, bytes: number, freeBytes: number, nowMs: number): Slot {
    const { mediaUploadsMax, mediaUserUploadsMax, mediaUserDayBytesMax, mediaFreeBytesMin } = this.#bounds;
    if (this.#paths.has(path)) throw busy(503, 'an upload to this address is under way: try again', 1);
    if (this.size >= mediaUploadsMax)
      throw busy(503, `${mediaUploadsMax} uploads are under way: try again`, 1);
    const ofUser = this.#users.get(user) ?? 0;
    if (ofUser >= mediaUserUploadsMax)
      throw busy(429, `${mediaUserUploadsMax} uploads of yours are under way: try again after one`, 1);
    this.#turnDay(nowMs);
    const ofDay = this.#dayBytes.get(user) ?? 0;
    const untilTomorrowSeconds = Math.ceil((dayMs - (nowMs % dayMs)) / 1000);
    if (ofDay + bytes > mediaUserDayBytesMax)
      throw busy(
        429,
        `at most ${mediaUserDayBytesMax} bytes a day: try again tomorrow`,
        untilTomorrowSeconds,
      );
    if (ofDay === 0 && this.#dayBytes.size >= usersMax)
      throw busy(503, 'too many people have uploaded today: try again tomorrow', untilTomorrowSeconds);
    if (freeBytes - this.#announcedBytes - bytes < mediaFreeBytesMin)
      throw new Refusal(507, 'the disk of the images is full: try again when the operator has made room');
    this.#paths.add(path);
    this.#users.set(user, ofUser + 1);
    this.#dayBytes.set(user, ofDay + bytes);
    this.#announcedBytes += bytes;
    const day = this.#day;
    return { release: (receivedBytes) => this.#release(path, user, bytes, receivedBytes, day) };
  }

  #release(path: string, user: string, bytes: number, receivedBytes: number, day: number): void {
    this.#paths.delete(path);
    this.#announcedBytes -= bytes;
    const left = this.#users.get(user)! - 1;
    if (left > 0) this.#users.set(user, left);
    else this.#users.delete(user);
    if (day !== this.#day) return;
    const ofDay = this.#dayBytes.get(user)! - bytes + receivedBytes;
    if (ofDay > 0) this.#dayBytes.set(user, ofDay);
    else this.#dayBytes.delete(user);
  }

  #turnDay(nowMs: number): void {
    const day = Math.floor(nowMs / dayMs);
    if (day === this.#day) return;
    this.#day = day;
    this.#dayBytes.clear();
  }
}
