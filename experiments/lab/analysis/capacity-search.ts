/**
 * Capacity search, as a pure function over a trial. It brackets the edge, bisects in log space, and confirms
 * the found load by repetition, because a load that passed once may have been lucky.
 */
import type { CapacityAnswer, CapacityMethod, SearchEnd, TrialOutcome } from '../records/schema.ts';

type RunTrial = (load: number, purpose: 'search' | 'confirm') => Promise<TrialOutcome>;

class TrialsExhausted extends Error {}

/** Trials that a search takes if nothing unexpected happens, for the first estimate of its duration. */
export function trialsOfSearch({ growth, tolerance, confirmations }: CapacityMethod): number {
  const bracketing = 4;
  // Four steps of the bracket end in a ratio of about growth⁴.
  const bisections = Math.ceil(Math.log2((4 * Math.log(growth)) / Math.log(1 + tolerance)));
  return bracketing + bisections + confirmations;
}

/** Runs the search. Rejects only when `trial` rejects. */
export async function searchCapacity(method: CapacityMethod, trial: RunTrial): Promise<CapacityAnswer> {
  const state = new SearchState(method, trial);
  try {
    await bracket(method, state);
    await bisect(method, state);
    return await confirm(method, state);
  } catch (error) {
    if (!(error instanceof TrialsExhausted)) throw error;
    return state.answer('trials-max');
  }
}

/** `floor` is the highest load that passed, `ceiling` the lowest above it that did not. */
class SearchState {
  floor: number | null = null;
  ceiling: number | null = null;
  ceilingIsVoid = false;
  trials = 0;
  readonly method: CapacityMethod;
  readonly trial: RunTrial;

  constructor(method: CapacityMethod, trial: RunTrial) {
    this.method = method;
    this.trial = trial;
  }

  /** Tries a load of bracket or bisection; a void trial is repeated once. */
  async run(load: number): Promise<TrialOutcome> {
    let outcome = await this.count(load, 'search');
    if (outcome === 'void') outcome = await this.count(load, 'search');
    if (outcome === 'pass') this.floor = Math.max(load, this.floor ?? load);
    else this.lowerCeiling(load, outcome === 'void');
    return outcome;
  }

  async count(load: number, purpose: Parameters<RunTrial>[1]): Promise<TrialOutcome> {
    if (this.trials >= this.method.trialsMax) throw new TrialsExhausted();
    this.trials += 1;
    return this.trial(load, purpose);
  }

  /** The answer while nothing is confirmed. */
  answer(end: SearchEnd): CapacityAnswer {
    const { floor, ceiling, trials } = this;
    return { end, capacity: null, highestPass: floor, ceiling, confirmations: 0, trials };
  }

  lowerCeiling(load: number, isVoid: boolean): void {
    if (this.ceiling !== null && this.ceiling <= load) return;
    this.ceiling = load;
    this.ceilingIsVoid = isVoid;
  }
}

/**
 * Steps up while loads pass or down while they fail, until both have been seen. The factor is squared with
 * every step (growth, growth², growth⁴ …), so that even a start that is far off costs few trials.
 */
async function bracket(method: CapacityMethod, state: SearchState): Promise<void> {
  let load = clamp(method, method.start);
  let factor = method.growth;
  let direction: 'up' | 'down' | null = null;
  for (;;) {
    const passed = (await state.run(load)) === 'pass';
    if (direction !== null && passed !== (direction === 'up')) return;
    direction = passed ? 'up' : 'down';
    const next = clamp(method, passed ? load * factor : load / factor);
    if (next === load) return;
    load = next;
    factor **= 2;
  }
}

async function bisect(method: CapacityMethod, state: SearchState): Promise<void> {
  while (state.floor !== null && state.ceiling !== null) {
    const middle = clamp(method, Math.sqrt(state.floor * state.ceiling));
    const done = state.ceiling / state.floor <= 1 + method.tolerance;
    if (done || middle <= state.floor || middle >= state.ceiling) return;
    await state.run(middle);
  }
}

async function confirm(method: CapacityMethod, state: SearchState): Promise<CapacityAnswer> {
  let load = state.floor;
  while (load !== null) {
    const passes = await confirmAt(load, method, state);
    if (passes === method.confirmations) {
      const end = state.ceiling === null ? 'load-max' : state.ceilingIsVoid ? 'instrument' : 'confirmed';
      return { ...state.answer(end), capacity: load, confirmations: passes };
    }
    const lower = clamp(method, Math.min(load / (1 + method.tolerance), load - 1));
    load = lower < load ? lower : null;
  }
  return state.answer('load-min');
}

/**
 * Passes at a load until one trial fails. A void trial is no evidence against a load that has passed before:
 * as many of them are allowed as passes are wanted.
 */
async function confirmAt(load: number, method: CapacityMethod, state: SearchState): Promise<number> {
  let passes = 0;
  let voids = 0;
  while (passes < method.confirmations) {
    const outcome = await state.count(load, 'confirm');
    if (outcome === 'pass') passes += 1;
    else if (outcome === 'fail' || ++voids > method.confirmations) {
      state.lowerCeiling(load, outcome === 'void');
      break;
    }
  }
  return passes;
}

/** Within the allowed loads, and a whole number: loads are messages per second or clients. */
function clamp(method: CapacityMethod, load: number): number {
  return Math.round(Math.min(method.loadMax, Math.max(method.loadMin, load)));
}
