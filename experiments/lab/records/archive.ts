/** Archives a run in the repository: one compact file, from which every report can be remade. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory, writeWhole } from '#host/whole-file.ts';
import type { Run, TrialHeader, TrialRecord } from './schema.ts';
import { readRun } from './store.ts';

/** Writes `<experimentDirectory>/results/<run>.json` and returns its path. */
export function archiveRun(run: Run, drawn: ReadonlySet<number>, experimentDirectory: string): string {
  const directory = join(experimentDirectory, 'results');
  makeDirectory(directory);
  const path = join(directory, `${run.record.run}.json`);
  writeWhole(path, `${JSON.stringify(compactRun(run, drawn))}\n`);
  return path;
}

/** The archived runs of an experiment, newest first. */
export function readArchived(experimentDirectory: string): Run[] {
  const directory = join(experimentDirectory, 'results');
  const names = existsSync(directory) ? readdirSync(directory) : [];
  return names
    .filter((name) => name.endsWith('.json'))
    .sort()
    .reverse()
    .map((name) => readRun(join(directory, name)));
}

/** Paths of the committed pictures of an experiment, within its directory. */
export function picturesIn(experimentDirectory: string): string[] {
  const directory = join(experimentDirectory, 'results');
  const names = existsSync(directory) ? readdirSync(directory) : [];
  return names.filter((name) => name.endsWith('.svg')).map((name) => `results/${name}`);
}

/** Keeps the series and histograms of the drawn trials only, and every figure of every trial. */
export function compactRun<Any extends Run>(run: Any, drawn: ReadonlySet<number>): Any {
  return { ...run, trials: run.trials.map((trial) => compactTrial(trial, drawn.has(trial.number))) };
}

function compactTrial(trial: TrialHeader, isDrawn: boolean): TrialHeader {
  const { loadtest, nodes } = trial as Partial<TrialRecord>;
  const readings = isDrawn || nodes === undefined ? {} : { nodes: [], metrics: [] };
  if (!loadtest) return { ...trial, ...readings };
  const deliveryLatencyUs = isDrawn ? loadtest.histograms.deliveryLatencyUs : '';
  const histograms = { deliveryLatencyUs, serviceLatencyUs: '', scheduleLagUs: '' };
  const series = isDrawn ? loadtest.series : emptied(loadtest.series);
  return Object.assign({}, trial, readings, { loadtest: { ...loadtest, histograms, series } });
}

function emptied<Series extends object>(series: Series): Series {
  return Object.fromEntries(Object.keys(series).map((field) => [field, []])) as unknown as Series;
}
