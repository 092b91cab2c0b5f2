/** From what a person calls a run to where it is. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { InputError } from '../shapes/run-plan.ts';
import { listRuns } from './schema.ts';

/** A path, a name in the results directory, or the newest there; throws an `InputError` that lists what there is. */
export function findRun(name: string | undefined, resultsDirectory: string): string {
  const runs = listRuns(resultsDirectory);
  if (name === undefined) {
    const newest = runs.at(-1);
    if (newest !== undefined) return join(resultsDirectory, newest);
    throw new InputError([
      `Run an experiment first: required a result directory in ${resultsDirectory}; given none.`,
    ]);
  }
  const candidates = [name, join(resultsDirectory, name)];
  const found = candidates.find((path) =>
    path.endsWith('.json') ? existsSync(path) : existsSync(join(path, 'run.json')),
  );
  if (found !== undefined) return found;
  const known = runs.length === 0 ? `(${resultsDirectory} has none)` : runs.slice(-5).join(', ');
  throw new InputError([
    `Name a run: required a result directory, a kept .json file, or a name such as ${known}; given ${name}.`,
  ]);
}
