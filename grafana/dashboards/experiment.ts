/** An experiment, during and after its run: numbers by phase and stage, and two stages side by side. */
import { board, brokenLimits, labelVariable, labPhases, stageVariable } from './board.ts';
import { chosenStages, latencyLimit, limitName, lines, ofLimit, type Query, row, states } from './panel.ts';
import { table } from './table.ts';

const name = {
  uid: 'chat-experiment',
  title: 'Chat · Experiment',
  description:
    'The trials of the lab by phase and stage, to watch. The numbers of a report come from result files.',
};
const variables = [
  stageVariable('stage', 'Stages', 'all'),
  labelVariable('run', 'Runs', `lab_trial_info{${chosenStages}}`),
  labelVariable('variant', 'Variants', `lab_trial_info{${chosenStages}, run=~"$run"}`),
  labelVariable('node', 'Containers', 'experiment_container_memory_bytes'),
  stageVariable('left', 'Left', 'first'),
  stageVariable('right', 'Right', 'last'),
];
const legend = '{{stage}}';
const chosenTrials = ', run=~"$run", variant=~"$variant"';
/** Only while a trial of the chosen runs and variants goes on. */
const during = `and on (stage) trial_phase:lab_phase:max{${chosenStages}${chosenTrials}}`;
/** A series of the chosen stages, runs and variants. */
const of = (metric: string, name = legend, more = ''): Query => ({
  expr: `${metric}{${chosenStages}${more}} ${during}`,
  legend: name,
});
const chosenNodes = ', node=~"$node"';
const containerLegend = '{{stage}} {{node}}';

/** The Experiment dashboard. */
export const experiment = board(name, variables, [labPhases(chosenTrials), brokenLimits()], {
  'Stages and phases, over the chosen time': [
    ...row(24, [
      states('Phases', 'The phases of the trials, by stage. Only `measure` counts.', {
        expr: `max by (stage, phase) (trial_phase:lab_phase:max{${chosenStages}${chosenTrials}, phase=~"connect|warm-up|measure|drain"})`,
        legend: '{{stage}} · {{phase}}',
      }),
    ]),
    ...row(12, [
      table(
        'Stages, in the phase measure',
        'Means over all seconds of the phase `measure` in the chosen time, over all loads.',
        ['stage'],
        columns('stage', ', phase="measure"'),
      ),
      table(
        'Stages by phase',
        'Means over all seconds of each phase in the chosen time.',
        ['stage', 'phase'],
        columns('stage, phase', ''),
      ),
    ]),
  ],
  'All stages': row(8, [
    lines(
      'Deliveries received',
      'Audited deliveries per second, on a logarithmic axis.',
      { unit: 'si:/s', log: true },
      [{ expr: `stage:loadtest_deliveries:rate5s{${chosenStages}} > 0 ${during}`, legend }],
    ),
    lines(
      'Delivery latency p99',
      'Receipt − due time. Dashed: the limit of the run.',
      { unit: 's', log: true },
      [
        { expr: `stage:loadtest_delivery_latency_seconds:p99_rate5s{${chosenStages}} > 0 ${during}`, legend },
        { expr: `${latencyLimit.expr} ${during}`, legend: limitName },
      ],
    ),
    lines(
      'Deliveries per core of the server',
      'Deliveries per CPU second of the server.',
      { unit: 'si:/s', log: true },
      [
        {
          expr: `stage:chat_deliveries:rate5s{${chosenStages}} / (stage:process_cpu_cores:rate5s{${chosenStages}} > 0) > 0 ${during}`,
          legend,
        },
      ],
    ),
  ]),
  'Containers of the trial, as the lab reads them': row(8, [
    lines(
      'CPU of each container',
      'Cores used by each node, service and the simulator; of processes where the trial has no containers.',
      { unit: 'short' },
      [of('stage_node:experiment_container_cpu_cores:rate5s', containerLegend, chosenNodes)],
    ),
    lines(
      'Memory of each container',
      'Memory that cannot be dropped: without the page cache.',
      { unit: 'bytes' },
      [of('stage_node:experiment_container_memory_bytes:sum', containerLegend, chosenNodes)],
    ),
    lines(
      'Throttling of each container',
      'Seconds per second in which the CPU quota held a container back. The simulator must show none.',
      { unit: 'short' },
      [of('stage_node:experiment_container_throttled:rate5s', containerLegend, chosenNodes)],
    ),
  ]),
  '$left and $right, side by side': row(12, [
    ...pair(
      'Offered, achieved',
      'Messages per second that were scheduled, and that were sent.',
      'si: msg/s',
      {
        offered: 'stage:loadtest_offered_messages_per_second:sum',
        achieved: 'stage:loadtest_messages_sent:rate5s',
      },
    ),
    ...pair('Delivery latency', 'Receipt − due time. Dashed: the limit of p99 that the run has.', 's', {
      p50: 'stage:loadtest_delivery_latency_seconds:p50_rate5s',
      p99: 'stage:loadtest_delivery_latency_seconds:p99_rate5s',
      [limitName]: 'stage:loadtest_delivery_latency_limit_seconds:max',
    }),
    ...pair(
      'CPU and throttling',
      'Cores used, and seconds per second in which the quota stopped the server.',
      'short',
      {
        cores: 'stage:process_cpu_cores:rate5s',
        'throttled s/s': 'stage:chat_cgroup_cpu_throttled:rate5s',
      },
    ),
    ...pair('Memory', 'Resident memory and used heap of the server.', 'bytes', {
      resident: 'stage:process_resident_memory_bytes:sum',
      'heap used': 'stage:nodejs_heap_size_used_bytes:sum',
    }),
    ...pair('Event loop and fan-out, p99', 'The delay of timers, and the duration of a fan-out round.', 's', {
      'event loop lag': 'stage:nodejs_eventloop_lag_p99_seconds:max',
      'fan-out': 'stage:chat_fan_out_seconds:p99_rate5s',
    }),
  ]),
});

function columns(by: string, matchers: string) {
  const column = (heading: string, unit: string, series: string) => ({
    heading,
    unit,
    expr: `avg by (${by}) (avg_over_time((stage_phase:${series}{${chosenStages}${matchers}} ${during})[$__range:1s]))`,
    ...(unit === 'percentunit' ? { bounds: ofLimit.bounds } : {}),
  });
  return [
    column('Deliveries/s', 'si:/s', 'chat_deliveries:rate5s'),
    column('Latency p99, mean', 's', 'loadtest_delivery_latency_seconds:p99_rate5s'),
    column('p99 of its limit', 'percentunit', 'loadtest_delivery_latency_seconds:p99_of_limit'),
    column('CPU cores', 'short', 'process_cpu_cores:rate5s'),
    column('Memory', 'bytes', 'process_resident_memory_bytes:sum'),
    column('Throttled s/s', 'short', 'chat_cgroup_cpu_throttled:rate5s'),
  ];
}

/** The same panel twice, for the left stage and for the right stage. `series` has the metrics by legend. */
function pair(title: string, description: string, unit: string, series: Record<string, string>) {
  return ['left', 'right'].map((side) =>
    lines(
      `${title} · $${side}`,
      description,
      { unit },
      Object.entries(series).map(([legend, metric]) => ({ expr: `${metric}{stage="$${side}"}`, legend })),
    ),
  );
}
