/** Shows an experiment on a live page while it goes. */
import { LivePage } from '../../../loadtest/page/live-page.ts';
import { newTrial, type PageReading, runningTrial } from '../../../loadtest/page/state.ts';
import type { Deployment, PartUsage, SimulatorProgress } from '../deployment/deployment.ts';
import { InputError } from '../input-error.ts';
import type { RunRecord, TrialHeader } from '../records/schema.ts';
import { htmlStyle } from '../report/html-style.ts';
import { newPageState, type PageRun, pageRunOf, pageTrial } from '../report/page-state.ts';
import type { TrialObserver, TrialTitle } from '../trial/trial.ts';
import { Pace } from './pace.ts';

type Planned = {
  variants: PageRun['variants'];
  estimate: { trials: number; secondsPerTrial: number };
};

type Usage = { atMs: number; parts: readonly PartUsage[] };

/** Follows the trials of a run, and the run between them. */
export class LiveRun implements TrialObserver, Disposable {
  readonly page: LivePage;
  readonly #planned: Planned;
  readonly #pace: Pace;
  readonly #timer: NodeJS.Timeout;
  readonly #trials: TrialHeader[] = [];
  #run: PageRun | null = null;
  #deployment: Deployment | null = null;
  #usage: Usage | null = null;

  constructor(page: LivePage, planned: Planned) {
    this.page = page;
    this.#planned = planned;
    const now = () => performance.now();
    this.#pace = new Pace({ ...planned.estimate, variants: planned.variants.length, now });
    this.#timer = setInterval(() => page.publish({ event: 'clock', ...this.#pace.clock() }), 1000);
  }

  runStarted(record: RunRecord): void {
    this.#run = pageRunOf(record, this.#planned.variants);
    this.page.publish({ event: 'state', state: newPageState(this.#run) });
  }

  phase(phase: string, title: TrialTitle): void {
    const { number, variant, about, purpose, load = null } = title as TrialTitle & { load?: number };
    if (runningTrial(this.page.state)?.number !== number)
      this.page.publish({ event: 'trial', trial: newTrial({ number, variant, about, purpose, load }) });
    this.page.publish({ event: 'phase', phase });
  }

  started(deployment: Deployment): void {
    // Its counters begin anew.
    if (deployment !== this.#deployment) this.#usage = null;
    this.#deployment = deployment;
  }

  second(progress: Extract<SimulatorProgress, { event: 'second' }>): void {
    const { event: _, phase: __, lost: ___, ...shown } = progress;
    const { sentPerSecond: ____, sessionsOpen: _____, deliveriesPerSecond: deliveries, ...second } = shown;
    this.page.publish({ event: 'second', second: { ...second, deliveries }, readings: this.#readings() });
  }

  trialEnded(trial: TrialHeader): void {
    this.#trials.push(trial);
    this.#pace.trialEnded();
    if (this.#run !== null)
      this.page.publish({ event: 'trial', trial: pageTrial(trial, this.#trials, this.#run) });
  }

  variantEnded(): void {
    this.#pace.variantEnded();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  /**
   * Rates since the last second; none for the first one of a server. A reading may be a quarter of a second
   * old: the figures of a trial that has ended are better.
   */
  #readings(): PageReading[] {
    const now: Usage = { atMs: performance.now(), parts: this.#deployment?.latestUsage() ?? [] };
    const before = this.#usage;
    this.#usage = now;
    if (before === null) return [];
    const seconds = (now.atMs - before.atMs) / 1000;
    return now.parts.flatMap((part) => {
      const earlier = before.parts.find(({ name, role }) => name === part.name && role === part.role);
      // A server that was started anew counts from zero again.
      if (part.role === 'simulator' || earlier === undefined || earlier.cpuSeconds > part.cpuSeconds)
        return [];
      const { name, rssBytes, throttledSeconds } = part;
      const throttled =
        throttledSeconds === null || earlier.throttledSeconds === null
          ? null
          : (throttledSeconds - earlier.throttledSeconds) / seconds;
      const cpuCores = (part.cpuSeconds - earlier.cpuSeconds) / seconds;
      return [{ name, cpuCores, rssBytes, throttledShare: throttled }];
    });
  }
}

/** Opens the page before there is a run. Throws an `InputError` where the port cannot be used. */
export async function openLivePage(port: number, experiment: string, question: string): Promise<LivePage> {
  const about = { title: experiment, question, limits: [], unit: null, range: null, variants: [] };
  try {
    return await LivePage.open(port, newPageState(about), htmlStyle);
  } catch (error) {
    throw new InputError([`Choose another --live port: required a free one; ${(error as Error).message}.`]);
  }
}
