/** The ordered table of stages, and the ways to name one. */
import { naive } from './01-naive.ts';
import { bounded } from './02-bounded.ts';
import { cursor } from './03-cursor.ts';
import { cores } from './04-cores.ts';
import { backplane } from './05-backplane.ts';
import { partitioned } from './06-partitioned.ts';
import { mailbox } from './07-mailbox.ts';
import type { Stage, StageDeclaration } from './stage.ts';

export const stages: readonly Stage[] = [naive, bounded, cursor, cores, backplane, partitioned, mailbox];

/** Finds a stage by full name (`03-cursor`), number (`03` or `3`) or noun (`cursor`). */
export function findStage(given: string): Stage | undefined {
  const wanted = /^\d$/.test(given) ? `0${given}` : given.toLowerCase();
  return stages.find(
    ({ name }) => name === wanted || name.slice(0, 2) === wanted || name.slice(3) === wanted,
  );
}

/** The newest stage that needs no service: the stage that runs when none is named. */
export function defaultStage(): Stage {
  return stages.findLast(({ services }) => services.length === 0)!;
}

/** What every stage declares, without its code. */
export function stageDeclarations(): StageDeclaration[] {
  return stages.map(({ compose: _, ...declaration }) => declaration);
}
