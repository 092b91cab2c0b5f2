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
    ['limits', record.limits.toSorted(), 'Run both from one version of the experiment'],
    ['seconds of warm-up', timing?.warmUpSeconds, 'Run both with the same --warm-up-seconds'],
    ['measured seconds', timing?.measureSeconds, 'Run both with the same --measure-seconds'],
    ['seconds of drain', timing?.drainSeconds, 'Run both with the same --drain'],
  ]);
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

/** Of each variant that both have: the limits that were asked for and observed, and the number of nodes. */
function boxesOf(a: Comparable, b: Comparable): Difference[] {
  return a.record.variants.flatMap(({ name, ...variantA }) => {
    const variantB = b.record.variants.find((variant) => variant.name === name);
    if (variantB === undefined) return [];
    const limits = new Set([variantA, variantB].flatMap(({ targetLimits }) => Object.keys(targetLimits)));
    const boxOf = ({ targetLimits, nodes }: typeof variantB | typeof variantA, { trials }: Comparable) => {
      const limitOf = (limit: string) => (targetLimits as Readonly<Record<string, unknown>>)[limit] ?? null;
      const trial = trials.find(({ variant }) => variant === name) as Partial<TrialRecord> | undefined;
      return facts([
        ...[...limits].map((limit) => {
          const remedy = `Run both with the same ${flagOf(limit)}`;
          return [`${limit} of ${name}`, limitOf(limit), remedy] as const;
        }),
        ...Object.entries(trial?.observedLimits?.[0] ?? {}).map(
          ([limit, value]) => [`observed ${limit} of ${name}`, value, 'Run both in the same box'] as const,
        ),
        [`number of nodes of ${name}`, nodes, 'Run both from one version of the experiment'],
      ]);
    };
    return differing(boxOf(variantA, a), boxOf(variantB, b));
  });
}

/** `serverCpus` is `--server-cpus`. */
function flagOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
