/** Leads a run: starts the workers, takes them through the phases together, and adds up what they report. */

import type { Plan } from '../model/assignment.ts';
import { Clock } from '../record/clock.ts';
import { type Second, Totals } from '../record/totals.ts';
import { RunError } from './run-error.ts';
import type { ConnectionReport, FinalReport, WorkerMessage } from './worker-messages.ts';
import { WorkerPool } from './worker-pool.ts';

export type Phase = 'connect' | 'probe' | 'warm-up' | 'measure' | 'drain' | 'done';

/** Told how the run goes, while it goes. */
export type RunObserver = {
  phase(phase: Phase): void;
  /** While connecting and probing: how many are connected, and how many have heard a probe. */
  progress(sessionsOpen: number, heard: number): void;
  /** After each second; `lost` counts the deliveries that are overdue by more than the drain. */
  second(phase: Phase, second: Second, totals: Totals, lost: number): void;
};

/** Everything a result is made of. */
export type RunOutcome = {
  totals: Totals;
  startedAt: string;
  silent: number;
  connections: ConnectionReport[];
  /** What connecting added to the workers' memory. */
  connectedRssBytes: number;
  finals: FinalReport[];
  interrupted: boolean;
  /** How long the measure phase lasted: as planned, or until the interruption. */
  measuredUs: number;
};

/** From the order to start until the first message is due, so that slow workers also get it in time. */
const leadUs = 300_000;

export class Coordinator {
  readonly #plan: Plan;
  readonly #observers: readonly RunObserver[];
  readonly #totals: Totals;
  readonly #pool: WorkerPool;
  readonly #interrupt = Promise.withResolvers<'interrupted'>();
  /** Nothing more is to be expected: the drain may end before its time. */
  readonly #settled = Promise.withResolvers<'settled'>();
  #heard: number[] = [];

  constructor(plan: Plan, observers: readonly RunObserver[]) {
    this.#plan = plan;
    this.#observers = observers;
    this.#totals = new Totals(plan.workers, plan.rooms, plan.timeline);
    this.#pool = new WorkerPool(plan.workers, (worker, message) => this.#onMessage(worker, message));
  }

  /** Ends the run early but in order: what was measured until now is kept. */
  interrupt(): void {
    this.#interrupt.resolve('interrupted');
  }

  /** Runs all phases. Rejects with a RunError when a worker dies or nothing can connect. */
  async run(): Promise<RunOutcome> {
    const startedAt = new Date().toISOString();
    try {
      return await this.#phases(startedAt);
    } finally {
      await this.#pool.stop();
    }
  }

  async #phases(startedAt: string): Promise<RunOutcome> {
    this.#enter('connect');
    const baselines = (await this.#pool.start()).map((message) => message.rssBytes);
    const connected = await this.#unlessInterrupted(
      this.#pool.ask('connected', (worker) => ({ kind: 'connect', plan: this.#plan, worker })),
    );
    const connections = connected.map((message) => message.connections);
    const connectedRssBytes = connected.reduce((total, m, i) => total + m.rssBytes - baselines[i]!, 0);
    const opened = connections.reduce((total, report) => total + report.opened, 0);
    if (opened === 0) throw new RunError('input', nothingConnected(this.#plan, connections));

    this.#enter('probe');
    const probed = await this.#unlessInterrupted(this.#pool.ask('probed', () => ({ kind: 'probe' })));
    for (const message of probed) this.#totals.addRecipients(message.recipientsByRoom);
    const silent = probed.reduce((total, message) => total + message.silent, 0);

    const { interrupted, measuredUs } = await this.#measure();
    const done = await this.#pool.ask('done', () => ({ kind: 'finish' }));
    this.#show(this.#totals.end());
    this.#enter('done');
    return {
      totals: this.#totals,
      startedAt,
      silent,
      connections,
      connectedRssBytes,
      finals: done.map((message) => message.report),
      interrupted,
      measuredUs,
    };
  }

  /** Warm-up, measure and drain, by the clock. */
  async #measure(): Promise<{ interrupted: boolean; measuredUs: number }> {
    const { warmUpUs, measureUs, drainUs } = this.#plan.timeline;
    const clock = new Clock();
    const beginUs = Math.ceil(clock.nowUs() + leadUs);
    this.#pool.tell(() => ({ kind: 'start', beginUs }));
    const measureAtUs = beginUs + warmUpUs;
    const steps: [Phase, number][] = [
      ['warm-up', measureAtUs],
      ['measure', measureAtUs + measureUs],
      ['drain', measureAtUs + measureUs + drainUs],
    ];
    for (const [phase, untilUs] of steps) {
      this.#enter(phase);
      if (await this.#reached(clock, untilUs)) continue;
      const measuredUs = Math.min(Math.max(0, clock.nowUs() - measureAtUs), measureUs);
      this.#pool.tell(() => ({ kind: 'stop-sending' }));
      this.#enter('drain');
      // What is under way may still arrive, but who interrupts does not want to wait for long.
      await sleep(Math.min(drainUs / 1000, 1000));
      return { interrupted: true, measuredUs };
    }
    return { interrupted: false, measuredUs: measureUs };
  }

  /** True when that time has come (or nothing more is to come), false when the run was interrupted before. */
  async #reached(clock: Clock, untilUs: number): Promise<boolean> {
    const abort = new AbortController();
    const timer = sleep(Math.max(0, (untilUs - clock.nowUs()) / 1000), abort.signal);
    const first = await Promise.race([
      timer,
      this.#interrupt.promise,
      this.#pool.failed,
      this.#settled.promise,
    ]);
    abort.abort();
    return first !== 'interrupted';
  }

  /** Before the schedule begins there is nothing to keep. */
  async #unlessInterrupted<T>(answers: Promise<T>): Promise<T> {
    const first = await Promise.race([answers, this.#interrupt.promise]);
    if (first === 'interrupted')
      throw new RunError('interrupted', 'Interrupted before anything was measured.');
    return first as T;
  }

  #onMessage(worker: number, message: WorkerMessage): void {
    if (message.kind === 'second') {
      this.#show(this.#totals.addSecond(worker, message.report, message.sample));
      if (this.#totals.settled) this.#settled.resolve('settled');
    } else if (message.kind === 'progress') {
      this.#heard[worker] = message.heard;
      this.#totals.setSample(worker, message.sample);
      if (worker !== 0) return; // All report at the same pace; one line for all of them is enough.
      const open = this.#totals.sumOfSamples((sample) => sample.sessionsOpen);
      const heard = this.#heard.reduce((total, count) => total + count, 0);
      for (const observer of this.#observers) observer.progress(open, heard);
    }
  }

  #show(seconds: readonly Second[]): void {
    for (const second of seconds)
      for (const observer of this.#observers)
        observer.second(
          phaseOf(second, this.#plan),
          second,
          this.#totals,
          this.#totals.lostBy(second.atSeconds),
        );
  }

  #enter(phase: Phase): void {
    for (const observer of this.#observers) observer.phase(phase);
  }
}

function nothingConnected(plan: Plan, connections: readonly ConnectionReport[]): string {
  const reasons = mergeCounts(connections.map((report) => report.refused));
  const list = Object.entries(reasons).map(([why, count]) => `${why} (${count})`);
  return `no connection could be opened to ${plan.urls.join(', ')}: ${list.join(', ')}; is the server running there?`;
}

/** The phase that a second belongs to; reports arrive after it has ended. */
function phaseOf(second: Second, plan: Plan): Phase {
  if (second.atSeconds < 0) return 'warm-up';
  return second.atSeconds * 1e6 < plan.timeline.measureUs ? 'measure' : 'drain';
}

/** Adds counters by name. */
export function mergeCounts(parts: readonly Record<string, number>[]): Record<string, number> {
  const merged: Record<string, number> = {};
  for (const part of parts)
    for (const [name, count] of Object.entries(part)) merged[name] = (merged[name] ?? 0) + count;
  return merged;
}

async function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  await new Promise<void>((done) => {
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      done();
    });
  });
}
