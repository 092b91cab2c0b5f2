/** `compare`: two runs of one experiment side by side, or the server of another commit and this one's. */
import type { Command } from 'commander';
import { InputError } from '../input-error.ts';
import { readNoise } from '../records/noise-file.ts';
import { findRun, readRun } from '../records/store.ts';
import { comparisonReport } from '../report/comparison.ts';
import { toTerminal } from '../report/printed.ts';
import type { Registry } from '../shapes/shape.ts';
import { compareAgainst } from './against.ts';
import { compareRuns } from './comparing.ts';
import { addOutcomeOptions, type OutcomeFlags, refusedFiles, writeComparison } from './outcome.ts';
import { addRunOptions, experimentNamed, type RunFlags } from './run.ts';

type CompareFlags = RunFlags & OutcomeFlags & { against?: string; anyway: boolean };

/** Options of `run` that comparing files has too. */
const ofFiles = ['results', 'summary', 'junit', 'anyway'];

export function addCompare(program: Command, registry: Registry): void {
  const command = program
    .command('compare')
    .description('whether b is better or worse than a, or no more than noise; exit code 1 on worse')
    .argument(
      '[a]',
      'result directory, archived .json file, or name of a run; with --against: the experiment',
    )
    .argument('[b]', 'the same, of the same experiment')
    .option('--anyway', 'compare although machine, timing, limits, target, box or workload differ', false)
    .option(
      '--against <ref>',
      'run the server of that commit (a) and of this checkout (b) in turns, and compare',
    )
    .action(async (a: string | undefined, b: string | undefined, flags: CompareFlags) => {
      const mistakes = [...refusedFiles(flags), ...misplaced(command, a, b, flags)];
      if (mistakes.length > 0) throw new InputError(mistakes);
      if (flags.against === undefined) {
        process.exitCode = compareFiles(a!, b!, flags, registry);
        return;
      }
      const experiment = experimentNamed(a ?? registry.experiments[0]!.name, registry);
      process.exitCode = await compareAgainst(flags.against, experiment, flags, registry);
    });
  addOutcomeOptions(command);
  addRunOptions(command);
}

function compareFiles(nameA: string, nameB: string, flags: CompareFlags, registry: Registry): number {
  const { results, anyway } = flags;
  const noise = readNoise(results);
  const [a, b] = [readRun(findRun(nameA, results)), readRun(findRun(nameB, results))];
  const comparison = compareRuns(a, b, { registry, noise, anyway });
  console.log(comparisonReport(comparison.content, toTerminal));
  writeComparison(flags, b, comparison);
  return comparison.exitCode;
}

/** A sentence for each argument and option that the other form of the command has. */
function misplaced(
  command: Command,
  a: string | undefined,
  b: string | undefined,
  { against, anyway }: CompareFlags,
): string[] {
  if (against !== undefined) {
    const mistakes: string[] = [];
    if (b !== undefined)
      mistakes.push(`Name one experiment with --against: required at most one name; given ${a} and ${b}.`);
    if (anyway) mistakes.push('Leave out --anyway with --against: both sides run alike.');
    return mistakes;
  }
  const mistakes: string[] = [];
  if (a === undefined || b === undefined)
    mistakes.push(
      `Name two runs, or one version with --against: required <a> and <b>; given ${a ?? 'none'}.`,
    );
  for (const option of command.options) {
    const name = option.attributeName();
    if (ofFiles.includes(name) || command.getOptionValueSource(name) !== 'cli') continue;
    mistakes.push(`Leave out ${option.long}: runs that are compared by name have run already.`);
  }
  return mistakes;
}
