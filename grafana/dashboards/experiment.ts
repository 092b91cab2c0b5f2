/** An experiment, during and after its run: numbers by phase and stage, and two stages side by side. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { board, brokenLimits, chosenStages, labPhases, stageVariable } from './board.ts';
import { latencyLimit, lines, states } from './panel.ts';
import { table } from './table.ts';

/** The Experiment dashboard. */
export function experiment(): Dashboard {
  return board(
    {
      uid: 'chat-experiment',
      title: 'Chat · Experiment',
      description:
        'The trials of the lab by phase and stage, to watch. The numbers of a report come from result files.',
    },
    [
      stageVariable('stage', 'Stages', 'all'),
      stageVariable('left', 'Left', 'first'),
      stageVariable('right', 'Right', 'last'),
    ],
    [labPhases(), brokenLimits()],
    [
      { heading: 'Stages and phases, over the chosen time', panels: summary() },
      { heading: 'All stages', panels: together() },
      { heading: '$left and $right, side by side', panels: sideBySide() },
    ],
  );
}

function mean(series: string, by: string, matchers: string): string {
  return `avg by (${by}) (avg_over_time(${series}{${chosenStages}${matchers}}[$__range]))`;
}

function summary() {
  const columns = (by: string, matchers: string) => [
    {
      heading: 'Deliveries/s',
      unit: 'si:/s',
      expr: mean('stage_phase:chat_deliveries:rate5s', by, matchers),
    },
    {
      heading: 'Latency p99, mean',
      unit: 's',
      bounds: latencyLimit,
      expr: mean('stage_phase:loadtest_delivery_latency_seconds:p99_rate5s', by, matchers),
    },
    { heading: 'CPU cores', unit: 'short', expr: mean('stage_phase:process_cpu_cores:rate5s', by, matchers) },
    {
      heading: 'Memory',
      unit: 'bytes',
      expr: mean('stage_phase:process_resident_memory_bytes:sum', by, matchers),
    },
    {
      heading: 'Throttled s/s',
      unit: 'short',
      expr: mean('stage_phase:chat_cgroup_cpu_throttled:rate5s', by, matchers),
    },
  ];
  return [
    states(
      'Phases',
      'The phases of the trials, by stage. Only `measure` counts.',
      { width: 24, height: 8 },
      {
        expr: `stage_phase:lab_phase:max{${chosenStages}, phase=~"connect|warm-up|measure|drain"}`,
        legend: '{{stage}} · {{phase}}',
      },
    ),
    table(
      'Stages, in the phase measure',
      'Means over all seconds of the phase `measure` in the chosen time, over all loads.',
      { width: 12, height: 8, rows: ['stage'] },
      ...columns('stage', ', phase="measure"'),
    ),
    table(
      'Stages by phase',
      'Means over all seconds of each phase in the chosen time.',
      { width: 12, height: 8, rows: ['stage', 'phase'] },
      ...columns('stage, phase', ''),
    ),
  ];
}

function together() {
  return [
    lines(
      'Deliveries received',
      'Audited deliveries per second, on a logarithmic axis.',
      { unit: 'si:/s', width: 8, log: true },
      { expr: `stage:loadtest_deliveries:rate5s{${chosenStages}} > 0`, legend: '{{stage}}' },
    ),
    lines(
      'Delivery latency p99',
      'Receipt − due time. Limit: 250 ms.',
      { unit: 's', width: 8, log: true, bounds: latencyLimit },
      {
        expr: `stage:loadtest_delivery_latency_seconds:p99_rate5s{${chosenStages}} > 0`,
        legend: '{{stage}}',
      },
    ),
    lines(
      'Deliveries per core of the server',
      'Deliveries per CPU second of the server.',
      { unit: 'si:/s', width: 8, log: true },
      {
        expr: `stage:chat_deliveries:rate5s{${chosenStages}} / (stage:process_cpu_cores:rate5s{${chosenStages}} > 0) > 0`,
        legend: '{{stage}}',
      },
    ),
  ];
}

/** Each panel twice: for the left stage and for the right stage. */
function sideBySide() {
  return [
    pair('Offered, achieved', 'Messages per second that were scheduled, and that were sent.', 'si: msg/s', [
      ['stage:loadtest_offered_messages_per_second:sum', 'offered'],
      ['stage:loadtest_messages_sent:rate5s', 'achieved'],
    ]),
    pair('Delivery latency', 'Receipt − due time. Limit of p99: 250 ms.', 's', [
      ['stage:loadtest_delivery_latency_seconds:p50_rate5s', 'p50'],
      ['stage:loadtest_delivery_latency_seconds:p99_rate5s', 'p99'],
    ]),
    pair(
      'CPU and throttling',
      'Cores used, and seconds per second in which the quota stopped the server.',
      'short',
      [
        ['stage:process_cpu_cores:rate5s', 'cores'],
        ['stage:chat_cgroup_cpu_throttled:rate5s', 'throttled s/s'],
      ],
    ),
    pair('Memory', 'Resident memory and used heap of the server.', 'bytes', [
      ['stage:process_resident_memory_bytes:sum', 'resident'],
      ['stage:nodejs_heap_size_used_bytes:sum', 'heap used'],
    ]),
    pair('Event loop and fan-out, p99', 'The delay of timers, and the duration of a fan-out round.', 's', [
      ['stage:nodejs_eventloop_lag_p99_seconds:max', 'event loop lag'],
      ['stage:chat_fan_out_seconds:p99_rate5s', 'fan-out'],
    ]),
  ].flat();
}

function pair(title: string, description: string, unit: string, series: [metric: string, legend: string][]) {
  return (['left', 'right'] as const).map((side) =>
    lines(
      `${title} · $${side}`,
      description,
      { unit, width: 12, ...(unit === 's' ? { bounds: latencyLimit } : {}) },
      ...series.map(([metric, legend]) => ({ expr: `${metric}{stage="$${side}"}`, legend })),
    ),
  );
}
