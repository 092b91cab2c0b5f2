/**
 * `npm run bench`: the figures that this project promises, side by side in one run; as ratios where the
 * machine would otherwise decide. Exit code 0 when every figure reaches its minimum, 1 when one does not.
 * Quick figures have no minimum.
 */
import { Command } from 'commander';
import { interruption } from '../lab/commands/interruption.ts';
import { positiveInteger } from '../lab/commands/option-values.ts';
import { fullEffort, quickEffort } from './effort.ts';
import { type Figure, measureFigures, medianFigures } from './figures.ts';

async function main(): Promise<void> {
  const { repetitions, seed, quick } = new Command('npm run bench --')
    .description(
      'Measures the promised figures on this machine, in about twelve minutes for each repetition.',
    )
    .option('--repetitions <n>', 'how often everything is measured; medians count', positiveInteger, 1)
    .option('--seed <n>', 'seed of the schedules', positiveInteger, 1)
    .option('--quick', 'three minutes instead of twelve: to compare two trees side by side, not for promises')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .parse()
    .opts<{ repetitions: number; seed: number; quick?: boolean }>();
  const signal = interruption();
  const effort = quick ? quickEffort : fullEffort;
  const rounds: Figure[][] = [];
  for (let round = 0; round < repetitions; round++)
    rounds.push(await measureFigures({ effort, seed: seed + round, signal, say: console.log }));
  const figures = medianFigures(rounds);
  console.log(`\n${table(figures, quick ? [] : ['at least', 'aim', ''])}`);
  if (quick)
    console.log(
      '\nQuick figures compare two trees side by side on one machine. They prove no promised figure.',
    );
  else process.exitCode = figures.every(({ reached }) => reached) ? 0 : 1;
}

/** Subject and measured value, and the other columns where they are named. */
function table(figures: readonly Figure[], others: readonly string[]): string {
  const rows = figures.map(({ subject, measured, bound, aim, reached, unit }) => [
    subject,
    `${measured.toPrecision(3)} ${unit}`,
    ...[bound, String(aim), reached ? 'reached' : 'MISSED'].slice(0, others.length),
  ]);
  const all = [['what', 'measured', ...others], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const lastColumn = widths.length - 1;
  return all
    .map((row) =>
      row
        .map((cell, column) => {
          const leftAligned = column === 0 || (column === lastColumn && others.length > 0);
          return leftAligned ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!);
        })
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

await main();
