/** From an experiment and the options of a command line to what is really going to run. Pure. */
import { findByShortName } from '../../registry.ts';
import type { Allocation, TargetKind } from '../deployment/deployment.ts';
import type { StageInfo } from '../deployment/stage-table.ts';
import type { RunRecord } from '../records/schema.ts';
import type { CapacityMethod, Experiment, FixedMethod, Timing, Variant } from './experiment.ts';

/** What may be laid over an experiment; undefined leaves its own value. */
export type Overrides = {
  stages: readonly string[];
  trials?: number;
  /** Tries these, each as often as `trials` says, whatever comes of it, instead of searching. */
  loads?: readonly number[];
  measureSeconds?: number;
  warmUpSeconds?: number;
  settings: Readonly<Record<string, string>>;
  limits: Allocation;
};

/** Services by the name that stages need them under. */
export type ServicesFound = ReadonlyMap<
  string,
  { found: true; source: string } | { found: false; ways: string[] }
>;

export type Plan = {
  variants: Variant[];
  skipped: RunRecord['skipped'];
  method: CapacityMethod | FixedMethod;
  timing: Timing;
};

/** Something the operator must change; what to do, what is required, what was given. */
export class InputError extends Error {
  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
  }
}

/** Throws an `InputError` that names every fault at once. */
export function planRun(
  experiment: Experiment,
  stages: readonly StageInfo[],
  services: ServicesFound,
  target: TargetKind,
  overrides: Overrides,
): Plan {
  const faults: string[] = [];
  const chosen = chooseStages(stages, overrides.stages, faults);
  if (target === 'process' && Object.values(overrides.limits).some((limit) => limit !== undefined)) {
    faults.push(
      'Run in containers to set CPU or memory: required --target container with --server-cpus and the like; given --target process, which enforces no limits.',
    );
  }
  const variants = experiment.variants(stages).filter((variant) => chosen.includes(variant.stage));
  if (faults.length === 0 && variants.length === 0) {
    faults.push(
      `Choose stages that ${experiment.name} asks about: required one of ${[...new Set(experiment.variants(stages).map(({ stage }) => stage))].join(', ')}; given ${chosen.join(', ')}.`,
    );
  }
  if (faults.length > 0) throw new InputError(faults);
  const skipped = variants.flatMap((variant) => skipOf(variant, stages, services));
  const runnable = variants.filter((variant) => !skipped.some(({ name }) => name === variant.name));
  return {
    variants: runnable.map((variant) => ({
      ...variant,
      settings: { ...variant.settings, ...overrides.settings },
      targetLimits: { ...variant.targetLimits, ...given(overrides.limits) },
    })),
    skipped,
    method: methodOf(experiment.method, overrides),
    timing: {
      ...experiment.timing,
      ...(overrides.measureSeconds === undefined ? {} : { measureSeconds: overrides.measureSeconds }),
      ...(overrides.warmUpSeconds === undefined ? {} : { warmUpSeconds: overrides.warmUpSeconds }),
    },
  };
}

/** Trials that the plan will take if nothing unexpected happens, for the first estimate of its duration. */
export function trialsExpected(plan: Plan): number {
  const { method, variants } = plan;
  if (method.kind === 'fixed') return variants.length * method.loads.length * method.repetitions;
  const bisections = Math.ceil(Math.log2(Math.log(method.growth) / Math.log(1 + method.tolerance)));
  return variants.length * (3 + bisections + method.confirmations);
}

/** Without the limits that nobody gave: laid over a variant, they would lift its own. */
function given(limits: Allocation): Allocation {
  return Object.fromEntries(Object.entries(limits).filter(([, limit]) => limit !== undefined));
}

function chooseStages(stages: readonly StageInfo[], asked: readonly string[], faults: string[]): string[] {
  if (asked.length === 0) return stages.map(({ name }) => name);
  const names: string[] = [];
  for (const name of asked) {
    const stage = findByShortName(stages, name);
    if (stage === undefined) {
      faults.push(
        `Name a stage: required one of ${stages.map((one) => one.name).join(', ')}; given ${name}.`,
      );
    } else names.push(stage.name);
  }
  return names;
}

function skipOf(
  variant: Variant,
  stages: readonly StageInfo[],
  services: ServicesFound,
): RunRecord['skipped'] {
  const needs = stages.find(({ name }) => name === variant.stage)?.services ?? [];
  for (const need of needs) {
    const service = services.get(need);
    if (service?.found) continue;
    return [
      { name: variant.name, reason: `it needs ${need}, and none was found`, ways: service?.ways ?? [] },
    ];
  }
  return [];
}

function methodOf(
  method: CapacityMethod | FixedMethod,
  { trials, loads }: Overrides,
): CapacityMethod | FixedMethod {
  if (loads !== undefined) return { kind: 'fixed', loads, repetitions: trials ?? 1 };
  if (trials === undefined) return method;
  if (method.kind === 'fixed') return { ...method, repetitions: trials };
  return { ...method, confirmations: trials, trialsMax: method.trialsMax + trials - method.confirmations };
}
