/** Keeps a run in the repository: one compact file, small enough to commit, from which every report can be remade. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LoadtestResult } from '../../../loadtest/result/schema.ts';
import { shownTrials } from '../analysis/finding.ts';
import { type Run, readRun, type TrialRecord } from './schema.ts';

/** Writes `<experimentDirectory>/results/<run>.json` and returns its path. */
export function keepRun(run: Run, experimentDirectory: string): string {
  const directory = join(experimentDirectory, 'results');
  mkdirSync(directory, { recursive: true });
  const path = join(directory, `${run.record.run}.json`);
  writeFileSync(path, `${JSON.stringify(compactRun(run))}\n`);
  return path;
}

/** The kept runs of an experiment, newest first; none where nothing was kept. */
export function readKept(experimentDirectory: string): Run[] {
  const directory = join(experimentDirectory, 'results');
  let names: string[];
  try {
    names = readdirSync(directory).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
  return names
    .sort()
    .reverse()
    .map((name) => readRun(join(directory, name)));
}

const noSeries: LoadtestResult['series'] = {
  atSeconds: [],
  sentPerSecond: [],
  deliveriesPerSecond: [],
  deliveryLatencyMsP50: [],
  deliveryLatencyMsP99: [],
  deliveryLatencyMsMax: [],
  scheduleLagMsP99: [],
  instrumentCpuCores: [],
  sessionsOpen: [],
};

/** Series and histograms stay only where a report draws them; every figure of every trial stays. */
export function compactRun(run: Run): Run {
  const shown = new Set(shownTrials(run).map(({ trial }) => trial.number));
  return {
    record: run.record,
    trials: run.trials.map((trial) =>
      shown.has(trial.number) ? withoutUndrawn(trial) : withoutSeries(trial),
    ),
  };
}

function withoutSeries(trial: TrialRecord): TrialRecord {
  if (trial.loadtest === null) return { ...trial, nodes: [], metrics: [] };
  const histograms = { deliveryLatencyUs: '', serviceLatencyUs: '', scheduleLagUs: '' };
  const loadtest = { ...trial.loadtest, histograms, series: noSeries };
  return { ...trial, nodes: [], metrics: [], loadtest };
}

function withoutUndrawn(trial: TrialRecord): TrialRecord {
  if (trial.loadtest === null) return trial;
  const histograms = { ...trial.loadtest.histograms, serviceLatencyUs: '', scheduleLagUs: '' };
  return { ...trial, loadtest: { ...trial.loadtest, histograms } };
}
