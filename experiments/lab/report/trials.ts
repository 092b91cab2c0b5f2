/** Every trial of a run as a table, and the environment of the run. */
import { instrumentCores } from '../analysis/cpu.ts';
import type { LoadRun, Run } from '../records/schema.ts';
import { formatGibibytes, formatMagnitude, formatMs, formatNumber, formatShare } from './format.ts';
import { left, right, type Table, tableOf } from './table.ts';

/** One row for each trial, in the order they ran. */
export function trialsTable(run: LoadRun): Table {
  return tableOf(run.trials, [
    right('#', ({ number }) => String(number)),
    left('variant', ({ variant }) => variant),
    right(run.record.varied.unit, ({ load }) => formatNumber(load)),
    left('purpose', ({ purpose }) => purpose),
    left('outcome', ({ outcome }) => outcome),
    right('p50', ({ loadtest }) => loadtest && formatMs(loadtest.deliveryLatencyMs.p50)),
    right('p99', ({ loadtest }) => loadtest && formatMs(loadtest.deliveryLatencyMs.p99)),
    right('p99.9', ({ loadtest }) => loadtest && formatMs(loadtest.deliveryLatencyMs.p999)),
    right('max', ({ loadtest }) => loadtest && formatMs(loadtest.deliveryLatencyMs.max)),
    right('deliveries/s', ({ loadtest }) => loadtest && formatMagnitude(loadtest.deliveriesPerSecond)),
    right('lost', ({ loadtest }) => loadtest && formatNumber(loadtest.audit.lost)),
    right('server CPU', ({ server }) => server?.cpuCores.toFixed(2)),
    right('throttled', ({ server }) =>
      server?.throttledShare == null ? null : formatShare(server.throttledShare),
    ),
    right('sim. CPU', ({ loadtest }) => loadtest && instrumentCores(loadtest).toFixed(2)),
    right('other CPU', ({ server }) => server?.otherCpuCores.toFixed(2)),
    right('lag p99', ({ loadtest }) => loadtest && formatMs(loadtest.scheduleLagMs.p99)),
    left('remark', ({ reasons }) => reasons.join('; ')),
  ]);
}

/** Machine, versions and parameters as pairs of a name and a value. */
export function environmentRows(run: LoadRun): [string, string][] {
  const { varied, workload } = run.record;
  const { cpuCores = null, memoryBytes = null, cpuPeriodMs } = run.trials[0]?.observedLimits[0] ?? {};
  const period = cpuPeriodMs == null ? '' : ` in periods of ${cpuPeriodMs} ms`;
  const cpu = cpuCores === null ? 'no CPU limit' : `${cpuCores} cores${period}`;
  const memory = memoryBytes === null ? 'no memory limit' : formatGibibytes(memoryBytes);
  const quantities = Object.entries(workload).map(([name, value]) => `${name} ${value}`);
  return [
    ...machineRows(run),
    ['limits observed', `${cpu}, ${memory}`],
    ['workload', `${varied.quantity} varied; at 1 ${varied.unit}: ${quantities.join(', ')}`],
    ...factRows(run),
  ];
}

/** Run, target, machine and commit: the pairs of every shape. */
export function machineRows({ record, trials }: Run): [string, string][] {
  const { environment: machine, target, simulator } = record;
  const placement =
    simulator === null || simulator === target ? target : `${target}, with the simulator as a ${simulator}`;
  return [
    ['run', `${record.run}, ${formatNumber(record.seconds)} s, ${trials.length} trials, seed ${record.seed}`],
    ['target', placement],
    ['machine', `${machine.cpuModel}, ${machine.cpus} cores, ${formatGibibytes(machine.memoryBytes)}`],
    ['system', `${machine.platform}, Node ${machine.node}`],
    ['commit', `${machine.gitCommit ?? 'unknown'}${machine.gitDirty ? ', with uncommitted changes' : ''}`],
  ];
}

/** Facts of the trials, such as the versions of services. */
export function factRows({ trials }: Run): [string, string][] {
  return Object.entries(Object.assign({}, ...trials.map(({ facts }) => facts)));
}
