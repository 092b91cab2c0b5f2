/** A worker as its supervisor sees it: one life of one process, from fork to exit. */
import { type ChildProcess, fork } from 'node:child_process';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Config } from '../settings.ts';
import type { DrainOutcome, FromWorker, MetricsSnapshot, ToWorker } from './worker-messages.ts';

const workerPath = fileURLToPath(new URL('./worker.ts', import.meta.url));
// A worker that is busy for longer answers with what it said last; chosen, not measured.
const scrapeDeadlineMs = 1000;
/** What a worker may take beyond its drain deadline, in ms, to close what it has open. */
const drainGraceMs = 2000;

export class SupervisedWorker {
  readonly slot: number;
  /** Resolves when it listens; rejects with the system's error, or because it ended before. */
  readonly listening: Promise<AddressInfo>;
  /** Resolves with how it ended, in words. */
  readonly ended: Promise<string>;
  ready = false;
  sessions = 0;
  readonly #child: ChildProcess;
  #lastSnapshot: MetricsSnapshot = [];
  #drained: DrainOutcome = { closedSessions: 0, cutSessions: 0 };
  #scrapes = 0;
  readonly #waiting = new Map<number, (snapshot: MetricsSnapshot) => void>();

  constructor(stage: string, config: Config, slot: number) {
    this.slot = slot;
    this.#child = fork(workerPath, [], { stdio: 'inherit' });
    const listening = Promise.withResolvers<AddressInfo>();
    this.listening = listening.promise;
    this.listening.catch(() => {}); // Whoever does not wait for it hears of the end.
    this.#child.on('message', (message: FromWorker) => {
      if (message.kind === 'listening') listening.resolve(message.chat);
      else if (message.kind === 'failed') {
        listening.reject(Object.assign(new Error(message.message), { code: message.code }));
      } else this.#hear(message);
    });
    this.#child.on('error', () => {}); // Sending to one that has just ended; `exit` tells.
    this.ended = new Promise((resolve) => {
      this.#child.once('exit', (code, signal) => {
        const how = signal === null ? `exited with code ${code}` : `was killed by ${signal}`;
        this.ready = false;
        this.sessions = 0;
        listening.reject(new Error(`worker ${slot} ${how} before it listened`));
        for (const answer of this.#waiting.values()) answer(this.#lastSnapshot);
        resolve(how);
      });
    });
    this.#tell({ kind: 'start', stage, config });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** What it said last of its metrics: all that remains of one that has ended. */
  get lastSnapshot(): MetricsSnapshot {
    return this.#lastSnapshot;
  }

  /** Its metrics now, or as they were last where it is too busy to answer. */
  scrape(): Promise<MetricsSnapshot> {
    const number = ++this.#scrapes;
    return new Promise((resolve) => {
      const answer = (snapshot: MetricsSnapshot) => {
        clearTimeout(timer);
        this.#waiting.delete(number);
        resolve(snapshot);
      };
      const timer = setTimeout(() => answer(this.#lastSnapshot), scrapeDeadlineMs);
      this.#waiting.set(number, answer);
      this.#tell({ kind: 'scrape', number });
    });
  }

  closeDoor(): void {
    this.#tell({ kind: 'close-door' });
  }

  /** Lets it drain and waits until it is gone; it is killed where it does not keep the deadline. */
  async drain(deadlineMs: number): Promise<DrainOutcome> {
    const timer = setTimeout(() => this.kill(), deadlineMs + drainGraceMs);
    this.#tell({ kind: 'drain', deadlineMs });
    await this.ended;
    clearTimeout(timer);
    return this.#drained;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #hear(message: FromWorker): void {
    if (message.kind === 'status') {
      this.ready = message.ready;
      this.sessions = message.sessions;
    } else if (message.kind === 'metrics') {
      this.#lastSnapshot = message.snapshot;
      this.#waiting.get(message.number)?.(message.snapshot);
    } else if (message.kind === 'drained') {
      this.#drained = { closedSessions: message.closedSessions, cutSessions: message.cutSessions };
    }
  }

  #tell(message: ToWorker): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }
}
