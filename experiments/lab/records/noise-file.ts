/** `noise.json` beside the results: what runs of the same code differ by, measured by `noise`. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectory, writeWhole } from '#host/whole-file.ts';
import { InputError } from '../input-error.ts';

/** Of one row of a comparison, from A/A runs: runs of the same code under the same conditions. */
export type NoiseFigure = {
  /** Machine, target, box, timing and workload: a figure holds for runs under the same ones. */
  conditions: string;
  experiment: string;
  variant: string;
  metric: string;
  runs: number;
  /** Largest figure ÷ smallest. */
  spread: number;
  /** The smallest ratio of two runs that is a difference, in 9 of 10 cases. */
  resolvable: number;
  /** What two runs differ by beyond their own intervals, in 9 of 10 cases; 0.05 is 5 %. */
  margin: number;
  measuredAt: string;
};

type NoiseFile = { schemaVersion: 1; figures: NoiseFigure[] };

/** Empty where nothing was measured; throws an `InputError` where the file is damaged. */
export function readNoise(resultsDirectory: string): NoiseFigure[] {
  const path = pathIn(resultsDirectory);
  if (!existsSync(path)) return [];
  try {
    const { schemaVersion, figures } = JSON.parse(readFileSync(path, 'utf8')) as NoiseFile;
    if (schemaVersion === 1 && figures.every(({ margin }) => margin >= 0)) return figures;
  } catch {
    // Answered below, as any other content.
  }
  throw new InputError([
    `Delete ${path} and measure anew: required figures of schema 1; given other content.`,
  ]);
}

/** Adds figures; they replace those of the same row under the same conditions. Returns the path. */
export function writeNoise(resultsDirectory: string, measured: readonly NoiseFigure[]): string {
  const keyOf = ({ conditions, experiment, variant, metric }: NoiseFigure) =>
    JSON.stringify([conditions, experiment, variant, metric]);
  const byKey = new Map([...readNoise(resultsDirectory), ...measured].map((one) => [keyOf(one), one]));
  const file: NoiseFile = { schemaVersion: 1, figures: [...byKey.values()] };
  makeDirectory(resultsDirectory);
  writeWhole(pathIn(resultsDirectory), `${JSON.stringify(file, null, 1)}\n`);
  return pathIn(resultsDirectory);
}

function pathIn(resultsDirectory: string): string {
  return join(resultsDirectory, 'noise.json');
}
