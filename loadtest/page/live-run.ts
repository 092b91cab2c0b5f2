/** Shows a load test on a live page while it goes. */
import type { Second } from '../record/series.ts';
import type { LoadtestResult } from '../result/schema.ts';
import type { Phase, RunObserver } from '../run/observer.ts';
import type { ResolvedWorkload } from '../workload.ts';
import type { LivePage } from './live-page.ts';
import { pageSecond, resultPage, stepTitle, stepTrial } from './result-page.ts';
import { newTrial } from './state.ts';

export class LiveRun implements RunObserver, AsyncDisposable {
  readonly #page: LivePage;
  readonly #startedMs = performance.now();
  /** Of all steps together, connecting left out; null where it is not known beforehand. */
  readonly #plannedSeconds: number | null;
  readonly #timer: NodeJS.Timeout;
  #measuringSinceMs: number | null = null;
  #steps = 0;

  constructor(page: LivePage, plannedSeconds: number | null) {
    this.#page = page;
    this.#plannedSeconds = plannedSeconds;
    this.#timer = setInterval(() => this.#tick(), 1000);
  }

  phase(phase: Phase): void {
    if (phase === 'done' || phase === 'idle' || phase === 'accounts') return;
    if (phase === 'connect') {
      const title = { ...stepTitle(1, 0), load: null, about: 'connecting' };
      this.#page.publish({ event: 'trial', trial: newTrial(title) });
    }
    this.#page.publish({ event: 'phase', phase });
  }

  progress(): void {}

  step({ ratePerSecond }: ResolvedWorkload): void {
    this.#measuringSinceMs ??= performance.now();
    this.#steps += 1;
    this.#page.publish({ event: 'trial', trial: newTrial(stepTitle(this.#steps, ratePerSecond)) });
  }

  second(_phase: Phase, second: Second): void {
    this.#page.publish({ event: 'second', second: pageSecond(second), readings: [] });
  }

  stepEnded(result: LoadtestResult): void {
    this.#page.publish({ event: 'trial', trial: stepTrial(this.#steps, result) });
  }

  /** The page becomes the report. */
  async ended(results: readonly LoadtestResult[]): Promise<void> {
    clearInterval(this.#timer);
    await this.#page.end(resultPage(results));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    await this.#page[Symbol.asyncDispose]();
  }

  #tick(): void {
    const now = performance.now();
    const goneSeconds = (now - (this.#measuringSinceMs ?? now)) / 1000;
    const leftSeconds =
      this.#plannedSeconds === null ? null : Math.max(0, this.#plannedSeconds - goneSeconds);
    this.#page.publish({ event: 'clock', elapsedSeconds: (now - this.#startedMs) / 1000, leftSeconds });
  }
}
