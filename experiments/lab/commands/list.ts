/** `list`: the experiments and their questions. */
import type { Command } from 'commander';
import { besideName, columnsOf } from '#host/wrapped.ts';
import type { Registry } from '../shapes/shape.ts';

export function addList(program: Command, { experiments }: Registry): void {
  program
    .command('list')
    .description('the experiments and their questions')
    .action(() => {
      const width = Math.max(...experiments.map(({ name }) => name.length)) + 2;
      const columns = columnsOf(process.stdout);
      for (const { name, question } of experiments)
        console.log(besideName(name.padEnd(width), question, columns));
    });
}
