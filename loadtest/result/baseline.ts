/** A run against an earlier one: whether the same load was carried worse. Pure. */
import { formatMs } from '../record/histogram.ts';
import { type QuantityName, workloadTable } from '../workload.ts';
import type { Environment } from './environment.ts';
import type { LoadtestResult, RunResult } from './schema.ts';

/** A figure of both runs. `worse` only where the difference is beyond the margin. */
export type BaselineRow = {
  metric: string;
  before: string;
  now: string;
  /** now ÷ before. */
  ratio: number;
  verdict: 'better' | 'worse' | 'noise';
};

/** Quantities that say nothing about the load itself. */
const ownQuantities: readonly QuantityName[] = [
  ...(['urls', 'connectUrls', 'seed', 'workers', 'sourceAddresses', 'peoplePrefix'] as const),
];

/** The steps of a result: one, unless it was run with `--step`. */
export function stepsOf(result: RunResult): LoadtestResult[] {
  return 'steps' in result ? result.steps : [result];
}

/** Why a run of these workloads on this machine cannot be compared with the baseline, one sentence each. */
export function differencesFrom(
  baseline: RunResult,
  workloads: readonly Readonly<Record<string, unknown>>[],
  { cpuModel, cpus }: Pick<Environment, 'cpuModel' | 'cpus'>,
): string[] {
  const steps = stepsOf(baseline);
  if (steps.length !== workloads.length)
    return [`--baseline has ${steps.length} steps; given: ${workloads.length}`];
  const machine = steps[0]!.environment;
  const differences = workloads.flatMap((workload, index) =>
    (Object.keys(workloadTable) as QuantityName[]).flatMap((name) => {
      const before = (steps[index]!.workload as Readonly<Record<string, unknown>>)[name];
      // A baseline of before this quantity existed.
      if (ownQuantities.includes(name) || before === undefined) return [];
      const [a, b] = [before, workload[name]].map((value) => JSON.stringify(value));
      return a === b ? [] : [`${workloadTable[name].flag} must be as in --baseline: ${a}; given: ${b}`];
    }),
  );
  if (machine.cpuModel !== cpuModel || machine.cpus !== cpus)
    differences.push(
      `--baseline must be of this machine: ${cpus} × ${cpuModel}; given: ${machine.cpus} × ${machine.cpuModel}`,
    );
  return [...new Set(differences)];
}

/**
 * The figures of a step beside those of the baseline. A latency is worse or better only beyond `margin` (0.1
 * is 10 %) and by more than twice the longer p99 of the two simulators' own turns, which may have caused it.
 */
export function compareWithBaseline(
  before: LoadtestResult,
  now: LoadtestResult,
  margin: number,
): BaselineRow[] {
  const doubtMs = 2 * Math.max(before.instrument.turnMs.p99, now.instrument.turnMs.p99);
  const latency = (metric: 'p50' | 'p99' | 'p999', title: string): BaselineRow => {
    const [a, b] = [before.deliveryLatencyMs[metric], now.deliveryLatencyMs[metric]];
    const isFar = Math.abs(b - a) > doubtMs;
    const verdict =
      isFar && b > a * (1 + margin) ? 'worse' : isFar && a > b * (1 + margin) ? 'better' : 'noise';
    return { metric: title, before: formatMs(a), now: formatMs(b), ratio: b / a, verdict };
  };
  const [a, b] = [before.deliveriesPerSecond, now.deliveriesPerSecond];
  const verdict = a > b * (1 + margin) ? 'worse' : b > a * (1 + margin) ? 'better' : 'noise';
  const perSecond = (value: number) => `${Number(value.toPrecision(3)).toLocaleString('en-US')}/s`;
  return [
    latency('p50', 'p50'),
    latency('p99', 'p99'),
    latency('p999', 'p99.9'),
    { metric: 'deliveries', before: perSecond(a), now: perSecond(b), ratio: b / a, verdict },
  ];
}
