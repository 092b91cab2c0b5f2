/** One worker process: runs its share of the virtual users, by the coordinator's commands. Acts on import. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Assignment } from '../model/assignment.ts';
import { Clock } from '../record/clock.ts';
import type { Messages } from '../users/step-audit.ts';
import { UserPool } from '../users/user-pool.ts';
import type { ResolvedWorkload } from '../workload.ts';
import { PeopleWorker } from './people-worker.ts';
import type { WorkerCommand, WorkerMessage } from './worker-messages.ts';
import { WorkerStep } from './worker-step.ts';

const probeIntervalMs = 250;
const progressIntervalMs = 500;
/** Longest wait for the close of all connections. Chosen, not measured. */
const closeDeadlineMs = 2000;

/** How often the coordinator learns that this process is not stuck. */
const aliveIntervalMs = 1000;

class Worker {
  readonly #assignment: Assignment;
  readonly #clock = new Clock();
  readonly #users: UserPool;
  #step: WorkerStep;
  readonly #progress: NodeJS.Timeout;

  constructor(assignment: Assignment, worker: number) {
    this.#assignment = assignment;
    this.#users = new UserPool(assignment, worker, {
      received: (user, bytes, at, end) => this.#step.received(user, bytes, at, end),
      clockUs: () => this.#clock.nowUs(),
    });
    this.#step = this.#newStep(0, assignment.workload);
    this.#progress = setInterval(() => this.#reportProgress(), progressIntervalMs);
  }

  async connect(): Promise<void> {
    await this.#users.connect();
    send({ kind: 'connected', connections: this.#users.connections, rssBytes: process.memoryUsage.rss() });
  }

  /** In each room one user sends until all users of the room have received a probe. */
  async probe(): Promise<void> {
    await this.#probe();
    clearInterval(this.#progress);
    this.#reportProgress();
    send({ kind: 'probed', silent: this.#users.silent() });
  }

  async #probe(): Promise<void> {
    const endMs = performance.now() + this.#assignment.workload.probeTimeoutSeconds * 1000;
    while (this.#users.silent() > 0 && performance.now() < endMs) {
      this.#step.probe();
      const nextMs = performance.now() + probeIntervalMs;
      while (this.#users.silent() > 0 && performance.now() < nextMs) await sleep(10);
    }
  }

  async prepare(step: number, workload: ResolvedWorkload, reconnect: boolean): Promise<void> {
    if (reconnect) {
      await this.#users.reconnect();
      await this.#probe();
    }
    this.#step = this.#newStep(step, workload);
    this.#users.beginStep(workload, this.#step.audit);
    const recipientsByRoom = this.#users.recipientsByRoom();
    send({ kind: 'prepared', recipientsByRoom, sample: this.#step.sample() });
  }

  start(beginUs: number, recipientsByRoom: Uint32Array): void {
    this.#step.start(beginUs, recipientsByRoom);
  }

  stopSending(): void {
    this.#step.stopSending();
  }

  endStep(): void {
    send({ kind: 'step-done', report: this.#step.end() });
  }

  /** Which of the messages anybody here has heard. */
  heard(messages: Messages[]): void {
    const heard = messages.map(({ room, numbers }) => {
      const audit = this.#users.rooms.find(({ index }) => index === room)?.audit;
      return { room, numbers: numbers.filter((number) => audit?.isHeard(number)) };
    });
    send({ kind: 'heard', messages: heard });
  }

  /** Closes all connections and exits. */
  async finish(): Promise<void> {
    // The coordinator may read late: an exit would drop the messages that wait in the channel.
    const sent = new Promise((done) => send({ kind: 'done' }, done));
    await Promise.all([sent, this.#users.close(closeDeadlineMs)]);
    process.exit(0);
  }

  #newStep(step: number, workload: ResolvedWorkload): WorkerStep {
    const assignment = { ...this.#assignment, workload };
    return new WorkerStep({ assignment, step, users: this.#users, clock: this.#clock, send });
  }

  #reportProgress(): void {
    const { open: sessionsOpen } = this.#users.connections;
    send({ kind: 'progress', sessionsOpen, probed: this.#step.probed, accounts: 0 });
  }
}

function send(message: WorkerMessage, sent: (error: Error | null) => void = () => {}): void {
  process.send!(message, sent);
}

let worker: Worker | undefined;
let people: PeopleWorker | undefined;

// Signals reach the whole process group, but only the coordinator acts on them.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => {});
// A worker must not outlive its coordinator.
process.on('disconnect', () => process.exit(1));
process.on('message', (command: WorkerCommand) => {
  if (command.kind === 'accounts') {
    people = new PeopleWorker(command.assignment, command.worker, send);
    people.createAccounts();
  } else if (command.kind === 'connect') {
    worker = people === undefined ? new Worker(command.assignment, command.worker) : undefined;
    (people ?? worker)!.connect();
  } else obey(command);
});
setInterval(() => send({ kind: 'alive' }), aliveIntervalMs);
send({ kind: 'ready', rssBytes: process.memoryUsage.rss() });

function obey(command: Exclude<WorkerCommand, { kind: 'accounts' | 'connect' }>): void {
  const either = (people ?? worker)!;
  if (command.kind === 'probe') either.probe();
  else if (command.kind === 'prepare') either.prepare(command.step, command.workload, command.reconnect);
  else if (command.kind === 'start') either.start(command.beginUs, command.recipientsByRoom);
  else if (command.kind === 'stop-sending') either.stopSending();
  else if (command.kind === 'end-step') either.endStep();
  else if (command.kind === 'which-are-heard') worker!.heard(command.messages);
  else if (command.kind === 'collect') people!.collect();
  else if (command.kind === 'judge') people!.judge(command.messages, command.isFinal);
  else either.finish();
}
