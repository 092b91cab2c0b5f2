/** The virtual users of one worker: brings them in at the planned pace, lets them hear each other, and sends them home. */

import { Interleavings } from '../audit/interleavings.ts';
import { type LocalRoom, stopFollowing } from '../audit/receiver.ts';
import { Reference } from '../audit/reference.ts';
import { RoomAudit } from '../audit/room-audit.ts';
import {
  type Plan,
  sendersOfRoom,
  sourceAddressOf,
  stalledReadersOfWorker,
  urlOf,
  usersOfRoom,
  usersOfWorker,
  visitorsMax,
} from '../model/assignment.ts';
import type { ConnectionReport, StalledReport } from '../run/worker-messages.ts';
import { Visitor, type VisitorCounts } from './churn-user.ts';
import { StalledReader } from './stalled-reader.ts';
import { type Endpoint, type UserEvents, VirtualUser } from './virtual-user.ts';

/** Handshakes under way at once; more would overflow a listener's default backlog of 511. */
const handshakesMax = 256;
const paceIntervalMs = 5;

export type UserRoom = LocalRoom & { readonly users: VirtualUser[] };

export class UserPool {
  readonly rooms: UserRoom[] = [];
  readonly users: VirtualUser[] = [];
  readonly refused: Record<string, number> = {};
  readonly closedEarly: Record<string, number> = {};
  readonly visitors: VisitorCounts = { asked: 0, opened: 0, refused: {}, connectUs: [], present: 0 };
  opened = 0;
  open = 0;
  #churn: NodeJS.Timeout | undefined;
  readonly #plan: Plan;
  readonly #worker: number;
  readonly #firstUser: number;
  readonly #stalled: StalledReader[] = [];
  readonly #connectUs: number[] = [];
  /** Handshakes under way, in the order of their beginning, in ms of this process. */
  readonly #connecting = new Map<VirtualUser | StalledReader, number>();

  constructor(plan: Plan, worker: number, received: UserEvents['received']) {
    this.#plan = plan;
    this.#worker = worker;
    const { from, to } = usersOfWorker(plan, worker);
    this.#firstUser = from;
    const events: UserEvents = {
      received,
      opened: (user) => this.#onOpened(user),
      refused: (_user, why) => this.#onRefused(why),
      closed: (_user, code) => this.#onClosed(code),
    };
    // Enough for any re-encoding (an escape of JSON takes six bytes), and a bound for what a broken server may send.
    const messageBytesMax = Math.max(1_048_576, plan.payloadBytes * 6);
    for (let room = 0; room < plan.rooms; room++) {
      const members = usersOfRoom(plan, room);
      const first = Math.max(from, members.from);
      const last = Math.min(to, members.to);
      if (first >= last) continue;
      const local = newRoom(plan, room, last - first);
      for (let index = first; index < last; index++) {
        const user = new VirtualUser(index, local, index - first, messageBytesMax, events);
        local.users.push(user);
        this.users.push(user);
      }
      this.rooms.push(local);
    }
  }

  /** The user with this index in the whole run, or undefined where another worker plays it. */
  user(index: number): VirtualUser | undefined {
    return this.users[index - this.#firstUser];
  }

  /** Connects everybody at the planned pace, stalled readers last; resolves when each has succeeded or failed. */
  async connect(): Promise<void> {
    const { connectPerSecond, connectTimeoutMs, workers } = this.#plan;
    const stalled = stalledReadersOfWorker(this.#plan, this.#worker);
    const total = this.users.length + stalled.to - stalled.from;
    const beganMs = performance.now();
    for (let next = 0; next < total || this.#connecting.size > 0; ) {
      const nowMs = performance.now();
      for (const [one, sinceMs] of this.#connecting)
        if (one.state !== 'connecting') this.#connecting.delete(one);
        else if (nowMs - sinceMs > connectTimeoutMs) one.abandon();
      const paceMax = Math.ceil(((nowMs - beganMs) / 1000) * (connectPerSecond / workers));
      while (next < Math.min(total, paceMax) && this.#connecting.size < handshakesMax) {
        this.#connecting.set(this.#connectNext(next, stalled.from), performance.now());
        next++;
      }
      await new Promise((done) => setTimeout(done, paceIntervalMs));
    }
  }

  #connectNext(next: number, stalledFrom: number): VirtualUser | StalledReader {
    const user = this.users[next];
    if (user !== undefined) {
      user.connect(this.#endpoint(user.index, user.room.index));
      return user;
    }
    const connection = this.#plan.clients + stalledFrom + next - this.users.length;
    const reader = new StalledReader(this.#endpoint(connection, connection % this.#plan.rooms));
    this.#stalled.push(reader);
    return reader;
  }

  /** Lets visitors come and go at the planned rate, from `delayMs` on until `endChurn`. */
  beginChurn(delayMs: number): void {
    const { churnPerSecond, connectTimeoutMs, clients, stalledReaders, workers, rooms } = this.#plan;
    const perSecond = churnPerSecond / workers;
    const presentMax = visitorsMax(perSecond);
    const beganMs = performance.now() + delayMs;
    let visits = 0;
    this.#churn = setInterval(() => {
      const due = Math.floor(((performance.now() - beganMs) / 1000) * perSecond);
      for (; visits < due && this.visitors.present < presentMax; visits++) {
        const connection = clients + stalledReaders + visits * workers + this.#worker;
        new Visitor(this.#endpoint(connection, connection % rooms), connectTimeoutMs, this.visitors);
      }
    }, paceIntervalMs);
  }

  /** No more visitors come. */
  endChurn(): void {
    clearInterval(this.#churn);
  }

  /** Users that are connected and have heard nothing yet. */
  silent(): number {
    return this.users.reduce((sum, user) => sum + (user.state === 'open' && !user.heard ? 1 : 0), 0);
  }

  /** For each of the plan's rooms, how many users here can hear. */
  recipientsByRoom(): Uint32Array {
    const counts = new Uint32Array(this.#plan.rooms);
    for (const room of this.rooms)
      counts[room.index] = room.users.filter((user) => user.state === 'open').length;
    return counts;
  }

  report(): ConnectionReport {
    const { opened, open, refused, closedEarly } = this;
    return { opened, open, refused, closedEarly, connectUs: this.#connectUs };
  }

  stalledReport(): StalledReport {
    const closed = this.#stalled.filter((reader) => reader.state === 'closed');
    return {
      opened: this.#stalled.filter((reader) => reader.state !== 'refused').length,
      closed: closed.length,
      closedAfterMs: closed.map((reader) => Math.round(reader.closedAfterMs)),
    };
  }

  /** Says goodbye to everybody; resolves when all connections have gone, or were dropped after `deadlineMs`. */
  async close(deadlineMs: number): Promise<void> {
    for (const user of this.users) user.close();
    for (const reader of this.#stalled) reader.destroy();
    const endMs = performance.now() + deadlineMs;
    while (this.users.some((user) => user.connected) && performance.now() < endMs)
      await new Promise((done) => setTimeout(done, 20));
    for (const user of this.users) user.destroy();
  }

  #endpoint(connection: number, room: number): Endpoint {
    const { targets, headers } = this.#plan;
    return {
      ...targets[connection % targets.length]!,
      url: urlOf(this.#plan, connection, room),
      sourceAddress: sourceAddressOf(this.#plan, connection),
      headers,
    };
  }

  #onOpened(user: VirtualUser): void {
    this.opened++;
    this.open++;
    this.#connectUs.push(Math.round((performance.now() - this.#connecting.get(user)!) * 1000));
  }

  #onRefused(why: string): void {
    this.refused[why] = (this.refused[why] ?? 0) + 1;
  }

  #onClosed(code: number): void {
    this.open--;
    this.closedEarly[code] = (this.closedEarly[code] ?? 0) + 1;
  }
}

function newRoom(plan: Plan, index: number, members: number): UserRoom {
  const users: VirtualUser[] = [];
  const bytesMax = Math.floor(plan.referenceBytesMax / plan.rooms);
  const interleavings = new Interleavings(() => {
    const reference: Reference = new Reference({
      bytesMax,
      forget: (frame) => {
        for (const user of users)
          if (user.reference === reference && user.frame !== -1 && user.frame < frame) stopFollowing(user);
      },
    });
    return reference;
  });
  return { index, users, interleavings, audit: new RoomAudit(members, sendersOfRoom(plan, index)) };
}
