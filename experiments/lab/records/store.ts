/** The files of runs: a directory with `run.json` and `trials/NNN.json`, or one archived JSON file. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { redactedJson } from '#host/secrets.ts';
import { makeDirectory, writeFault, writeWhole } from '#host/whole-file.ts';
import { InputError } from '../input-error.ts';
import { missingField } from './check.ts';
import type { Run, RunRecord, TrialHeader } from './schema.ts';

/** Makes the directory of all results. Throws an `InputError` where nothing can be written in it. */
export function openResults(directory: string): void {
  let fault: string | null;
  try {
    makeDirectory(directory);
    fault = writeFault(join(directory, 'run.json'));
  } catch (error) {
    fault = (error as Error).message;
  }
  if (fault === null) return;
  throw new InputError([
    `Choose another --results: required a directory that can be written; given ${directory}: ${fault}.`,
  ]);
}

/**
 * Writes `run.json`; called again as the run goes on, so that an interrupted run is a result too. Like all
 * files of a run it is whole or not there. Throws a `WriteError`.
 */
export function writeRunRecord(directory: string, record: RunRecord): void {
  makeDirectory(join(directory, 'trials'));
  writeWhole(join(directory, 'run.json'), `${redactedJson(record, 1)}\n`);
}

/** Writes `trials/NNN.json`. Throws a `WriteError`. */
export function writeTrialRecord(directory: string, trial: TrialHeader): void {
  const name = `${String(trial.number).padStart(3, '0')}.json`;
  writeWhole(join(directory, 'trials', name), `${redactedJson(trial)}\n`);
}

/**
 * Reads a run from its directory or from an archived file. Throws an `InputError` where it is neither, or is
 * damaged.
 */
export function readRun(path: string): Run {
  const value = statSync(path).isDirectory() ? readDirectory(path) : readJson(path);
  const run = runOf(value);
  const version = (value as { record?: { schemaVersion?: unknown } } | null)?.record?.schemaVersion;
  if (run === null)
    throw new InputError([
      `Give a result of this lab: required schema 2; ${path} has ${version === undefined ? 'none' : String(version)}.`,
    ]);
  const missing = missingField(run);
  if (missing === null) return run;
  throw new InputError([`Give a complete result of this lab: required ${missing}; ${path} has none.`]);
}

/** Null where it is none of this schema. */
function runOf(value: unknown): Run | null {
  if (typeof value !== 'object' || value === null) return null;
  const { record, trials } = value as Partial<Run>;
  const isRun = record?.schemaVersion === 2 && Array.isArray(record.variants) && Array.isArray(trials);
  return isRun ? (value as Run) : null;
}

/** Names of the runs in a results directory, oldest first; empty where there is none. */
export function listRuns(resultsDirectory: string): string[] {
  if (!existsSync(resultsDirectory)) return [];
  return readdirSync(resultsDirectory)
    .filter((name) => existsSync(join(resultsDirectory, name, 'run.json')))
    .sort();
}

/** Path of a run by its path, its name, or as the newest; throws an `InputError` that lists known runs. */
export function findRun(name: string | undefined, resultsDirectory: string): string {
  const runs = listRuns(resultsDirectory);
  const isRun = (path: string) => existsSync(path.endsWith('.json') ? path : join(path, 'run.json'));
  if (name === undefined && runs.length === 0)
    throw new InputError([
      `Run an experiment first: required a result directory in ${resultsDirectory}; given none.`,
    ]);
  if (name === undefined) return join(resultsDirectory, runs.at(-1)!);
  const found = [name, join(resultsDirectory, name)].find(isRun);
  // The file that a shell completes to, inside of a result directory.
  if (found !== undefined) return basename(found) === 'run.json' ? dirname(found) : found;
  const known =
    runs.length === 0
      ? `${resultsDirectory} has no runs to name`
      : `or a name such as ${runs.slice(-5).join(', ')}`;
  throw new InputError([
    `Name a run: required a result directory, an archived .json file, ${known}; given ${name}.`,
  ]);
}

function readDirectory(path: string): unknown {
  const record = readJson(join(path, 'run.json'));
  const trials = join(path, 'trials');
  const names = existsSync(trials) ? readdirSync(trials).filter((name) => name.endsWith('.json')) : [];
  return { record, trials: names.sort().map((name) => readJson(join(trials, name))) };
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new InputError([
      `Give a complete result file: ${path} cannot be read: ${(error as Error).message}.`,
    ]);
  }
}
