/** The worker processes: starts them, gives them interleavings, gathers their answers, and sees to it that they end. */
import { type ChildProcess, fork } from 'node:child_process';
import { RunError } from './run-error.ts';
import type { WorkerCommand, WorkerMessage } from './worker-messages.ts';

type Answer<K extends WorkerMessage['kind']> = Extract<WorkerMessage, { kind: K }>;

/** From the last order to the end of a process; then it is killed. */
const exitDeadlineMs = 5000;

export class WorkerPool {
  readonly #size: number;
  readonly #heard: (worker: number, message: WorkerMessage) => void;
  readonly #workers: ChildProcess[] = [];
  readonly #waiting: {
    kind: WorkerMessage['kind'];
    take: (worker: number, message: WorkerMessage) => void;
  }[] = [];
  readonly #failure = Promise.withResolvers<never>();
  /** Those that have said all they had to say, and may go. */
  readonly #done = new Set<number>();

  /** `heard` is called for every message of every worker. */
  constructor(size: number, heard: (worker: number, message: WorkerMessage) => void) {
    this.#size = size;
    this.#heard = heard;
    this.#failure.promise.catch(() => {}); // Whoever waits sees it; nobody may be waiting yet.
  }

  /** Rejects with a RunError when a worker dies before its time. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  /** Starts the processes; resolves when all are ready. */
  start(): Promise<Answer<'ready'>[]> {
    for (let worker = 0; worker < this.#size; worker++) {
      const child = fork(new URL('./worker.ts', import.meta.url), { serialization: 'advanced' });
      child.on('message', (message: WorkerMessage) => {
        this.#heard(worker, message);
        for (const waiting of this.#waiting) if (waiting.kind === message.kind) waiting.take(worker, message);
        if (message.kind === 'done') this.#done.add(worker);
      });
      child.on('error', (error) => this.#fail(`worker ${worker} could not be started: ${error.message}`));
      // Comes after `exit`, when the last message has been read. One may be done long before another that is overloaded.
      child.on('close', (code, signal) => {
        if (this.#done.has(worker)) return;
        this.#fail(`worker ${worker} ended before its time (${signal ?? `exit code ${code}`})`);
      });
      this.#workers.push(child);
    }
    return this.#collect('ready');
  }

  /** Gives each worker an order. */
  tell(order: (worker: number) => WorkerCommand): void {
    this.#workers.forEach((child, worker) => {
      if (child.connected) child.send(order(worker));
    });
  }

  /** Gives each worker an order and waits for the answer of all. */
  ask<K extends WorkerMessage['kind']>(
    kind: K,
    order: (worker: number) => WorkerCommand,
  ): Promise<Answer<K>[]> {
    const answers = this.#collect(kind);
    this.tell(order);
    return answers;
  }

  /** Resolves when no process is left: those that are not on their way out are cut off, which ends them. */
  async stop(): Promise<void> {
    const gone = this.#workers.map(async (child, worker) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      if (!this.#done.has(worker) && child.connected) child.disconnect();
      const timer = setTimeout(() => child.kill('SIGKILL'), exitDeadlineMs);
      await new Promise((done) => child.once('exit', done));
      clearTimeout(timer);
    });
    await Promise.all(gone);
  }

  #fail(why: string): void {
    this.#failure.reject(new RunError('void', `The run is void: ${why}.`));
  }

  #collect<K extends WorkerMessage['kind']>(kind: K): Promise<Answer<K>[]> {
    const answers: Answer<K>[] = [];
    let missing = this.#size;
    const all = new Promise<Answer<K>[]>((done) => {
      this.#waiting.push({
        kind,
        take: (worker, message) => {
          answers[worker] = message as Answer<K>;
          if (--missing === 0) done(answers);
        },
      });
    });
    return Promise.race([all, this.#failure.promise]);
  }
}
