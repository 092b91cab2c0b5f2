/** What two runs must have in common to be compared. Pure. */
import { type QuantityName, workloadTable } from '../../../loadtest/workload.ts';
import type { LoadRunRecord, RunRecord, TrialHeader, TrialRecord, VariantRecord } from '../records/schema.ts';

/** Something that differs. `remedy` is an instruction that a colon may follow. */
export type Difference = { what: string; a: string; b: string; remedy: string };

/** A run, or what is known of it before it starts. */
export type Comparable = {
  record: Pick<RunRecord, 'shape' | 'limits' | 'target' | 'simulator' | 'environment'> & {
    variants: readonly Pick<VariantRecord, 'name' | 'targetLimits' | 'nodes'>[];
  };
  trials: readonly TrialHeader[];
};

const kinds: Readonly<Record<string, string>> = {
  capacity: 'searched capacity',
  'fixed-load': 'fixed loads',
};
/** Quantities that differ between trials by design, or that follow from the load and the machine. */
const ownQuantities: readonly QuantityName[] = [
  'urls',
  'seed',
  'workers',
  'sourceAddresses',
  'warmUpSeconds',
  'durationSeconds',
  'drainSeconds',
];

/** One sentence with the remedy, the requirement and both values. */
export function sentenceOf({ what, a, b, remedy }: Difference): string {
  return `${remedy}: required the same ${what}; given ${a} and ${b}.`;
}

/** Everything that makes a comparison say something else than which code is better. */
export function differencesOf(a: Comparable, b: Comparable): Difference[] {
  return [
    ...differing(kindOf(a), kindOf(b)),
    ...differing(machineOf(a), machineOf(b)),
    ...differing(placeOf(a), placeOf(b)),
    ...limitsOf(a, b),
    ...differing(methodOf(a), methodOf(b)),
    ...differing(workloadOf(a), workloadOf(b)),
    ...boxesOf(a, b),
  ];
}

/** What may differ by its name, with its value as text and the remedy. */
type Facts = ReadonlyMap<string, { value: string; remedy: string }>;
type FactList = readonly (readonly [what: string, value: unknown, remedy: string])[];

/** A value that is not known (undefined, as in results of before) differs from nothing. */
function facts(list: FactList): Facts {
  const known = list.filter(([, value]) => value !== undefined);
  return new Map(known.map(([what, value, remedy]) => [what, { value: textOf(value), remedy }]));
}

function differing(a: Facts, b: Facts): Difference[] {
  return [...a].flatMap(([what, { value, remedy }]) => {
    const other = b.get(what);
    if (other === undefined || other.value === value) return [];
    return [{ what, a: value, b: other.value, remedy }];
  });
}

function textOf(value: unknown): string {
  if (value === null) return 'none';
  return Array.isArray(value) ? value.map(textOf).join(', ') || 'none' : String(value);
}

function kindOf({ record: { shape } }: Comparable): Facts {
  const remedy = 'Run both with --loads, or both without';
  return facts([['kind of run', kinds[shape] ?? shape, remedy]]);
}

function machineOf({ record: { environment } }: Comparable): Facts {
  const remedy = 'Run both on one machine';
  const [system = '', , architecture = ''] = environment.platform.split(' ');
  return facts([
    ['CPU model', environment.cpuModel, remedy],
    ['number of cores', environment.cpus, remedy],
    ['operating system', `${system} ${architecture}`.trim(), remedy],
    ['CPU quota around the lab', environment.cgroupCpuCores, remedy],
  ]);
}

function placeOf({ record: { target, simulator } }: Comparable): Facts {
  return facts([
    ['target', target, 'Run both with the same --target'],
    ['place of the simulator', simulator, 'Run both with the same --simulator'],
  ]);
}

function methodOf({ record }: Comparable): Facts {
  const { timing } = record as Partial<LoadRunRecord>;
  return facts([
    ['warm-up in seconds', timing?.warmUpSeconds, 'Run both with the same --warm-up'],
    ['measure phase in seconds', timing?.measureSeconds, 'Run both with the same --duration'],
    ['drain in seconds', timing?.drainSeconds, 'Run both with the same --drain'],
  ]);
}

/** One difference for all limits that only one of the two has. */
function limitsOf({ record: a }: Comparable, { record: b }: Comparable): Difference[] {
  const only = (one: typeof a, other: typeof a) =>
    one.limits.filter((limit) => !other.limits.includes(limit));
  const [onlyA, onlyB] = [only(a, b), only(b, a)];
  if (onlyA.length + onlyB.length === 0) return [];
  const remedy = 'Run both from one version of the experiment';
  return [{ what: 'limits', a: textOf(onlyA), b: textOf(onlyB), remedy }];
}

/** The workload as the record has it, and the defaults of the simulator where its trials agree on them. */
function workloadOf({ record, trials }: Comparable): Facts {
  const own = (record as Partial<LoadRunRecord>).workload ?? {};
  const judging = (trials as readonly Partial<TrialRecord>[]).filter(
    ({ purpose, loadtest }) => loadtest && (purpose === 'search' || purpose === 'fixed'),
  );
  const resolved = judging.map(({ loadtest }) => loadtest!.workload as Readonly<Record<string, unknown>>);
  const defaults = Object.entries(resolved[0] ?? {}).filter(
    ([name, value]) =>
      !(name in own) && resolved.every((workload) => textOf(workload[name]) === textOf(value)),
  );
  const all = [...Object.entries(own), ...defaults].filter(
    // The number of repetitions is part of the method, and says nothing about a single trial.
    ([name]) => name !== 'repetitions' && !ownQuantities.includes(name as QuantityName),
  );
  return facts(all.map(([name, value]) => [`workload (${name})`, value, remedyOf(name)] as const));
}

function remedyOf(quantity: string): string {
  const flag = workloadTable[quantity as QuantityName]?.flag;
  return flag === undefined ? 'Run both with one workload' : `Run both with the same ${flag}`;
}

/** Boxes of the variants that both have; a difference of several variants is one. */
function boxesOf(a: Comparable, b: Comparable): Difference[] {
  const differences = a.record.variants.flatMap(({ name }) => {
    if (!b.record.variants.some((variant) => variant.name === name)) return [];
    const asked = differing(askedOf(a, b, name), askedOf(b, a, name));
    // Where another limit was asked for, that another one was observed is no news.
    const found = asked.length > 0 ? [] : differing(observedOf(a, name), observedOf(b, name));
    return [...asked, ...found].map((difference) => ({ name, ...difference }));
  });
  const alike = Map.groupBy(differences, ({ what, a, b }) => JSON.stringify([what, a, b]));
  return [...alike.values()].map((all) => {
    const { name: _, ...difference } = all[0]!;
    return { ...difference, what: `${difference.what} of ${all.map(({ name }) => name).join(', ')}` };
  });
}

/** Limits that were asked for; one that only the other run has is none. */
function askedOf({ record }: Comparable, other: Comparable, name: string): Facts {
  const variantOf = ({ variants }: typeof record) => variants.find((variant) => variant.name === name)!;
  const { targetLimits, nodes } = variantOf(record);
  const ofOther = variantOf(other.record).targetLimits;
  const limits = Object.keys({ ...targetLimits, ...ofOther }) as (keyof typeof targetLimits)[];
  return facts([
    ...limits.map((limit) => {
      const flag = flagOf(limit);
      return [flag.slice(2), targetLimits[limit] ?? null, `Run both with the same ${flag}`] as const;
    }),
    ['number of nodes', nodes, 'Run both from one version of the experiment'],
  ]);
}

function observedOf({ trials }: Comparable, name: string): Facts {
  const trial = trials.find(({ variant }) => variant === name) as Partial<TrialRecord> | undefined;
  const observed = Object.entries(trial?.observedLimits?.[0] ?? {});
  return facts(
    observed.map(([limit, value]) => [`observed ${limit}`, value, 'Run both in the same box'] as const),
  );
}

/** `serverCpus` is `--server-cpus`, and `serverMemoryMb` is `--server-memory`. */
function flagOf(name: string): string {
  return `--${name.replace(/M[bs]$/, '').replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
