/** From the variants of an experiment and the options of a command line to the variants that run. Pure. */
import { type Workload, workloadTable } from '../../../loadtest/workload.ts';
import type { Allocation, TargetKind } from '../deployment/deployment.ts';
import type { StageInfo } from '../deployment/list-stages.ts';
import type { ServiceProvider } from '../deployment/services/service.ts';
import { InputError } from '../input-error.ts';
import type { RunRecord } from '../records/schema.ts';
import type { Variant } from '../trial/variant.ts';
import { findByShortName } from './short-name.ts';

/** Options of `run`, laid over an experiment; undefined leaves the experiment's own value. */
export type RunOptions = {
  target: TargetKind;
  /** Names of stages as typed; empty for all. */
  stages: readonly string[];
  /** Confirmations of a capacity, or repetitions. */
  trials?: number;
  /** Tries exactly these loads instead of searching. */
  loads?: readonly number[];
  workload: Partial<Workload>;
  settings: Readonly<Record<string, string>>;
  allocation: Allocation;
};

/** Services by the name under which stages need them. */
export type ServicesFound = ReadonlyMap<string, Awaited<ReturnType<ServiceProvider['find']>>>;

/** The chosen variants under the options. Throws an `InputError` for all mistakes, the given ones too. */
export function chooseVariants(
  experiment: string,
  all: readonly Variant[],
  stages: readonly StageInfo[],
  options: RunOptions,
  mistakes: string[] = [],
): Variant[] {
  const chosen = chooseStages(stages, options.stages, mistakes);
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
  const skipped = variants.flatMap(({ name, stage }) => {
    const missing = stage.services.find((need) => services.get(need)?.found !== true);
    if (missing === undefined) return [];
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

/** Without undefined limits: laid over a variant, they would lift its own. */
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
