/** A worker as its supervisor sees it: one process, from fork to exit. */
import { type ChildProcess, fork } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { WorkerPlace } from '../backplane/mesh-publisher.ts';
import type { DrainOutcome } from '../gateway/drain.ts';
import type { Config } from '../stages/stage.ts';
import type { FromWorker, MetricsSnapshot, ToWorker } from './worker-messages.ts';

const workerPath = fileURLToPath(new URL('./worker.ts', import.meta.url));
/** Of a worker that is busy for longer, the last metrics are used; chosen, not measured. */
const scrapeDeadlineMs = 1000;
/** Time that a worker has beyond its drain deadline to stop everything; chosen, not measured. */
const drainGraceMs = 2000;

export class SupervisedWorker {
  readonly number: number;
  /** Resolves when the worker listens; rejects with the system's error, or when the worker ended. */
  readonly listening: Promise<AddressInfo>;
  /** Resolves with the way in which the worker ended, in words. */
  readonly ended: Promise<string>;
  ready = false;
  sessions = 0;
  /** True from when it listens to its end. */
  live = false;
  /** The last metrics that the worker sent: all that remains of one that has ended. */
  lastSnapshot: MetricsSnapshot = [];
  readonly #child: ChildProcess;
  #drained: DrainOutcome = { closedSessions: 0, cutSessions: 0 };
  #scrapes = 0;
  #silentTicks = 0;
  readonly #waiting = new Map<number, (snapshot: MetricsSnapshot) => void>();

  /** `live`: the numbers of the workers that listen at present. */
  constructor(stage: string, config: Config, place: WorkerPlace, live: readonly number[]) {
    this.number = place.workerNumber;
    this.#child = fork(workerPath, [], { stdio: 'inherit' });
    const listening = Promise.withResolvers<AddressInfo>();
    this.listening = listening.promise;
    this.listening.catch(() => {}); // A caller that does not wait for it learns of the end from `ended`.
    this.#child.on('message', (message: FromWorker) => {
      this.#silentTicks = 0;
      if (message.kind === 'listening') {
        this.live = true;
        listening.resolve(message.chat);
      } else if (message.kind === 'failed') {
        listening.reject(Object.assign(new Error(message.message), { code: message.code }));
      } else this.#receive(message);
    });
    this.#child.on('error', () => {}); // A message to a worker that has just ended; `exit` follows.
    this.ended = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        const how = signal === null ? `exited with code ${code}` : `was killed by ${signal}`;
        this.ready = false;
        this.live = false;
        this.sessions = 0;
        listening.reject(new Error(`worker ${place.workerNumber} ${how} before it listened`));
        for (const answer of this.#waiting.values()) answer(this.lastSnapshot);
        resolve(how);
      });
    });
    this.#send({ kind: 'start', stage, config, place, live });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Its metrics now, or the last ones where it is too busy to answer. */
  scrape(): Promise<MetricsSnapshot> {
    const number = ++this.#scrapes;
    const { promise, resolve } = Promise.withResolvers<MetricsSnapshot>();
    const timer = setTimeout(() => resolve(this.lastSnapshot), scrapeDeadlineMs);
    this.#waiting.set(number, resolve);
    this.#send({ kind: 'scrape', number });
    return promise.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(number);
    });
  }

  tellLive(workers: readonly number[]): void {
    this.#send({ kind: 'live', workers });
  }

  /** Ends one tick of the supervisor; returns the ticks since the worker's last sign of life. */
  tick(): number {
    return ++this.#silentTicks;
  }

  stopAdmitting(): void {
    this.#send({ kind: 'stop-admitting' });
  }

  /** Drains the worker and waits for its end; kills it when it misses the deadline. */
  async drain(deadlineMs: number): Promise<DrainOutcome> {
    const timer = setTimeout(() => this.kill(), deadlineMs + drainGraceMs);
    this.#send({ kind: 'drain', deadlineMs });
    await this.ended;
    clearTimeout(timer);
    return this.#drained;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #receive(message: FromWorker): void {
    if (message.kind === 'status') {
      this.ready = message.ready;
      this.sessions = message.sessions;
    } else if (message.kind === 'metrics') {
      this.lastSnapshot = message.snapshot;
      this.#waiting.get(message.number)?.(message.snapshot);
    } else if (message.kind === 'drained') {
      this.#drained = message.outcome;
    }
  }

  #send(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }
}
