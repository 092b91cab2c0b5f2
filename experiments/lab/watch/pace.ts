/** How long a run still takes: the pace of the trials so far, and a guess of how many are left. */

export type PaceOptions = {
  variants: number;
  /** First guess: number of trials, and seconds of each without what is around its phases. */
  trials: number;
  secondsPerTrial: number;
  now: () => number;
};

// A start, a connect or a wait for a backlog take about this long for each trial; the pace corrects it.
const secondsAroundPhases = 1;

export class Pace {
  readonly #options: PaceOptions;
  readonly #startedMs: number;
  #trialsDone = 0;
  #trialsOfEnded = 0;
  #variantsDone = 0;

  constructor(options: PaceOptions) {
    this.#options = options;
    this.#startedMs = options.now();
  }

  trialEnded(): void {
    this.#trialsDone += 1;
  }

  variantEnded(): void {
    this.#variantsDone += 1;
    this.#trialsOfEnded = this.#trialsDone;
  }

  clock(): { elapsedSeconds: number; leftSeconds: number } {
    const { secondsPerTrial, now } = this.#options;
    const elapsedSeconds = (now() - this.#startedMs) / 1000;
    const pace =
      this.#trialsDone === 0 ? secondsPerTrial + secondsAroundPhases : elapsedSeconds / this.#trialsDone;
    return { elapsedSeconds, leftSeconds: pace * this.#trialsLeft() };
  }

  /** A variant that has not ended takes as many trials as those that have, or as the first guess says. */
  #trialsLeft(): number {
    const { variants, trials } = this.#options;
    if (this.#variantsDone === variants) return 0;
    const each = this.#variantsDone === 0 ? trials / variants : this.#trialsOfEnded / this.#variantsDone;
    const ofThis = this.#trialsDone - this.#trialsOfEnded;
    return Math.max(1, each - ofThis) + each * Math.max(0, variants - this.#variantsDone - 1);
  }
}
