/** Users that come back after a close (`--resume`): when they do, and how it went. */
import type { Resumption, ReturnEvents } from '../audit/resumption.ts';
import { waitAfterClose, waitAfterRefusal } from '../model/return-wait.ts';
import { countUp } from '../record/counts.ts';
import type { VirtualUser } from './virtual-user.ts';

/** The returns of a worker's users in one step. Times are in µs since a user left. */
export type ReturnCounts = {
  /** Connections that ended and whose users come back, by close code. */
  closes: Record<string, number>;
  /** Times that users left the room: because of the storm, and otherwise. */
  left: { storm: number; others: number };
  /** Until the handshake had succeeded; of those that left in the storm, and of the others. */
  connectedUs: Times;
  /**
   * Until everything that had been missed had come, or until the user was told that it may miss something.
   */
  caughtUpUs: Times;
  recovered: number;
  lateDeliveries: number;
  gaps: number;
  /** Of the gaps, those behind which the server keeps no log at all. */
  unable: number;
  misannounced: number;
  /** Refusals of handshakes of users that come back, by HTTP status or error code. */
  refused: Record<string, number>;
};

export type Times = { storm: number[]; others: number[] };

export type ReturnSettings = {
  /** The common clock, in µs. */
  clockUs(): number;
  random(): number;
  /** Longest time for a handshake. */
  timeoutMs: number;
  /** Connects the user anew; each next turn elsewhere. Returns its new connection. */
  connect(user: VirtualUser, turn: number): VirtualUser;
  /** The user may have missed messages. */
  gap(index: number): void;
};

/** Handshakes at the same time at most: more would overflow a listener's default backlog of 511. */
export const handshakesMax = 256;

export class Returns implements ReturnEvents {
  counts = newCounts();
  readonly #settings: ReturnSettings;
  /** Users whose wait is over, oldest first, with their failed attempts. */
  readonly #ready: { user: VirtualUser; attempt: number }[] = [];
  readonly #connecting = new Map<Resumption, { attempt: number; timer: NodeJS.Timeout }>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #isOver = false;

  constructor(settings: ReturnSettings) {
    this.#settings = settings;
  }

  /** A step begins. */
  begin(): void {
    this.counts = newCounts();
  }

  /** Nobody comes back any more. */
  end(): void {
    this.#isOver = true;
    for (const timer of this.#timers) clearTimeout(timer);
    for (const { timer } of this.#connecting.values()) clearTimeout(timer);
  }

  /** The user has lost its connection. False if it does not come back. */
  closed(user: VirtualUser, code: number, reason: string): boolean {
    const waitMs = waitAfterClose(code, reason, this.#settings.random);
    if (waitMs === undefined || this.#isOver) return false;
    countUp(this.counts.closes, String(code));
    this.#leave(user, false);
    this.#comeBack(user, waitMs, 0);
    return true;
  }

  /** The user drops its connection and comes back at once. */
  drop(user: VirtualUser): void {
    user.drop();
    this.#leave(user, true);
    this.#comeBack(user, 0, 0);
  }

  /** The handshake of a user that comes back has failed. */
  refused(user: VirtualUser, why: string, retryAfterMs: number | undefined): void {
    const attempt = this.#settle(user.resumption!) + 1;
    countUp(this.counts.refused, why);
    const waitMs = waitAfterRefusal(why, retryAfterMs, attempt - 1, this.#settings.random);
    if (waitMs !== undefined) this.#comeBack(user, waitMs, attempt);
    this.#pump();
  }

  /** The user is connected again. */
  opened(user: VirtualUser): void {
    this.#settle(user.resumption!);
    this.#pump();
  }

  connected(user: Resumption, afterUs: number): void {
    timesOf(this.counts.connectedUs, user).push(Math.round(afterUs));
  }

  caughtUp(user: Resumption, afterUs: number): void {
    timesOf(this.counts.caughtUpUs, user).push(Math.round(afterUs));
  }

  recovered(): void {
    this.counts.recovered++;
  }

  gap(user: Resumption, isUnable: boolean): void {
    this.counts.gaps++;
    if (isUnable) this.counts.unable++;
    this.#settings.gap(user.index);
  }

  misannounced(): void {
    this.counts.misannounced++;
  }

  late(messages: number): void {
    this.counts.lateDeliveries += messages;
  }

  #leave({ resumption, received }: VirtualUser, isOfStorm: boolean): void {
    const isNew = resumption!.left(this.#settings.clockUs(), received, isOfStorm);
    if (isNew) this.counts.left[isOfStorm ? 'storm' : 'others']++;
  }

  #comeBack(user: VirtualUser, waitMs: number, attempt: number): void {
    if (this.#isOver) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      this.#ready.push({ user, attempt });
      this.#pump();
    }, waitMs);
    this.#timers.add(timer);
  }

  #pump(): void {
    while (!this.#isOver && this.#ready.length > 0 && this.#connecting.size < handshakesMax) {
      const { user, attempt } = this.#ready.shift()!;
      const again = this.#settings.connect(user, attempt);
      const timer = setTimeout(() => again.abandon(), this.#settings.timeoutMs);
      this.#connecting.set(user.resumption!, { attempt, timer });
    }
  }

  /** The handshake is over. Returns how many had failed before it. */
  #settle(resumption: Resumption): number {
    const { attempt = 0, timer } = this.#connecting.get(resumption) ?? {};
    clearTimeout(timer);
    this.#connecting.delete(resumption);
    return attempt;
  }
}

function newCounts(): ReturnCounts {
  return {
    closes: {},
    left: { storm: 0, others: 0 },
    connectedUs: { storm: [], others: [] },
    caughtUpUs: { storm: [], others: [] },
    recovered: 0,
    lateDeliveries: 0,
    gaps: 0,
    unable: 0,
    misannounced: 0,
    refused: {},
  };
}

function timesOf(times: Times, user: Resumption): number[] {
  return user.isOfStorm ? times.storm : times.others;
}
