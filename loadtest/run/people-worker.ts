/** The part of a worker process that plays people with accounts. */

import type { AckedMessages } from '../audit/mailbox-audit.ts';
import { MailboxAudit } from '../audit/mailbox-audit.ts';
import { Receipts } from '../audit/receipts.ts';
import type { Assignment } from '../model/assignment.ts';
import { DirectFormat } from '../model/direct-text.ts';
import { runTagOf } from '../model/people.ts';
import { Clock } from '../record/clock.ts';
import { newDirectCounts } from '../record/direct-counts.ts';
import { Accounts } from '../users/accounts.ts';
import { DirectSender } from '../users/direct-sender.ts';
import { PeoplePool } from '../users/people-pool.ts';
import type { ResolvedWorkload } from '../workload.ts';
import { PeopleStep } from './people-step.ts';
import type { WorkerMessage } from './worker-messages.ts';

const progressIntervalMs = 500;
/** Longest wait for the close of all connections. Chosen, not measured. */
const closeDeadlineMs = 2000;

export class PeopleWorker {
  readonly #send: (message: WorkerMessage, sent?: () => void) => void;
  readonly #clock = new Clock();
  readonly #accounts: Accounts;
  readonly #audit: MailboxAudit;
  readonly #receipts = new Receipts();
  readonly #people: PeoplePool;
  readonly #sender: DirectSender;
  readonly #progress: NodeJS.Timeout;
  #step: PeopleStep;

  constructor(
    assignment: Assignment,
    worker: number,
    send: (message: WorkerMessage, sent?: () => void) => void,
  ) {
    const { workload, seal } = assignment;
    const format = new DirectFormat(workload, runTagOf(seal), seal);
    this.#send = send;
    this.#accounts = new Accounts(assignment);
    this.#audit = new MailboxAudit(workload, format, newDirectCounts());
    this.#people = new PeoplePool({
      ...{ assignment, worker, clockUs: () => this.#clock.nowUs() },
      ...{ audit: this.#audit, receipts: this.#receipts, hadAccount: this.#accounts.existed },
    });
    this.#sender = new DirectSender({
      ...{ workload, worker, clock: this.#clock, format, audit: this.#audit, receipts: this.#receipts },
      devicesOf: (person) => this.#people.devicesOf(person),
      sender: (except) => this.#people.randomSender(except),
    });
    this.#people.sender = this.#sender;
    this.#step = this.#newStep(0, workload);
    this.#people.beginStep(this.#step);
    this.#progress = setInterval(() => this.#reportProgress(), progressIntervalMs);
  }

  async createAccounts(): Promise<void> {
    await this.#accounts.create(this.#people.people);
    this.#send({ kind: 'accounts-made', accounts: this.#accounts.counts });
  }

  /** Every device logs in once. */
  async connect(): Promise<void> {
    await this.#people.enroll();
    const rssBytes = process.memoryUsage.rss();
    this.#send({ kind: 'connected', connections: this.#people.connections, rssBytes });
  }

  /** A login is answered: who was logged in has been heard. */
  probe(): void {
    clearInterval(this.#progress);
    this.#reportProgress();
    this.#send({ kind: 'probed', silent: this.#people.devices.length - this.#people.connections.opened });
  }

  prepare(step: number, workload: ResolvedWorkload, _reconnect: boolean): void {
    this.#step = this.#newStep(step, workload);
    this.#people.beginStep(this.#step);
    const recipientsByRoom = Uint32Array.of(this.#people.connections.open);
    this.#send({ kind: 'prepared', recipientsByRoom, sample: this.#step.sample() });
  }

  start(beginUs: number, _recipientsByRoom: Uint32Array): void {
    this.#step.start(beginUs);
  }

  stopSending(): void {
    this.#step.stopSending();
  }

  /** Everybody comes back for what waits. */
  collect(): void {
    this.#people.comings.collect(this.#people.devices);
  }

  endStep(): void {
    this.#send({ kind: 'step-done', report: this.#step.end() });
  }

  judge(messages: readonly AckedMessages[], isFinal: boolean): void {
    const judgement = this.#step.judge(messages, isFinal);
    this.#send({ kind: 'judged', judgement, untold: this.#receipts.untold() });
  }

  /** Closes all connections and exits. */
  async finish(): Promise<void> {
    const sent = new Promise<void>((done) => this.#send({ kind: 'done' }, done));
    await Promise.all([sent, this.#people.close(closeDeadlineMs)]);
    process.exit(0);
  }

  #newStep(step: number, workload: ResolvedWorkload): PeopleStep {
    return new PeopleStep({
      ...{ workload, step, people: this.#people, sender: this.#sender, audit: this.#audit },
      ...{ clock: this.#clock, countsBefore: this.#audit.counts, send: this.#send },
    });
  }

  #reportProgress(): void {
    const { opened: sessionsOpen } = this.#people.connections;
    this.#send({ kind: 'progress', sessionsOpen, probed: sessionsOpen, accounts: this.#accounts.settled });
  }
}
