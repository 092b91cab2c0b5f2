/** Every trial of a run as a table, and the environment of the run. */
import { instrumentCores } from '../analysis/cpu.ts';
import type { LoadRun, Run, TrialRecord } from '../records/schema.ts';
import {
  formatCores,
  formatCount,
  formatGibibytes,
  formatMagnitude,
  formatMs,
  formatNumber,
  formatShare,
  formatTrials,
  roundFigures,
} from './format.ts';
import { detail, left, right, type Table, tableOf } from './table.ts';

/** One row for each trial, in the order they ran. */
export function trialsTable(run: LoadRun): Table {
  return tableOf(run.trials, [
    right('#', ({ number }) => String(number)),
    left('variant', ({ variant }) => variant),
    right(run.record.varied.unit, ({ load }) => formatNumber(load)),
    left('purpose', purposeText),
    left('outcome', ({ outcome }) => outcome),
    detail(right('p50', ({ loadtest }) => loadtest && formatMs(loadtest.deliveryLatencyMs.p50))),
    right('p99', ({ loadtest }) => loadtest && formatMs(loadtest.deliveryLatencyMs.p99)),
    detail(right('p99.9', ({ loadtest }) => loadtest && formatMs(loadtest.deliveryLatencyMs.p999))),
    detail(right('max', ({ loadtest }) => loadtest && formatMs(loadtest.deliveryLatencyMs.max))),
    detail(
      right('deliveries/s', ({ loadtest }) => loadtest && formatMagnitude(loadtest.deliveriesPerSecond)),
    ),
    right('lost', ({ loadtest }) => loadtest && formatCount(loadtest.audit.lost)),
    detail(right('server CPU', ({ server }) => server?.cpuCores.toFixed(2))),
    detail(
      right('throttled', ({ server }) =>
        server?.throttledShare == null ? null : formatShare(server.throttledShare),
      ),
    ),
    detail(right('sim. CPU', ({ loadtest }) => loadtest && instrumentCores(loadtest).toFixed(2))),
    detail(right('other CPU', ({ server }) => server?.otherCpuCores?.toFixed(2))),
    detail(right('lag p99', ({ loadtest }) => loadtest && formatMs(loadtest.scheduleLagMs.p99))),
    left('remark', ({ reasons }) => roundFigures(reasons.join('; '))),
  ]);
}

/**
 * Trials at a share of the capacity say which, and how messages arrived. Those of a search say on which start
 * of the server they ran, after the first.
 */
function purposeText({ purpose, share, loadtest, freeze, serverStart = 1 }: TrialRecord): string {
  if (serverStart > 1) return `${purpose}, start ${serverStart}`;
  if (share === undefined) return purpose;
  const arrival = freeze === undefined ? `, ${loadtest?.workload.arrival ?? 'constant'}` : '';
  return `${purpose} ${formatShare(share)}${arrival}`;
}

/** Machine, versions and parameters as pairs of a name and a value. */
export function environmentRows(run: LoadRun): [string, string][] {
  const { varied, workload } = run.record;
  const quantities = Object.entries(workload).map(([name, value]) => {
    return `${inWords(name)} ${typeof value === 'number' ? formatNumber(value) : value}`;
  });
  return [
    ...machineRows(run),
    ['limits observed', limitsText(run)],
    ['workload', `${varied.quantity} varied; at a load of 1: ${quantities.join(', ')}`],
    ...factRows(run),
  ];
}

/** Of a node of each variant; a limit that only some variants have is named with them. */
function limitsText({ trials }: LoadRun): string {
  const variantsOf = Map.groupBy(trials, ({ observedLimits: [limits] }) => {
    const { cpuCores = null, memoryBytes = null, cpuPeriodMs } = limits ?? {};
    const period = cpuPeriodMs == null ? '' : ` in periods of ${formatNumber(cpuPeriodMs)} ms`;
    const cpu = cpuCores === null ? 'no CPU limit' : `${formatCores(cpuCores)}${period}`;
    const memory = memoryBytes === null ? 'no memory limit' : formatGibibytes(memoryBytes);
    return `${cpu}, ${memory}`;
  });
  const [[first] = ['none'], ...rest] = [...variantsOf];
  const named = rest.map(([text, some]) => {
    return `${text} (${[...new Set(some.map(({ variant }) => variant))].join('; ')})`;
  });
  return [first, ...named].join('; ');
}

/** `payload bytes` of `payloadBytes`. */
function inWords(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

/** Run, target, machine and commit: the pairs of every shape. */
export function machineRows({ record, trials }: Run): [string, string][] {
  const { environment: machine, target, simulator } = record;
  const placement =
    simulator === null || simulator === target ? target : `${target}, with the simulator as a ${simulator}`;
  return [
    [
      'run',
      `${record.run}, ${formatNumber(record.seconds)} s, ${formatTrials(trials.length)}, seed ${record.seed}`,
    ],
    ['target', placement],
    ['machine', `${machine.cpuModel}, ${formatCores(machine.cpus)}, ${formatGibibytes(machine.memoryBytes)}`],
    ['system', `${machine.platform}, Node ${machine.node}`],
    ['commit', `${machine.gitCommit ?? 'unknown'}${machine.gitDirty ? ', with uncommitted changes' : ''}`],
  ];
}

/** Facts of the trials, such as the versions of services. */
export function factRows({ trials }: Run): [string, string][] {
  return Object.entries(Object.assign({}, ...trials.map(({ facts }) => facts)));
}
