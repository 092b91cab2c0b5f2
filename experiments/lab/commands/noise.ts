/** `noise`: what runs of the same code on this machine differ by (A/A). */
import type { Command } from 'commander';
import { interruption } from '#host/interruption.ts';
import { exitCodeOfComparison, judge } from '../analysis/judge.ts';
import { noiseOf } from '../analysis/noise.ts';
import { InputError } from '../input-error.ts';
import { readNoise, writeNoise } from '../records/noise-file.ts';
import type { Run } from '../records/schema.ts';
import { noiseReport } from '../report/noise.ts';
import { shapeOf } from '../shapes/run-report.ts';
import type { Registry } from '../shapes/shape.ts';

import { positiveInteger } from './option-values.ts';
import { addRunOptions, experimentNamed, type RunFlags, runExperiment } from './run.ts';
import { oneByOne, runSides, type Side } from './sides.ts';

type NoiseFlags = RunFlags & { runs: number };

/** Five runs are ten comparisons of two. */
const runsUsual = 5;
const runsMin = 3;

export function addNoise(program: Command, registry: Registry): void {
  const first = registry.experiments[0]?.name;
  const command = program
    .command('noise')
    .description('run the same code several times: the margin that compare takes on this machine')
    .argument('[name]', 'experiment, as for run', first)
    .option('--runs <n>', `whole runs, at least ${runsMin}`, positiveInteger, runsUsual)
    .action(async (name: string, flags: NoiseFlags) => {
      process.exitCode = await measureNoise(name, flags, registry);
    });
  addRunOptions(command);
}

async function measureNoise(name: string, flags: NoiseFlags, registry: Registry): Promise<number> {
  const { results, runs: count } = flags;
  if (count < runsMin)
    throw new InputError([`Give --runs a whole number: required at least ${runsMin}; given ${count}.`]);
  const experiment = experimentNamed(name, registry);
  readNoise(results);
  const signal = interruption();
  const sides: Side[] = Array.from({ length: count }, (_, index) => ({ name: `aa${index + 1}` }));
  const runs = await runExperiment(experiment, flags, signal, {
    times: count,
    run: (planned, context, live) => runSides(oneByOne(sides, planned.variants), planned, context, live),
  });
  if (signal.aborted) {
    console.log('\ninterrupted: no figure was stored');
    return 130;
  }
  const compare = (a: Run, b: Run) => shapeOf(a, registry).compare(a, b);
  const figures = noiseOf(runs, compare);
  const pairs = runs.flatMap((a, index) => runs.slice(index + 1).map((b) => judge(compare(a, b), () => 0)));
  const worse = pairs.filter((rows) => exitCodeOfComparison(rows) === 1).length;
  console.log(`\n${noiseReport(figures, worse, pairs.length)}`);
  if (figures.length === 0) {
    console.log('No figure was found in every run: no margin was stored.');
    return 3;
  }
  console.log(`stored: ${writeNoise(results, figures)}`);
  return 0;
}
