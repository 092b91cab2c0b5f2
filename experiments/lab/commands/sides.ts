/** Runs an experiment several times in turns: two codes against each other, or one against itself. */
import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mergeRuns } from '../analysis/merge-runs.ts';
import type { Run } from '../records/schema.ts';
import { writeRunRecord, writeTrialRecord } from '../records/store.ts';
import { type PlannedRun, type RunObserver, runPlan } from '../shapes/runner.ts';
import type { TrialContext } from '../trial/trial.ts';
import type { Variant } from '../trial/variant.ts';

/** One of the runs. */
export type Side = {
  /** Ends the name of its result directory, and begins its lines on the terminal. */
  name: string;
  /** The checkout whose server is tested; left out: this one. */
  serverRoot?: string;
  /** Its commit; left out: that of this checkout. */
  commit?: string;
};

/** A run of one variant on one side. */
export type Turn = { side: Side; variant: Variant };

/**
 * Each variant in turn: a b b a, so that a machine that slowly gets faster or slower favours neither.
 * `rounds` is the number of turns of each side.
 */
export function inTurns(sides: readonly Side[], variants: readonly Variant[], rounds: number): Turn[] {
  return variants.flatMap((variant) =>
    Array.from({ length: rounds }, (_, round) => (round % 2 === 0 ? sides : sides.toReversed()))
      .flat()
      .map((side) => ({ side, variant })),
  );
}

/** Whole runs, one after the other. */
export function oneByOne(sides: readonly Side[], variants: readonly Variant[]): Turn[] {
  return sides.flatMap((side) => variants.map((variant) => ({ side, variant })));
}

/**
 * The runs in the order of the sides; each lies in the results, and grows with every turn. An abort ends
 * early: sides that had no turn are missing then.
 */
export async function runSides(
  turns: readonly Turn[],
  planned: PlannedRun,
  context: TrialContext,
  live: RunObserver,
): Promise<Run[]> {
  using parts = mkdtempDisposableSync(join(tmpdir(), 'chat-lab-parts-'));
  const found = new Map<Side, { parts: Run[]; merged: Run }>();
  for (const [index, { side, variant }] of turns.entries()) {
    if (context.signal.aborted) break;
    const { serverRoot, commit } = side;
    const { environment } = planned;
    const code = commit === undefined ? {} : { gitCommit: commit, gitDirty: false };
    const part = await runPlan(
      {
        ...planned,
        variants: [variant],
        environment: { ...environment, ...code },
        resultsDirectory: join(parts.path, String(index)),
      },
      {
        ...context,
        deploy: (request) => context.deploy({ ...request, ...(serverRoot ? { serverRoot } : {}) }),
      },
      linesOf(side, live),
    );
    const before = found.get(side);
    const all = [...(before?.parts ?? []), part];
    const merged = mergeRuns(all, before?.merged.record.run ?? `${part.record.run}-${side.name}`);
    found.set(side, { parts: all, merged });
    save(merged, planned.resultsDirectory);
  }
  return [...found.values()].map(({ merged }) => merged);
}

function linesOf({ name }: Side, live: RunObserver): RunObserver {
  return {
    trialEnded: (line, trial) => live.trialEnded(`${name}  ${line}`, trial),
    variantEnded: (line) => live.variantEnded(line === null ? null : `${name}  ${line}`),
  };
}

function save({ record, trials }: Run, resultsDirectory: string): void {
  const directory = join(resultsDirectory, record.run);
  writeRunRecord(directory, record);
  for (const trial of trials) writeTrialRecord(directory, trial);
}
