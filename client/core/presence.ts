/** Who of the people that this person watches is there, and who writes to them just now. */
import { type PresenceState, watchedMax } from '#protocol';
import type { Clock } from './clock.ts';

/** Somebody who writes says so again within this time. Chosen, not measured. */
const typingIntervalMs = 3_000;
/** Without another word for so long, they have stopped. Chosen, not measured. */
const typingMsMax = 6_000;

/** What presence says to the server; each is false while that cannot be sent. */
export type PresenceWire = {
  watch(users: readonly string[]): boolean;
  typing(to: string): boolean;
};

export class Presence {
  readonly #clock: Clock;
  readonly #wire: PresenceWire;
  readonly #onChange: () => void;
  #watched: readonly string[] = [];
  readonly #states = new Map<string, PresenceState>();
  readonly #typing = new Map<string, () => void>();
  readonly #toldAtMs = new Map<string, number>();

  /** `onChange`: somebody came, went, began or stopped to write. */
  constructor(clock: Clock, wire: PresenceWire, onChange: () => void) {
    this.#clock = clock;
    this.#wire = wire;
    this.#onChange = onChange;
  }

  /** The people that are watched, in the order in which they were named. */
  get watched(): readonly string[] {
    return this.#watched;
  }

  /** As the server said; undefined where it has not, or while there is no connection. */
  stateOf(user: string): PresenceState | undefined {
    return this.#states.get(user);
  }

  /** Who writes to this person just now. */
  get typing(): readonly string[] {
    return [...this.#typing.keys()];
  }

  /** Watches one more person; false where there are as many as a server takes. */
  watch(user: string): boolean {
    if (this.#watched.includes(user)) return true;
    if (this.#watched.length >= watchedMax) return false;
    this.#watched = [...this.#watched, user];
    this.#wire.watch(this.#watched);
    return true;
  }

  unwatch(user: string): void {
    if (!this.#watched.includes(user)) return;
    this.#watched = this.#watched.filter((name) => name !== user);
    this.#states.delete(user);
    this.#wire.watch(this.#watched);
  }

  /** This person writes to that one: told at most once in some seconds. */
  write(to: string): void {
    const nowMs = this.#clock.nowMs();
    if (nowMs - (this.#toldAtMs.get(to) ?? Number.NEGATIVE_INFINITY) < typingIntervalMs) return;
    if (this.#wire.typing(to)) this.#toldAtMs.set(to, nowMs);
  }

  /** The message that was written is on its way: the next key is told at once. */
  wrote(to: string): void {
    this.#toldAtMs.delete(to);
  }

  /** The server says how people that are watched are. */
  changed(states: Readonly<Record<string, PresenceState>>): void {
    for (const [user, state] of Object.entries(states))
      if (this.#watched.includes(user)) this.#states.set(user, state);
    this.#onChange();
  }

  /** That person writes. */
  writes(from: string): void {
    this.#typing.get(from)?.();
    this.#typing.set(
      from,
      this.#clock.after(typingMsMax, () => this.stopped(from)),
    );
    this.#onChange();
  }

  /** That person has stopped to write: their message is here, or nothing was heard of it. */
  stopped(from: string): void {
    this.#typing.get(from)?.();
    if (this.#typing.delete(from)) this.#onChange();
  }

  /** A login has just succeeded. */
  resume(): void {
    if (this.#watched.length > 0) this.#wire.watch(this.#watched);
  }

  /** The connection ended: nothing is known of anybody. */
  pause(): void {
    for (const cancel of this.#typing.values()) cancel();
    this.#typing.clear();
    this.#states.clear();
    this.#toldAtMs.clear();
    this.#onChange();
  }

  /** Forgets everything, when the person is another one. */
  clear(): void {
    this.#watched = [];
    this.pause();
  }
}
