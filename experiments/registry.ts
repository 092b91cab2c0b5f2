/** Every experiment, in order. */
import { ladder } from './001-ladder/experiment.ts';
import { slowReader } from './002-slow-reader/experiment.ts';
import { crowd } from './003-crowd/experiment.ts';
import { smallBox } from './004-small-box/experiment.ts';
import { messageSize } from './005-message-size/experiment.ts';
import { cores } from './006-cores/experiment.ts';
import { nodes } from './007-nodes/experiment.ts';
import { kill } from './008-kill/experiment.ts';
import type { Experiment } from './lab/shapes/experiment.ts';
import type { Procedure } from './lab/shapes/procedure.ts';

export const experiments: readonly Experiment[] = [
  ladder,
  slowReader,
  crowd,
  smallBox,
  messageSize,
  cores,
  nodes,
];

/** Questions that are not answered by trials of one load. */
export const procedures: readonly Procedure[] = [kill];

/** By full name, number or word: `001-ladder`, `001`, `1`, `ladder`; undefined where none or several match. */
export function findExperiment(name: string): Experiment | undefined {
  return findByShortName(experiments, name);
}

/** Finds `NNN-word` by `NNN-word`, `NNN`, its number without zeros, or `word`. */
export function findByShortName<Named extends { name: string }>(
  all: readonly Named[],
  name: string,
): Named | undefined {
  const matching = all.filter((one) => {
    const [number = '', ...words] = one.name.split('-');
    return (
      one.name === name || words.join('-') === name || (/^\d+$/.test(name) && Number(number) === Number(name))
    );
  });
  return matching.length === 1 ? matching[0] : undefined;
}
