/**
 * Capacity search, as a pure function over a trial: exponential steps until one load passes and a higher one fails,
 * bisection in log space to a tolerance, then the found load confirmed by repetition. What passes once may have been
 * lucky, so only a confirmed load is called capacity.
 */

export type TrialOutcome = 'passed' | 'failed' | 'void';

/** Why a load is tried. */
export type TrialPurpose = 'search' | 'confirm';

export type SearchPlan = {
  /** First load tried, e.g. the capacity of the stage before. It changes how many trials are needed, not the answer. */
  start: number;
  /** Factor between exponential steps, > 1. */
  growth: number;
  /** Bisection ends when fail ÷ pass ≤ 1 + tolerance. */
  tolerance: number;
  /** Trials at the found load that must all pass. */
  confirmations: number;
  /** Bound on the number of trials, retries of void ones included. */
  trialsMax: number;
  loadMin: number;
  loadMax: number;
};

export type SearchEnd =
  /** The capacity passed every confirmation, and a load above it failed. */
  | 'confirmed'
  /** The capacity passed every confirmation, and above it the instrument failed, twice: the server may carry more. */
  | 'instrument'
  /** The capacity passed every confirmation at the highest load allowed: the server may carry more. */
  | 'load-max'
  /** Even the lowest load allowed failed. */
  | 'load-min'
  /** The bound on trials was reached before a load was confirmed. */
  | 'trials-max';

export type CapacityAnswer = {
  end: SearchEnd;
  /** Highest confirmed load; null where none was confirmed. */
  capacity: number | null;
  /** Highest load that passed at all; worth saying where none was confirmed. */
  passedOnce: number | null;
  /** Lowest load above the capacity that did not pass (or was void twice); null where none was tried. */
  ceiling: number | null;
  /** Passes in a row at the capacity, in the confirming stage. */
  confirmations: number;
  trials: number;
};

class TrialsExhausted extends Error {}

/** Runs the search. Rejects only when `trial` rejects. */
export async function searchCapacity(
  plan: SearchPlan,
  trial: (load: number, purpose: TrialPurpose) => Promise<TrialOutcome>,
): Promise<CapacityAnswer> {
  const state = new SearchState(plan, trial);
  try {
    await bracket(plan, state);
    await bisect(plan, state);
    return await confirm(plan, state);
  } catch (error) {
    if (!(error instanceof TrialsExhausted)) throw error;
    return state.answer('trials-max');
  }
}

/** What is known so far: `floor` is the highest load that passed, `ceiling` the lowest above it that did not. */
class SearchState {
  floor: number | null = null;
  ceiling: number | null = null;
  ceilingIsVoid = false;
  trials = 0;
  readonly plan: SearchPlan;
  readonly trial: (load: number, purpose: TrialPurpose) => Promise<TrialOutcome>;

  constructor(plan: SearchPlan, trial: SearchState['trial']) {
    this.plan = plan;
    this.trial = trial;
  }

  async run(load: number, purpose: TrialPurpose): Promise<TrialOutcome> {
    let outcome = await this.count(load, purpose);
    if (outcome === 'void') outcome = await this.count(load, purpose);
    if (outcome === 'passed') this.floor = Math.max(load, this.floor ?? load);
    else this.lowerCeiling(load, outcome === 'void');
    return outcome;
  }

  async count(load: number, purpose: TrialPurpose): Promise<TrialOutcome> {
    if (this.trials >= this.plan.trialsMax) throw new TrialsExhausted();
    this.trials += 1;
    return this.trial(load, purpose);
  }

  /** What is known, nothing confirmed. */
  answer(end: SearchEnd): CapacityAnswer {
    const { floor, ceiling, trials } = this;
    return { end, capacity: null, passedOnce: floor, ceiling, confirmations: 0, trials };
  }

  lowerCeiling(load: number, isVoid: boolean): void {
    if (this.ceiling !== null && this.ceiling <= load) return;
    this.ceiling = load;
    this.ceilingIsVoid = isVoid;
  }
}

async function bracket(plan: SearchPlan, state: SearchState): Promise<void> {
  let load = clamp(plan, plan.start);
  let direction: 'up' | 'down' | null = null;
  for (;;) {
    const passed = (await state.run(load, 'search')) === 'passed';
    if (direction !== null && passed !== (direction === 'up')) return;
    direction = passed ? 'up' : 'down';
    const next = clamp(plan, passed ? load * plan.growth : load / plan.growth);
    if (next === load) return;
    load = next;
  }
}

async function bisect(plan: SearchPlan, state: SearchState): Promise<void> {
  while (state.floor !== null && state.ceiling !== null) {
    const middle = clamp(plan, Math.sqrt(state.floor * state.ceiling));
    const done = state.ceiling / state.floor <= 1 + plan.tolerance;
    if (done || middle <= state.floor || middle >= state.ceiling) return;
    await state.run(middle, 'search');
  }
}

async function confirm(plan: SearchPlan, state: SearchState): Promise<CapacityAnswer> {
  let load = state.floor;
  while (load !== null) {
    const passes = await confirmAt(load, plan, state);
    if (passes === plan.confirmations) {
      const end = state.ceiling === null ? 'load-max' : state.ceilingIsVoid ? 'instrument' : 'confirmed';
      return { ...state.answer(end), capacity: load, confirmations: passes };
    }
    const lower = clamp(plan, Math.min(load / (1 + plan.tolerance), load - 1));
    load = lower < load ? lower : null;
  }
  return state.answer('load-min');
}

/**
 * Passes at a load until one trial fails. A void says nothing against a load that has passed before, so as many voids are
 * forgiven as passes are wanted; more of them mean that the instrument cannot judge this load.
 */
async function confirmAt(load: number, plan: SearchPlan, state: SearchState): Promise<number> {
  let passes = 0;
  let voids = 0;
  while (passes < plan.confirmations) {
    const outcome = await state.count(load, 'confirm');
    if (outcome === 'passed') passes += 1;
    else if (outcome === 'failed' || ++voids > plan.confirmations) {
      state.lowerCeiling(load, outcome === 'void');
      break;
    }
  }
  return passes;
}

/** Within the allowed loads, and a whole number: loads are messages per second or clients. */
function clamp(plan: SearchPlan, load: number): number {
  return Math.round(Math.min(plan.loadMax, Math.max(plan.loadMin, load)));
}
