/** The worker processes: starts them, sends commands, collects answers, and makes sure that they end. */
import { type ChildProcess, fork } from 'node:child_process';
import { RunError } from './run-error.ts';
import type { WorkerCommand, WorkerMessage } from './worker-messages.ts';

type Answer<K extends WorkerMessage['kind']> = Extract<WorkerMessage, { kind: K }>;

/** Time from the last command to the end of a process, which is then killed. Chosen, not measured. */
const exitDeadlineMs = 5000;
/**
 * A worker sends something every second. One that is silent for so long hangs, and is killed. Before its
 * first message it has to start, beside up to 255 others. After an interruption a person waits. Chosen, not
 * measured.
 */
const silentSecondsMax = { starting: 60, running: 10, interrupted: 3 };

export class WorkerPool {
  readonly #size: number;
  readonly #received: (worker: number, message: WorkerMessage) => void;
  readonly #workers: ChildProcess[] = [];
  readonly #waiting = new Map<WorkerMessage['kind'], (worker: number, message: WorkerMessage) => void>();
  readonly #failure = Promise.withResolvers<never>();
  /** Workers that have sent their last message and may exit. */
  readonly #done = new Set<number>();
  /** Seconds since the last message of each worker, counted here: a pause of this process is no silence. */
  readonly #silentSeconds: number[] = [];
  readonly #silentSecondsMax: number[] = [];
  #isInterrupted = false;
  #watch: NodeJS.Timeout | undefined;
  readonly #killAll = () => {
    for (const child of this.#workers) child.kill('SIGKILL');
  };

  /** `received` is called for every message of every worker. */
  constructor(size: number, received: (worker: number, message: WorkerMessage) => void) {
    this.#size = size;
    this.#received = received;
    this.#failure.promise.catch(() => {}); // It may reject before anything waits for it.
  }

  /** Rejects with a RunError when a worker ends too early. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  /** Starts the processes. Resolves when all are ready. */
  start(): Promise<Answer<'ready'>[]> {
    for (let worker = 0; worker < this.#size; worker++) {
      const child = fork(new URL('./worker.ts', import.meta.url), { serialization: 'advanced' });
      this.#silentSeconds[worker] = 0;
      this.#silentSecondsMax[worker] = silentSecondsMax.starting;
      child.on('message', (message: WorkerMessage) => {
        this.#silentSeconds[worker] = 0;
        this.#silentSecondsMax[worker] = silentSecondsMax.running;
        this.#received(worker, message);
        this.#waiting.get(message.kind)?.(worker, message);
        if (message.kind === 'done') this.#done.add(worker);
      });
      child.on('error', (error) => this.#fail(`worker ${worker} could not be started: ${error.message}`));
      // `close` comes after `exit`, when the last message has been read.
      child.on('close', (code, signal) => {
        if (this.#done.has(worker)) return;
        this.#fail(`worker ${worker} ended before its time (${signal ?? `exit code ${code}`})`);
      });
      this.#workers.push(child);
    }
    // Neither a stopped process nor a stuck one would see that this process has ended.
    process.on('exit', this.#killAll);
    this.#watch = setInterval(() => this.#checkSilence(), 1000);
    return this.#collect('ready');
  }

  /** Sends each worker a command. */
  tell(commandOf: (worker: number) => WorkerCommand): void {
    this.#workers.forEach((child, worker) => {
      if (child.connected) child.send(commandOf(worker));
    });
  }

  /** Sends each worker a command. Resolves with all answers, rejects with a RunError when a worker ends. */
  ask<K extends WorkerMessage['kind']>(
    kind: K,
    commandOf: (worker: number) => WorkerCommand,
  ): Promise<Answer<K>[]> {
    const answers = this.#collect(kind);
    this.tell(commandOf);
    return answers;
  }

  /** From now on, a worker that hangs is waited for only briefly. */
  interrupt(): void {
    this.#isInterrupted = true;
  }

  /** Resolves when no process is left. Workers that are not done are disconnected, which ends them. */
  async stop(): Promise<void> {
    const ends = this.#workers.map(async (child, worker) => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      if (!this.#done.has(worker) && child.connected) child.disconnect();
      const timer = setTimeout(() => child.kill('SIGKILL'), exitDeadlineMs);
      await new Promise((done) => child.once('exit', done));
      clearTimeout(timer);
    });
    clearInterval(this.#watch);
    await Promise.all(ends);
    process.off('exit', this.#killAll);
  }

  #checkSilence(): void {
    this.#workers.forEach((child, worker) => {
      const secondsMax = this.#isInterrupted ? silentSecondsMax.interrupted : this.#silentSecondsMax[worker]!;
      if (this.#done.has(worker) || ++this.#silentSeconds[worker]! < secondsMax) return;
      this.#fail(`worker ${worker} has been silent for ${this.#silentSeconds[worker]} s`);
      child.kill('SIGKILL');
    });
  }

  #fail(why: string): void {
    this.#failure.reject(new RunError('void', `The run is void: ${why}.`));
  }

  #collect<K extends WorkerMessage['kind']>(kind: K): Promise<Answer<K>[]> {
    const answers: Answer<K>[] = [];
    let missing = this.#size;
    const all = new Promise<Answer<K>[]>((done) => {
      this.#waiting.set(kind, (worker, message) => {
        answers[worker] = message as Answer<K>;
        if (--missing === 0) done(answers);
      });
    });
    return Promise.race([all, this.#failure.promise]);
  }
}
