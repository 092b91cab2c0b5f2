/** Sentences: where the cost of a goal is extrapolated, and why a stage cannot meet it. */
import { type Extrapolation, extrapolations, type StageCost, type Unmet } from '../analysis/cost.ts';
import type { CostModel } from '../analysis/cost-model.ts';
import { formatNumber } from './format.ts';

/** A sentence for each thing that the figures take for granted; empty where all of it was measured. */
export function costNotes(cost: StageCost): string[] {
  const { model, processes, serviceCores } = cost;
  return [
    ...extrapolations(cost).map(extrapolationText),
    ...(model.writesKnown ? [] : [writesNote(cost)]),
    ...inseparableNotes(model),
    ...(model.peak !== null && processes > model.peak
      ? [
          `the scaling law of the result has its peak at ${formatNumber(model.peak)}: beyond it, more carry less`,
        ]
      : []),
    ...(serviceCores > 1 ? [`one Redis uses one core; the services need ${formatNumber(serviceCores)}`] : []),
    ...(model.safeLoad.isBound
      ? ['no trial failed because of the server: it may carry more than was measured, for less']
      : []),
  ];
}

/** Whether the cores can only be more: the writes are not known, and the rooms of the goal are quieter. */
export function isLowerBound({ model, demand }: StageCost): boolean {
  return !model.writesKnown && demand.messagesPerRoom < model.samples[0]!.messagesPerRoom;
}

/** Why, in a sentence. */
export function unmetText(unmet: Unmet): string {
  const needs = `this needs ${formatNumber(unmet.coresNeeded)}`;
  if (unmet.cause === 'entry')
    return `cannot be met by this stage: each process reads every message, which takes ${formatNumber(unmet.coresNeeded)} cores of each.`;
  const full = `it admits ${formatNumber(unmet.sessionsMax)} sessions (--sessions-max)`;
  const why = unmet.coresNeeded > 1 ? needs : full;
  return `cannot be met by this stage on one machine: it is one process, which uses one core at most; ${why}.`;
}

function extrapolationText({ what, asked, min, max }: Extrapolation): string {
  const measured = min === max ? formatNumber(min) : `${formatNumber(min)} to ${formatNumber(max)}`;
  return `extrapolated: ${formatNumber(asked)} ${what}; measured with ${measured}`;
}

function writesNote(cost: StageCost): string {
  const [quietest] = cost.model.samples;
  const at = `${formatNumber(quietest!.messagesPerRoom)} messages/s in a room`;
  const more = isLowerBound(cost)
    ? ', and where fewer frames share a write it is higher: the cores are a lower bound'
    : '';
  return `extrapolated: the result does not hold the number of writes. The cost of a delivery is that at ${at}${more}`;
}

function inseparableNotes({ inseparable }: CostModel): string[] {
  if (inseparable.length === 0) return [];
  const costs = inseparable.map((one) => ({ entry: 'reading a message', byte: 'a byte' })[one]);
  return [
    `extrapolated: these trials cannot tell the cost of ${costs.join(' and of ')} apart; results with other room sizes and payloads can (--with)`,
  ];
}
