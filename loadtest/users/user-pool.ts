/** The users of one worker: connects them at the planned pace, counts their connections, and closes them. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Assignment,
  churnUsersMax,
  endpointOf,
  stalledReadersOfWorker,
  usersOfRoom,
  usersOfWorker,
} from '../model/assignment.ts';
import type { ResolvedWorkload } from '../workload.ts';
import { type ChurnCounts, startChurnUser } from './churn-user.ts';
import { StalledReader, type StalledReport } from './stalled-reader.ts';
import { beginStepIn, newRoom, takeOrder, type UserRoom } from './user-room.ts';
import { type UserEvents, VirtualUser } from './virtual-user.ts';

/** The connections of a worker's virtual users so far. */
export type ConnectionReport = {
  opened: number;
  /** By HTTP status or socket error code. */
  refused: Record<string, number>;
  /** Since the step began, by close code. */
  closedEarly: Record<string, number>;
  open: number;
  /** Duration of each handshake. */
  connectUs: number[];
};

/** Handshakes at the same time at most: more would overflow a listener's default backlog of 511. */
const handshakesMax = 256;
const paceIntervalMs = 5;
export class UserPool {
  readonly rooms: UserRoom[] = [];
  readonly users: VirtualUser[] = [];
  readonly connections: ConnectionReport = {
    opened: 0,
    refused: {},
    closedEarly: {},
    open: 0,
    connectUs: [],
  };
  readonly churn: ChurnCounts = { asked: 0, opened: 0, refused: {}, connectUs: [], present: 0 };
  readonly #assignment: Assignment;
  readonly #workload: ResolvedWorkload;
  readonly #worker: number;
  readonly #firstUser: number;
  readonly #events: UserEvents;
  readonly #messageBytesMax: number;
  readonly #stalled: StalledReader[] = [];
  /** When each handshake in progress began, oldest first, in ms of this process. */
  readonly #connecting = new Map<VirtualUser | StalledReader, number>();
  #hasBegun = false;
  #churnTimer: NodeJS.Timeout | undefined;

  constructor(assignment: Assignment, worker: number, received: UserEvents['received']) {
    const { workload } = assignment;
    this.#assignment = assignment;
    this.#workload = workload;
    this.#worker = worker;
    const { from, to } = usersOfWorker(workload, worker);
    this.#firstUser = from;
    this.#events = {
      received,
      opened: (user) => this.#onOpened(user),
      refused: (_user, why) => countUp(this.connections.refused, why),
      closed: (_user, code) => this.#onClosed(code),
    };
    // Enough for any JSON encoding (an escape takes six bytes), and a bound for a broken server.
    this.#messageBytesMax = Math.max(1_048_576, workload.payloadBytes * 6);
    for (let room = 0; room < workload.rooms; room++) {
      const inRoom = usersOfRoom(workload, room);
      const first = Math.max(from, inRoom.from);
      const last = Math.min(to, inRoom.to);
      if (first >= last) continue;
      const isShared = inRoom.from < from || inRoom.to > to;
      const local = newRoom(workload, room, last - first, isShared);
      for (let index = first; index < last; index++) {
        const user = new VirtualUser(index, local, index - first, this.#messageBytesMax, this.#events);
        local.users.push(user);
        this.users.push(user);
      }
      this.rooms.push(local);
    }
  }

  /** The user with this index in the whole run; undefined if it belongs to another worker. */
  user(index: number): VirtualUser | undefined {
    return this.users[index - this.#firstUser];
  }

  /** Connects all users at the planned pace, stalled readers last. Resolves when each handshake has ended. */
  async connect(): Promise<void> {
    const stalled = stalledReadersOfWorker(this.#workload, this.#worker);
    const total = this.users.length + stalled.to - stalled.from;
    await this.#connectPaced(total, (next) => this.#connectNext(next, stalled.from));
  }

  /** Replaces each closed user by one that connects anew. Resolves when each handshake has ended. */
  async reconnect(): Promise<void> {
    const closed = this.users.filter((user) => user.state === 'closed');
    await this.#connectPaced(closed.length, (next) => {
      const { index, member } = closed[next]!;
      const room = this.rooms.find(({ users }) => users[member] === closed[next])!;
      const user = new VirtualUser(index, room, member, this.#messageBytesMax, this.#events);
      room.users[member] = user;
      this.users[index - this.#firstUser] = user;
      user.connect(endpointOf(this.#assignment, index, room.index));
      return user;
    });
  }

  /** Connects so many at the planned pace. Resolves when each handshake has ended. */
  async #connectPaced(
    total: number,
    connectNext: (next: number) => VirtualUser | StalledReader,
  ): Promise<void> {
    const { connectPerSecond, workers } = this.#workload;
    const beganMs = performance.now();
    for (let next = 0; next < total || this.#connecting.size > 0; ) {
      const nowMs = performance.now();
      for (const [one, sinceMs] of this.#connecting)
        if (one.state !== 'connecting') this.#connecting.delete(one);
        else if (one instanceof VirtualUser && nowMs - sinceMs > this.#connectTimeoutMs) one.abandon();
      const paceMax = Math.ceil(((nowMs - beganMs) / 1000) * (connectPerSecond / workers));
      while (next < Math.min(total, paceMax) && this.#connecting.size < handshakesMax) {
        this.#connecting.set(connectNext(next), performance.now());
        next++;
      }
      await sleep(paceIntervalMs);
    }
  }

  #connectNext(next: number, stalledFrom: number): VirtualUser | StalledReader {
    const user = this.users[next];
    if (user !== undefined) {
      user.connect(endpointOf(this.#assignment, user.index, user.room.index));
      return user;
    }
    const connection = this.#workload.clients + stalledFrom + next - this.users.length;
    const reader = new StalledReader(this.#unauditedEndpoint(connection), this.#connectTimeoutMs);
    this.#stalled.push(reader);
    return reader;
  }

  /**
   * Begins a step: from now on every delivery is new. Closed users stay closed. Those that the target closed
   * before the first step belong to that one: no other result would tell of them.
   */
  beginStep(workload: ResolvedWorkload): void {
    const isFirst = !this.#hasBegun;
    this.#hasBegun = true;
    for (const room of this.rooms) beginStepIn(room, workload, isFirst);
    if (!isFirst || this.users.every(({ state }) => state !== 'closed')) this.connections.closedEarly = {};
    Object.assign(this.churn, { asked: 0, opened: 0, refused: {}, connectUs: [] });
  }

  /** The order of each shared room since the last call, see `takeOrder`. */
  takeOrders(measureSlot: number): [room: number, numbers: Int32Array][] {
    return this.rooms
      .filter((room) => room.isShared)
      .map((room) => [room.index, takeOrder(room, measureSlot)]);
  }

  /** Starts churn users at the planned rate, from `delayMs` on until `endChurn`. */
  beginChurn(delayMs: number): void {
    const { churnPerSecond, clients, stalledReaders, workers } = this.#workload;
    const perSecond = churnPerSecond / workers;
    if (perSecond === 0) return;
    const presentMax = churnUsersMax(perSecond);
    const beganMs = performance.now() + delayMs;
    let started = 0;
    this.#churnTimer = setInterval(() => {
      const due = Math.floor(((performance.now() - beganMs) / 1000) * perSecond);
      for (; started < due && this.churn.present < presentMax; started++) {
        const connection = clients + stalledReaders + started * workers + this.#worker;
        startChurnUser(this.#unauditedEndpoint(connection), this.#connectTimeoutMs, this.churn);
      }
    }, paceIntervalMs);
  }

  /** Starts no more churn users. */
  endChurn(): void {
    clearInterval(this.#churnTimer);
  }

  /** Users that are connected and have received no probe yet. */
  silent(): number {
    return this.users.reduce((sum, user) => sum + (user.state === 'open' && !user.probed ? 1 : 0), 0);
  }

  /** For each room of the workload, how many users here are connected. */
  recipientsByRoom(): Uint32Array {
    const counts = new Uint32Array(this.#workload.rooms);
    for (const room of this.rooms)
      counts[room.index] = room.users.filter((user) => user.state === 'open').length;
    return counts;
  }

  /** The stalled readers until now. */
  stalledReport(): StalledReport {
    const closed = this.#stalled.filter((reader) => reader.state === 'closed');
    return {
      opened: this.#stalled.filter((reader) => reader.state !== 'refused').length,
      closed: closed.length,
      closedAfterMs: closed.map((reader) => Math.round(reader.closedAfterMs)),
    };
  }

  /** Closes all connections. Resolves when all have ended, or were dropped after `deadlineMs`. */
  async close(deadlineMs: number): Promise<void> {
    for (const user of this.users) user.close();
    for (const reader of this.#stalled) reader.destroy();
    const endMs = performance.now() + deadlineMs;
    while (this.users.some((user) => user.connected) && performance.now() < endMs) await sleep(20);
    for (const user of this.users) user.destroy();
  }

  get #connectTimeoutMs(): number {
    return this.#workload.connectTimeoutSeconds * 1000;
  }

  #unauditedEndpoint(connection: number) {
    return endpointOf(this.#assignment, connection, connection % this.#workload.rooms);
  }

  #onOpened(user: VirtualUser): void {
    this.connections.opened++;
    this.connections.open++;
    this.connections.connectUs.push(Math.round((performance.now() - this.#connecting.get(user)!) * 1000));
  }

  #onClosed(code: number): void {
    this.connections.open--;
    countUp(this.connections.closedEarly, String(code));
  }
}

function countUp(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1;
}
