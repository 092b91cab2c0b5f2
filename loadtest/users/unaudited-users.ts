/** The connections of a worker beside its virtual users: stalled readers and churn users. */
import { type Assignment, churnUsersMax, endpointOf } from '../model/assignment.ts';
import { type ChurnCounts, startChurnUser } from './churn-user.ts';
import { StalledReader, type StalledReport } from './stalled-reader.ts';

const paceIntervalMs = 5;

export class UnauditedUsers {
  readonly churn: ChurnCounts = { asked: 0, opened: 0, refused: {}, connectUs: [], present: 0 };
  readonly #assignment: Assignment;
  readonly #worker: number;
  readonly #stalled: StalledReader[] = [];
  #churnTimer: NodeJS.Timeout | undefined;

  constructor(assignment: Assignment, worker: number) {
    this.#assignment = assignment;
    this.#worker = worker;
  }

  /** Connects one more stalled reader; its number is counted over all workers. */
  addStalled(reader: number): StalledReader {
    const connection = this.#assignment.workload.clients + reader;
    const added = new StalledReader(this.#endpoint(connection), this.#timeoutMs);
    this.#stalled.push(added);
    return added;
  }

  /** A step begins. */
  begin(): void {
    Object.assign(this.churn, { asked: 0, opened: 0, refused: {}, connectUs: [] });
  }

  /** Starts churn users at the planned rate, from `delayMs` on until `endChurn`. */
  beginChurn(delayMs: number): void {
    const { churnPerSecond, clients, stalledReaders, workers } = this.#assignment.workload;
    const perSecond = churnPerSecond / workers;
    if (perSecond === 0) return;
    const presentMax = churnUsersMax(perSecond);
    const beganMs = performance.now() + delayMs;
    let started = 0;
    this.#churnTimer = setInterval(() => {
      const due = Math.floor(((performance.now() - beganMs) / 1000) * perSecond);
      for (; started < due && this.churn.present < presentMax; started++) {
        const connection = clients + stalledReaders + started * workers + this.#worker;
        startChurnUser(this.#endpoint(connection), this.#timeoutMs, this.churn);
      }
    }, paceIntervalMs);
  }

  /** Starts no more churn users. */
  endChurn(): void {
    clearInterval(this.#churnTimer);
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

  /** Drops the stalled readers. */
  destroy(): void {
    for (const reader of this.#stalled) reader.destroy();
  }

  get #timeoutMs(): number {
    return this.#assignment.workload.connectTimeoutSeconds * 1000;
  }

  #endpoint(connection: number) {
    return endpointOf(this.#assignment, connection, connection % this.#assignment.workload.rooms);
  }
}
