/** Every trial of a run as a table, so that the summary hides nothing. */
import type { LoadRun, Run } from '../records/schema.ts';
import { formatMagnitude, formatMs, formatNumber, formatShare } from './format.ts';
import { left, right, type Table } from './table.ts';

/** One row for each trial, in the order they ran. */
export function trialsTable(run: LoadRun): Table {
  return {
    columns: [
      right('#'),
      left('variant'),
      right(run.record.varied.unit),
      left('purpose'),
      left('outcome'),
      right('p50'),
      right('p99'),
      right('p99.9'),
      right('max'),
      right('deliveries/s'),
      right('lost'),
      right('server CPU'),
      right('throttled'),
      right('sim. CPU'),
      right('other CPU'),
      right('lag p99'),
      left('remark'),
    ],
    rows: run.trials.map((trial) => {
      const { loadtest, server } = trial;
      const latency = loadtest?.deliveryLatencyMs;
      const ms = (value: number | undefined) => (value === undefined ? '–' : formatMs(value));
      return [
        String(trial.number),
        trial.variant,
        formatNumber(trial.load),
        trial.purpose,
        trial.outcome,
        ms(latency?.p50),
        ms(latency?.p99),
        ms(latency?.p999),
        ms(latency?.max),
        loadtest === null ? '–' : formatMagnitude(loadtest.deliveriesPerSecond),
        loadtest === null ? '–' : formatNumber(loadtest.audit.lost),
        server === null ? '–' : server.cpuCores.toFixed(2),
        server?.throttledShare == null ? '–' : formatShare(server.throttledShare),
        loadtest === null
          ? '–'
          : (loadtest.instrument.cpuSeconds / loadtest.workload.durationSeconds).toFixed(2),
        server === null ? '–' : server.otherCpuCores.toFixed(2),
        ms(loadtest?.scheduleLagMs.p99),
        trial.reasons.join('; '),
      ];
    }),
  };
}

/** Machine, versions and parameters as pairs of a name and a value. */
export function environmentRows(run: LoadRun): [string, string][] {
  const { record, trials } = run;
  const limits = trials[0]?.observedLimits[0];
  return [
    ...machineRows(run),
    [
      'limits observed',
      `${limits?.cpuCores == null ? 'no CPU limit' : `${limits.cpuCores} cores`}, ${limits?.memoryBytes == null ? 'no memory limit' : gibibytes(limits.memoryBytes)}`,
    ],
    [
      'workload',
      `${record.varied.quantity} varied; at 1 ${record.varied.unit}: ${Object.entries(record.workload)
        .map(([name, value]) => `${name} ${value}`)
        .join(', ')}`,
    ],
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
    ['machine', `${machine.cpuModel}, ${machine.cpus} cores, ${gibibytes(machine.memoryBytes)}`],
    ['system', `${machine.platform}, Node ${machine.node}`],
    ['commit', `${machine.gitCommit ?? 'unknown'}${machine.gitDirty ? ', with uncommitted changes' : ''}`],
  ];
}

/** Facts of the trials, such as the versions of services. */
export function factRows({ trials }: Run): [string, string][] {
  return Object.entries(Object.assign({}, ...trials.map(({ facts }) => facts)) as Record<string, string>);
}

function gibibytes(bytes: number): string {
  return `${formatNumber(bytes / 2 ** 30)} GiB`;
}
