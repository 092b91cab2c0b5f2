/** The users of one worker: connects them at the planned pace, counts their connections, and closes them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { closeCode } from '#protocol';
import type { LocalRoom } from '../audit/listener.ts';
import { Resumption } from '../audit/resumption.ts';
import {
  type Assignment,
  type Endpoint,
  endpointOf,
  nameOfRoom,
  stalledReadersOfWorker,
  usersOfRoom,
  usersOfWorker,
} from '../model/assignment.ts';
import { isOfStorm } from '../model/return-wait.ts';
import { seededRandom } from '../model/schedule.ts';
import { countUp } from '../record/counts.ts';
import type { ResolvedWorkload } from '../workload.ts';
import { ConnectService } from './connect-service.ts';
import { noConnections } from './connection-report.ts';
import { handshakesMax, Returns } from './returns.ts';
import type { StalledReader } from './stalled-reader.ts';
import { StepAudit } from './step-audit.ts';
import { UnauditedUsers } from './unaudited-users.ts';
import { beginStepIn, isPresent, newRoom, takeOrder, type UserRoom } from './user-room.ts';
import { type UserEvents, VirtualUser } from './virtual-user.ts';

export type PoolSettings = Pick<UserEvents, 'received'> & {
  /** The common clock, in µs. */
  clockUs(): number;
};

const paceIntervalMs = 5;

export class UserPool {
  readonly rooms: UserRoom[] = [];
  readonly users: VirtualUser[] = [];
  readonly connections = noConnections();
  readonly unaudited: UnauditedUsers;
  /** Where users come back. */
  readonly returns: Returns | undefined;
  readonly service: ConnectService | undefined;
  readonly #assignment: Assignment;
  readonly #workload: ResolvedWorkload;
  readonly #worker: number;
  readonly #firstUser: number;
  readonly #events: UserEvents;
  readonly #messageBytesMax: number;
  #audit: StepAudit = new StepAudit(() => -1);
  /** When each handshake in progress began, oldest first, in ms of this process. */
  readonly #connecting = new Map<VirtualUser | StalledReader, number>();
  #hasBegun = false;

  constructor(assignment: Assignment, worker: number, { received, clockUs }: PoolSettings) {
    const { workload, headers } = assignment;
    this.#assignment = assignment;
    this.#workload = workload;
    this.#worker = worker;
    this.unaudited = new UnauditedUsers(assignment, worker);
    if (workload.connectUrls.length > 0)
      this.service = new ConnectService(workload.connectUrls, headers, this.#connectTimeoutMs);
    if (workload.resume)
      this.returns = new Returns({
        clockUs,
        random: seededRandom((workload.seed + worker) | 0),
        timeoutMs: this.#connectTimeoutMs,
        connect: (user, turn) => this.#connectAgain(user, turn),
        gap: (index) => this.#audit.addGap(this.user(index)!),
      });
    const { from, to } = usersOfWorker(workload, worker);
    this.#firstUser = from;
    this.#events = {
      received,
      opened: (user) => this.#onOpened(user, clockUs()),
      refused: (user, why, retryAfterMs) => this.#onRefused(user, why, retryAfterMs),
      closed: (user, code, reason) => this.#onClosed(user, code, reason),
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
        const user = this.#newUser(index, local, index - first, this.#newResumption(index, room));
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
    const closed = this.users.filter((user) => user.state === 'closed' && !user.resumption?.isAway);
    await this.#connectPaced(closed.length, (next) => {
      const { index, member, room } = closed[next]!;
      const user = this.#newUser(index, room, member, this.#newResumption(index, room.index));
      this.#replace(user);
      this.#connectUser(user, 0);
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
    if (user === undefined) return this.unaudited.addStalled(stalledFrom + next - this.users.length);
    this.#connectUser(user, 0);
    return user;
  }

  /** Each next `turn` tries another target. */
  #connectUser(user: VirtualUser, turn: number): void {
    const { index, room } = user;
    const endpoint = endpointOf(this.#assignment, index + turn, room.index);
    if (this.service === undefined) return user.connect(withPosition(endpoint, user));
    user.begin();
    const question = { user: index, room: nameOfRoom(this.#workload, room.index), turn: index + turn };
    const { service } = this;
    const asked = user.resumption?.isAway ? service.ask(question) : service.askFirst(question);
    void asked.then((answer) => {
      if (user.state !== 'connecting') return; // It took too long.
      if ('url' in answer) user.connect(withPosition({ ...endpoint, url: answer.url, ...answer.at }, user));
      // A stage without this service: any of its nodes serves any room.
      else if (answer.why === '404') user.connect(withPosition(endpoint, user));
      else user.refuse(`connect: ${answer.why}`, answer.retryAfterMs);
    });
  }

  #connectAgain(before: VirtualUser, turn: number): VirtualUser {
    const { index, room, member, resumption } = before;
    const user = this.#newUser(index, room, member, resumption);
    user.continue(before);
    this.#replace(user);
    this.#connectUser(user, turn);
    return user;
  }

  #newUser(index: number, room: LocalRoom, member: number, resumption: Resumption | null): VirtualUser {
    return new VirtualUser(index, room, member, this.#messageBytesMax, this.#events, resumption);
  }

  #newResumption(index: number, room: number): Resumption | null {
    return this.returns ? new Resumption(index, nameOfRoom(this.#workload, room), this.returns) : null;
  }

  #replace(user: VirtualUser): void {
    (user.room as UserRoom).users[user.member] = user;
    this.users[user.index - this.#firstUser] = user;
  }

  /**
   * Begins a step: from now on every delivery is new. Closed users stay closed. Those that the target closed
   * before the first step belong to that one: no other result would tell of them.
   */
  beginStep(workload: ResolvedWorkload, audit: StepAudit): void {
    const isFirst = !this.#hasBegun;
    this.#hasBegun = true;
    this.returns?.begin();
    for (const user of this.users) user.resumption?.begin();
    for (const room of this.rooms) beginStepIn(room, workload, isFirst);
    if (!isFirst || this.users.every(({ state }) => state !== 'closed')) this.connections.closedEarly = {};
    this.unaudited.begin();
    this.service?.begin();
    this.#audit = audit;
  }

  /** That share of all users drop their connections now, and come back. */
  storm(share: number): void {
    for (const user of this.users) {
      if (user.state !== 'open' || !isOfStorm(user.index, share)) continue;
      this.connections.open--;
      this.#audit.left(user);
      this.returns!.drop(user);
    }
  }

  /** Users that are between two connections, or did not come back. */
  get away(): number {
    return this.users.filter((user) => user.resumption?.isAway).length;
  }

  /** The order of each shared room since the last call, see `takeOrder`. */
  takeOrders(measureSlot: number): [room: number, numbers: Int32Array][] {
    return this.rooms
      .filter((room) => room.isShared)
      .map((room) => [room.index, takeOrder(room, measureSlot)]);
  }

  /** Users that are connected and have received no probe yet. */
  silent(): number {
    return this.users.reduce((sum, user) => sum + (user.state === 'open' && !user.probed ? 1 : 0), 0);
  }

  /** For each room of the workload, how many users here are connected, or come back. */
  recipientsByRoom(): Uint32Array {
    const counts = new Uint32Array(this.#workload.rooms);
    for (const room of this.rooms) counts[room.index] = room.users.filter(isPresent).length;
    return counts;
  }

  /** Closes all connections. Resolves when all have ended, or were dropped after `deadlineMs`. */
  async close(deadlineMs: number): Promise<void> {
    this.returns?.end();
    for (const user of this.users) user.close();
    this.unaudited.destroy();
    const endMs = performance.now() + deadlineMs;
    while (this.users.some((user) => user.connected) && performance.now() < endMs) await sleep(20);
    for (const user of this.users) user.destroy();
  }

  get #connectTimeoutMs(): number {
    return this.#workload.connectTimeoutSeconds * 1000;
  }

  #onOpened(user: VirtualUser, nowUs: number): void {
    this.connections.open++;
    if (user.resumption?.isAway) this.returns!.opened(user);
    else {
      this.connections.opened++;
      const beganMs = this.#connecting.get(user)!;
      this.connections.connectUs.push(Math.round((performance.now() - beganMs) * 1000));
    }
    user.resumption?.opened(nowUs);
  }

  #onRefused(user: VirtualUser, why: string, retryAfterMs: number | undefined): void {
    if (!why.startsWith('connect: ')) this.service?.failed(user.index);
    if (user.resumption?.isAway) this.returns!.refused(user, why, retryAfterMs);
    else countUp(this.connections.refused, why);
  }

  #onClosed(user: VirtualUser, code: number, reason: string): void {
    this.connections.open--;
    if (code === closeCode.goingAway) this.service?.failed(user.index);
    if (this.returns) this.#audit.left(user);
    if (!this.returns?.closed(user, code, reason)) countUp(this.connections.closedEarly, String(code));
  }
}

/** The user joins where it has come to, and is told so: a server that cannot resume ignores it. */
function withPosition(endpoint: Endpoint, { resumption }: VirtualUser): Endpoint {
  if (resumption === null) return endpoint;
  const url = new URL(endpoint.url);
  url.searchParams.set('after', resumption.after);
  return { ...endpoint, url };
}
