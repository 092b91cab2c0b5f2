/** From the variants of an experiment and the options of a command line to the variants that run. Pure. */
import { type Workload, workloadTable } from '../../../loadtest/workload.ts';
import { type Allocation, defaultCpuPeriodMs, type TargetKind } from '../deployment/deployment.ts';
import type { StageInfo } from '../deployment/list-stages.ts';
import { faultOfQuota } from '../deployment/observed-limits.ts';
import type { ServicesFound } from '../deployment/services/services.ts';
import { InputError } from '../input-error.ts';
import type { RunRecord } from '../records/schema.ts';
import { needsOf, type Variant } from '../trial/variant.ts';

/** Options of `run`; those that are given replace the values of the experiment. */
export type RunOptions = {
  target: TargetKind;
  /** Names of stages as typed; empty for all. */
  stages: readonly string[];
  /** Bound on the trials of a capacity search, or repetitions. */
  trials?: number;
  /** Half width of the interval of a capacity at which its search ends, as a share. */
  precision?: number;
  /** Time for all searches together, which then end when it is spent. */
  minutes?: number;
  /** This run is one of so many that share the time that was given. */
  sharedBy?: number;
  /** A short search of few stages: a first answer in about a minute. */
  quick?: boolean;
  /** After each search also latency against load, and recovery from a freeze. */
  curve?: boolean;
  /** Tries exactly these loads instead of searching. */
  loads?: readonly number[];
  /** Parts of the names of scenarios; left out: all. */
  scenarios?: readonly string[];
  /** A server that the lab does not start. */
  url?: string;
  workload: Partial<Workload>;
  settings: Readonly<Record<string, string>>;
  allocation: Allocation;
};

/** The chosen variants under the options. Throws an `InputError` for all mistakes, the given ones too. */
export function chooseVariants(
  experiment: string,
  all: readonly Variant[],
  stages: readonly StageInfo[],
  options: RunOptions,
  mistakes: string[] = [],
): Variant[] {
  // Servers of others are stages of their experiment only.
  const peers = all.flatMap(({ stage }) => (stage.program === undefined ? [] : [stage]));
  const chosen = chooseStages([...stages, ...new Set(peers)], options.stages, mistakes);
  const allocation = given(options.allocation);
  if (options.target === 'process' && Object.keys(allocation).length > 0) {
    mistakes.push(
      'Run in containers to set CPU or memory: required --target container with --server-cpus and the like; given --target process, which enforces no limits.',
    );
  }
  const variants = all.filter(({ stage }) => chosen.includes(stage.name));
  if (mistakes.length === 0 && variants.length === 0) {
    const known = [...new Set(all.map(({ stage }) => stage.name))].join(', ');
    mistakes.push(
      `Choose stages that ${experiment} asks about: required one of ${known}; given ${chosen.join(', ')}.`,
    );
  }
  const boxes = (variants.length > 0 ? variants : all).map((variant) => variant.allocation);
  mistakes.push(...new Set(boxes.flatMap((box) => quotaMistakes({ ...box, ...allocation }))));
  if (mistakes.length > 0) throw new InputError(mistakes);
  return variants.map((variant) => ({
    ...variant,
    settings: { ...variant.settings, ...options.settings },
    allocation: { ...variant.allocation, ...allocation },
  }));
}

/** Splits variants into those that can run and those whose services are missing. */
export function skipMissing(
  variants: readonly Variant[],
  services: ServicesFound,
): { runnable: Variant[]; skipped: RunRecord['skipped'] } {
  const skipped = variants.flatMap((variant) => {
    const missing = needsOf(variant).find((need) => services.get(need)?.found !== true);
    if (missing === undefined) return [];
    const { name } = variant;
    const service = services.get(missing);
    const ways = service?.found === false ? service.ways : [];
    return [{ name, reason: `it needs ${missing}, and none was found`, ways }];
  });
  return { runnable: variants.filter(({ name }) => !skipped.some((skip) => skip.name === name)), skipped };
}

/** A sentence for each flag of the workload that this experiment does not leave to its user. */
export function refuseWorkload(
  given: Partial<Workload>,
  refused: (quantity: keyof Workload) => string | null,
): string[] {
  return (Object.keys(given) as (keyof Workload)[]).flatMap((quantity) => {
    const why = refused(quantity);
    return why === null ? [] : [`Leave out ${workloadTable[quantity].flag}: ${why}.`];
  });
}

/** Finds `NNN-word` by that, by its number or by its word; undefined where none or several match. */
export function findByShortName<Named extends { name: string }>(
  all: readonly Named[],
  name: string,
): Named | undefined {
  const matching = all.filter((one) => {
    const [number, ...words] = one.name.split('-');
    const isNumber = /^\d+$/.test(name) && Number(number) === Number(name);
    return one.name === name || words.join('-') === name || isNumber;
  });
  return matching.length === 1 ? matching[0] : undefined;
}

function quotaMistakes({ serverCpus, loadtestCpus, cpuPeriodMs = defaultCpuPeriodMs }: Allocation): string[] {
  const quotas = [serverCpus, loadtestCpus].filter((cpus) => cpus !== undefined);
  return quotas.flatMap((cpus) => faultOfQuota(cpus, cpuPeriodMs) ?? []);
}

/** Without undefined limits, which would lift those of a variant. */
function given(allocation: Allocation): Allocation {
  return Object.fromEntries(Object.entries(allocation).filter(([, limit]) => limit !== undefined));
}

function chooseStages(stages: readonly StageInfo[], asked: readonly string[], mistakes: string[]): string[] {
  const known = stages.map(({ name }) => name);
  if (asked.length === 0) return known;
  return asked.flatMap((name) => {
    const stage = findByShortName(stages, name);
    if (stage !== undefined) return [stage.name];
    mistakes.push(`Name a stage: required one of ${known.join(', ')}; given ${name}.`);
    return [];
  });
}
