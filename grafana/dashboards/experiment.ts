/** An experiment, during and after its run: numbers by phase and stage, and two stages side by side. */
import { board, brokenLimits, labPhases, stageVariable } from './board.ts';
import { chosenStages, latencyLimit, lines, of, row, states } from './panel.ts';
import { table } from './table.ts';

const name = {
  uid: 'chat-experiment',
  title: 'Chat · Experiment',
  description:
    'The trials of the lab by phase and stage, to watch. The numbers of a report come from result files.',
};
const variables = [
  stageVariable('stage', 'Stages', 'all'),
  stageVariable('left', 'Left', 'first'),
  stageVariable('right', 'Right', 'last'),
];
const legend = '{{stage}}';
const containerLegend = '{{stage}} {{node}}';

/** The Experiment dashboard. */
export const experiment = board(name, variables, [labPhases(), brokenLimits()], {
  'Stages and phases, over the chosen time': [
    ...row(24, [
      states('Phases', 'The phases of the trials, by stage. Only `measure` counts.', {
        expr: `stage_phase:lab_phase:max{${chosenStages}, phase=~"connect|warm-up|measure|drain"}`,
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
      [{ expr: `stage:loadtest_deliveries:rate5s{${chosenStages}} > 0`, legend }],
    ),
    lines(
      'Delivery latency p99',
      'Receipt − due time. Limit: 250 ms.',
      { unit: 's', log: true, bounds: latencyLimit },
      [{ expr: `stage:loadtest_delivery_latency_seconds:p99_rate5s{${chosenStages}} > 0`, legend }],
    ),
    lines(
      'Deliveries per core of the server',
      'Deliveries per CPU second of the server.',
      { unit: 'si:/s', log: true },
      [
        {
          expr: `stage:chat_deliveries:rate5s{${chosenStages}} / (stage:process_cpu_cores:rate5s{${chosenStages}} > 0) > 0`,
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
      [of('stage_node:experiment_container_cpu_cores:rate5s', containerLegend)],
    ),
    lines(
      'Memory of each container',
      'Memory that cannot be dropped: without the page cache.',
      { unit: 'bytes' },
      [of('stage_node:experiment_container_memory_bytes:sum', containerLegend)],
    ),
    lines(
      'Throttling of each container',
      'Seconds per second in which the CPU quota held a container back. The simulator must show none.',
      { unit: 'short' },
      [of('stage_node:experiment_container_throttled:rate5s', containerLegend)],
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
    ...pair('Delivery latency', 'Receipt − due time. Limit of p99: 250 ms.', 's', {
      p50: 'stage:loadtest_delivery_latency_seconds:p50_rate5s',
      p99: 'stage:loadtest_delivery_latency_seconds:p99_rate5s',
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
    expr: `avg by (${by}) (avg_over_time(stage_phase:${series}{${chosenStages}${matchers}}[$__range]))`,
    ...(unit === 's' ? { bounds: latencyLimit } : {}),
  });
  return [
    column('Deliveries/s', 'si:/s', 'chat_deliveries:rate5s'),
    column('Latency p99, mean', 's', 'loadtest_delivery_latency_seconds:p99_rate5s'),
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
      unit === 's' ? { unit, bounds: latencyLimit } : { unit },
      Object.entries(series).map(([legend, metric]) => ({ expr: `${metric}{stage="$${side}"}`, legend })),
    ),
  );
}
