/** `report --goal`: what a goal costs on each stage, from the results of capacity runs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { costOf, type Prices } from '../analysis/cost.ts';
import { costModelOf, isCapacityRun } from '../analysis/cost-model.ts';
import { parseGoal } from '../analysis/goal.ts';
import { listStages } from '../deployment/list-stages.ts';
import { InputError } from '../input-error.ts';
import type { LoadRun, Run } from '../records/schema.ts';
import { costReport } from '../report/cost-text.ts';

const pricesPath = join(import.meta.dirname, '..', 'prices.json');

/** The text of the answer. Rejects with an `InputError` on another goal, or runs that cannot answer it. */
export async function answerGoal(goalText: string, runs: readonly Run[]): Promise<string> {
  const goal = parseGoal(goalText);
  const capacityRuns = checkRuns(runs);
  const prices = readPrices();
  const stages = new Map((await listStages()).map((stage) => [stage.name, stage]));
  const costs = [];
  const unknown: string[] = [];
  for (const name of new Set(
    capacityRuns.flatMap(({ record }) => record.variants.map(({ stage }) => stage)),
  )) {
    const stage = stages.get(name);
    const model = costModelOf(capacityRuns, name);
    if (stage === undefined) unknown.push(`${name}: this tree does not have the stage.`);
    else if (model === null) unknown.push(`${name}: none of its trials passed with its CPU observed.`);
    else costs.push(costOf(goal, stage, model, prices));
  }
  return costReport(goalText, costs, unknown, prices);
}

/** Capacity runs of one machine and one target: the CPU of two machines must not be added up. */
function checkRuns(runs: readonly Run[]): LoadRun[] {
  const others = runs.filter((run) => !isCapacityRun(run));
  if (others.length > 0) {
    const given = others.map(({ record }) => `${record.run} (${record.shape})`).join(', ');
    throw new InputError([`Ask a goal of capacity runs: required the shape capacity; given ${given}.`]);
  }
  const machines = runs.map(({ record: { environment: machine, target } }) => {
    return `${machine.cpuModel}, ${machine.cpus} cores, ${target} target`;
  });
  const different = [...new Set(machines)];
  if (different.length > 1)
    throw new InputError([
      `Ask a goal of runs of one machine: required the same machine and target; given ${different.join(' and ')}.`,
    ]);
  return runs.filter(isCapacityRun);
}

function readPrices(): Prices {
  const prices = JSON.parse(readFileSync(pricesPath, 'utf8')) as Prices;
  const { coreHour, gibibyteHour, egressGigabyte } = prices;
  const wrong = Object.entries({ coreHour, gibibyteHour, egressGigabyte }).filter(
    ([, price]) => !(price >= 0),
  );
  if (wrong.length === 0) return prices;
  const given = wrong.map(([name, price]) => `${name} ${price}`).join(', ');
  throw new InputError([`Correct ${pricesPath}: required prices of 0 or more; given ${given}.`]);
}
