/** Several runs of the same code as one: what was found in turns is judged together. Pure. */
import type { LoadRun, Run, TrialRecord, VariantRecord } from '../records/schema.ts';
import { capacityFindings } from './finding.ts';

/** At least one part, in the order they ran. Trials are numbered anew; answers follow from all of them. */
export function mergeRuns(parts: readonly Run[], name: string): Run {
  const first = parts[0]!.record;
  const trials = withStartsApart(parts).map((trial, at) => ({ ...trial, number: at + 1 }));
  const byName = Map.groupBy(
    parts.flatMap(({ record }) => record.variants),
    (variant) => variant.name,
  );
  const merged: Run = {
    record: {
      ...first,
      run: name,
      seconds: parts.reduce((sum, { record }) => sum + record.seconds, 0),
      interrupted: parts.some(({ record }) => record.interrupted),
      variants: [...byName.values()].map(mergeVariant),
      skipped: [
        ...new Map(parts.flatMap(({ record }) => record.skipped).map((skip) => [skip.name, skip])).values(),
      ],
    },
    trials,
  };
  return first.shape === 'capacity' ? withAnswers(merged as LoadRun) : merged;
}

/** Each part has started its servers anew: the starts of a variant are counted on from part to part. */
function withStartsApart(parts: readonly Run[]): Run['trials'] {
  const newest = new Map<string, number>();
  return parts.flatMap(({ trials }) => {
    const before = new Map(newest);
    return trials.map((trial) => {
      if (trial.purpose !== 'search') return trial;
      const serverStart = (before.get(trial.variant) ?? 0) + ((trial as TrialRecord).serverStart ?? 1);
      newest.set(trial.variant, serverStart);
      return { ...trial, serverStart };
    });
  });
}

/** A part that failed makes the whole incomplete; counts add up. */
function mergeVariant(parts: VariantRecord[]): VariantRecord {
  const last = parts.at(-1)!;
  const answers = parts.flatMap(({ answer }) => answer ?? []);
  const answer = answers.at(-1) && {
    ...answers.at(-1)!,
    trials: answers.reduce((sum, { trials }) => sum + trials, 0),
    voids: answers.reduce((sum, { voids }) => sum + voids, 0),
    metastable: answers.flatMap(({ metastable = [] }) => metastable),
  };
  return {
    ...last,
    answer: answer ?? null,
    bound: parts.findLast(({ bound }) => bound !== null)?.bound ?? null,
    error: parts.find(({ error }) => error !== null)?.error ?? null,
  };
}

function withAnswers(run: LoadRun): LoadRun {
  const variants = capacityFindings(run).map(({ variant, threshold, atLeast, isBeyondTried }) => {
    const answer = variant.answer && { ...variant.answer, threshold, atLeast, isBeyondTried };
    return { ...variant, answer };
  });
  return { ...run, record: { ...run.record, variants } };
}
