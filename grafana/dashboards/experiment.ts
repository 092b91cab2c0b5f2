/** An experiment while it runs and after: every figure by phase and stage, and two stages side by side. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { board, brokenLimits, labPhases, stageVariable } from './board.ts';
import { lines, states } from './panel.ts';
import { table } from './table.ts';

const latencyLimit = { limit: 0.25 };

/** The Experiment dashboard. */
export function experiment(): Dashboard {
  return board(
    {
      uid: 'chat-experiment',
      title: 'Chat · Experiment',
      description:
        'The lab’s trials by phase and stage. For watching: the numbers of a report come from its result files.',
    },
    [
      stageVariable('stage', 'Stages', { several: true }),
      stageVariable('left', 'Left', { several: false, stage: '01-naive' }),
      stageVariable('right', 'Right', { several: false, stage: '03-cursor' }),
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
  return `avg by (${by}) (avg_over_time(${series}{stage=~"$stage"${matchers}}[$__range]))`;
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
    {
      heading: 'CPU cores',
      unit: 'short',
      expr: mean('stage_phase:process_cpu_cores:rate5s', by, matchers),
    },
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
      {
        title: 'Phases',
        description: 'Which phase of a trial ran on which stage. Only `measure` counts.',
        width: 24,
        height: 8,
      },
      {
        expr: 'stage_phase:lab_phase:max{stage=~"$stage", phase=~"connect|warm-up|measure|drain"}',
        legend: '{{stage}} · {{phase}}',
      },
    ),
    table(
      {
        title: 'Stages, while measured',
        description: 'Means over all seconds of the phase `measure` in the chosen time, whatever the load.',
        width: 12,
        height: 8,
        rows: ['stage'],
      },
      ...columns('stage', ', phase="measure"'),
    ),
    table(
      {
        title: 'Stages by phase',
        description: 'Means over all seconds of each phase in the chosen time.',
        width: 12,
        height: 8,
        rows: ['stage', 'phase'],
      },
      ...columns('stage, phase', ''),
    ),
  ];
}

function together() {
  const stage = 'stage=~"$stage"';
  return [
    lines(
      {
        title: 'Deliveries heard',
        description: 'Audited deliveries per second, on a logarithmic axis: stages differ by factors.',
        unit: 'si:/s',
        width: 8,
        log: true,
      },
      { expr: `stage:loadtest_deliveries:rate5s{${stage}} > 0`, legend: '{{stage}}' },
    ),
    lines(
      {
        title: 'Delivery latency p99',
        description: 'Receipt − due time. Limit: 250 ms.',
        unit: 's',
        width: 8,
        log: true,
        bounds: latencyLimit,
      },
      { expr: `stage:loadtest_delivery_latency_seconds:p99_rate5s{${stage}} > 0`, legend: '{{stage}}' },
    ),
    lines(
      {
        title: 'Deliveries per core of the server',
        description: 'What a second of the server’s CPU buys.',
        unit: 'si:/s',
        width: 8,
        log: true,
      },
      {
        expr: `stage:chat_deliveries:rate5s{${stage}} / (stage:process_cpu_cores:rate5s{${stage}} > 0) > 0`,
        legend: '{{stage}}',
      },
    ),
  ];
}

/** Pairs of the same panel, the left stage's and the right one's. */
function sideBySide() {
  return [
    pair('Offered, achieved', 'Messages per second asked for, and really sent.', 'si: msg/s', [
      ['stage:loadtest_offered_messages_per_second:sum', 'offered'],
      ['stage:loadtest_messages_sent:rate5s', 'achieved'],
    ]),
    pair('Delivery latency', 'Receipt − due time. Limit of p99: 250 ms.', 's', [
      ['stage:loadtest_delivery_latency_seconds:p50_rate5s', 'p50'],
      ['stage:loadtest_delivery_latency_seconds:p99_rate5s', 'p99'],
    ]),
    pair('CPU and throttling', 'Cores used, and seconds per second held back by the quota.', 'short', [
      ['stage:process_cpu_cores:rate5s', 'cores'],
      ['stage:chat_cgroup_cpu_throttled:rate5s', 'throttled s/s'],
    ]),
    pair('Memory', 'Resident memory and used heap of the server.', 'bytes', [
      ['stage:process_resident_memory_bytes:sum', 'resident'],
      ['stage:nodejs_heap_size_used_bytes:sum', 'heap used'],
    ]),
    pair('Event loop and fan-out, p99', 'How late timers run, and how long a round takes.', 's', [
      ['stage:nodejs_eventloop_lag_p99_seconds:max', 'event loop lag'],
      ['stage:chat_fan_out_seconds:p99_rate5s', 'fan-out'],
    ]),
  ].flat();
}

function pair(title: string, description: string, unit: string, series: [metric: string, legend: string][]) {
  return (['left', 'right'] as const).map((side) =>
    lines(
      {
        title: `${title} · $${side}`,
        description,
        unit,
        width: 12,
        ...(unit === 's' ? { bounds: latencyLimit } : {}),
      },
      ...series.map(([metric, legend]) => ({ expr: `${metric}{stage="$${side}"}`, legend })),
    ),
  );
}
