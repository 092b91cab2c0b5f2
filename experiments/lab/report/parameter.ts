/** The one quantity that an experiment varies beside the load, such as a message size. Pure. */
import type { CapacityFinding } from '../analysis/finding.ts';
import type { TrialRecord } from '../records/schema.ts';
import { formatCount } from './format.ts';

export type Parameter = {
  /** For an axis. */
  name: string;
  /** A value in a sentence: `16,384 B`, `1 node`. */
  text(value: number): string;
};
/** Variants that differ in the parameter only, in its order. */
export type Family = {
  name: string;
  stage: string;
  points: { value: number; finding: CapacityFinding }[];
};

type Quantity = Parameter & { pick(finding: CapacityFinding): number | null };

const quantities: readonly Quantity[] = [
  quantity('message size in bytes', (value) => `${formatCount(value)} B`, ofWorkload('payloadBytes')),
  quantity('worker processes', counted('worker'), ({ variant }) => Number(variant.settings.workers ?? 1)),
  quantity('nodes', counted('node'), ({ variant }) => variant.nodes),
  quantity('rooms', counted('room'), ofWorkload('rooms')),
  quantity('clients', counted('client'), ofWorkload('clients')),
];

/** The families of a run in order, and what they vary; null where variants do not form a series of values. */
export function familiesOf(
  findings: readonly CapacityFinding[],
): { parameter: Parameter; families: Family[] } | null {
  const known = findings.filter(({ trials }) => trials.length > 0);
  const choices = quantities
    .filter(({ pick }) => known.length > 0 && known.every((finding) => pick(finding) !== null))
    .map((parameter) => ({ parameter, families: familiesBy(parameter, known) }))
    .map((choice) => ({
      ...choice,
      longest: Math.max(...choice.families.map(({ points }) => points.length)),
    }));
  const [best] = choices.toSorted((a, b) => b.longest - a.longest);
  return best === undefined || best.longest < 2 ? null : best;
}

function familiesBy(parameter: Quantity, findings: readonly CapacityFinding[]): Family[] {
  const others = quantities.filter((other) => {
    const values = new Set(findings.map((finding) => other.pick(finding)));
    return other !== parameter && values.size > 1;
  });
  const stages = new Set(findings.map(({ variant }) => variant.stage));
  const groups = Map.groupBy(findings, (finding) =>
    [finding.variant.stage, wordsOf(finding), ...others.map((other) => other.pick(finding))].join('|'),
  );
  const families = [...groups.values()].map((members) => {
    const [{ variant }] = members as [CapacityFinding];
    const also = others.map((other) => other.text(other.pick(members[0]!)!));
    const stage = stages.size > 1 || also.length === 0 ? [variant.stage] : [];
    const name = variant.scale?.group ?? [...stage, ...also].join(', ');
    const points = members.map((finding) => ({ value: parameter.pick(finding)!, finding }));
    return {
      name: members.length === 1 ? variant.name : name,
      stage: variant.stage,
      points: points.sort((a, b) => a.value - b.value),
    };
  });
  const isAmbiguous = (name: string) => families.filter((family) => family.name === name).length > 1;
  return families.map((family) =>
    isAmbiguous(family.name)
      ? { ...family, name: `${family.name}, ${wordsOf(family.points[0]!.finding)}` }
      : family,
  );
}

/** What the name of a variant says beside its numbers: variants that differ there form no series. */
function wordsOf({ variant }: CapacityFinding): string {
  const words =
    variant.name
      .replace(variant.stage, '')
      .toLowerCase()
      .match(/[a-z]{3,}/g) ?? [];
  return words.map((word) => word.replace(/s$/, '')).join(' ');
}

function quantity(name: string, text: Parameter['text'], pick: Quantity['pick']): Quantity {
  return { name, text, pick };
}

function counted(noun: string): Parameter['text'] {
  return (value) => `${formatCount(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** Of the workload, where all trials of the variant have the same: else it is the load. */
function ofWorkload(field: 'payloadBytes' | 'rooms' | 'clients'): Quantity['pick'] {
  return ({ trials }) => {
    const values = new Set(trials.flatMap(({ loadtest }: TrialRecord) => loadtest?.workload[field] ?? []));
    return values.size === 1 ? [...values][0]! : null;
  };
}
