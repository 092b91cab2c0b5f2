/**
 * `npm run bench`: the figures that this project promises, as ratios where the machine would otherwise
 * decide. Exit code 0 when every figure reaches its minimum, 1 when one does not. Quick figures have none.
 */
import { Command } from 'commander';
import { shapeHelp } from '#host/help.ts';
import { interruption } from '#host/interruption.ts';
import { positiveInteger } from '../lab/commands/option-values.ts';
import { left, right, tableOf, terminalTable } from '../lab/report/table.ts';
import { fullEffort, quickEffort } from './effort.ts';
import { type Figure, measureFigures, medianFigures } from './figures.ts';

async function main(): Promise<void> {
  const { repetitions, seed, quick } = shapeHelp(new Command('npm run bench --'))
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
  console.log(`\n${figuresTable(figures, quick)}`);
  if (quick)
    console.log(
      '\nQuick figures compare two trees side by side on one machine. They prove no promised figure.',
    );
  else process.exitCode = figures.every(({ reached }) => reached) ? 0 : 1;
}

function figuresTable(figures: readonly Figure[], quick = false): string {
  const columns = [
    left<Figure>('what', ({ subject }) => subject),
    right<Figure>('measured', ({ measured, unit }) => `${measured.toPrecision(3)} ${unit}`),
  ];
  if (!quick)
    columns.push(
      right('at least', ({ bound }) => bound),
      right('aim', ({ aim }) => String(aim)),
      left('', ({ reached }) => (reached ? 'reached' : 'MISSED')),
    );
  return terminalTable(tableOf(figures, columns));
}

await main();
