/** The measuring instrument: its own errors, the load, the latency of deliveries, the audit. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { board, brokenLimits, regions, chosenStages as stage, stageVariable } from './board.ts';
import { figure, heat, latencyLimit, lines, states } from './panel.ts';

/** The simulator's default limit beyond which a run is void; the alert rule has the same. */
const scheduleLimit = { limit: 0.025 };

/** The Simulator dashboard. */
export function simulator(): Dashboard {
  return board(
    {
      uid: 'chat-simulator',
      title: 'Chat · Simulator',
      description:
        'The measuring instrument: its own errors, the load, the latency of deliveries, the audit.',
    },
    [stageVariable('stage', 'Stage', 'all')],
    [
      regions('Phases', 'blue', `max by (stage, phase) (loadtest_phase{${stage}}) == 1`, {
        title: '{{phase}}',
        text: '{{stage}}',
        tags: 'phase,stage',
      }),
      brokenLimits(),
    ],
    [
      { heading: 'Errors of the instrument', panels: health() },
      { heading: 'Load', panels: load() },
      { heading: 'Latency', panels: latency() },
      { heading: 'Audit and its cost', panels: audit() },
    ],
  );
}

function health() {
  const sentShare = `stage:loadtest_messages_sent:rate5s{${stage}} / (stage:loadtest_offered_messages_per_second:sum{${stage}} > 0)`;
  return [
    figure(
      'Achieved of offered',
      'Messages sent as a share of those scheduled. Below 99 % a trial is void.',
      { unit: 'percentunit', width: 4, decimals: 1 },
      { expr: sentShare, legend: '{{stage}}' },
    ),
    figure(
      'Schedule lag p99',
      'Actual send − due time: the instrument’s own error.',
      { unit: 's', width: 4, bounds: scheduleLimit },
      { expr: `stage:loadtest_schedule_lag_seconds:p99_rate5s{${stage}}`, legend: '{{stage}}' },
    ),
    figure(
      'Delivery latency p99',
      'Receipt − due time, over all recipients. Limit: 250 ms.',
      { unit: 's', width: 4, bounds: latencyLimit },
      { expr: `stage:loadtest_delivery_latency_seconds:p99_rate5s{${stage}}`, legend: '{{stage}}' },
    ),
    figure(
      'Wrong deliveries',
      'Lost, duplicated, reordered, misrouted or corrupted since the simulator started.',
      { unit: 'short', width: 4, bounds: { limit: 1 } },
      { expr: `sum by (stage) (loadtest_audit_total{${stage}})`, legend: '{{stage}}' },
    ),
    figure(
      'Sessions',
      'Virtual users that are connected.',
      { unit: 'short', width: 4 },
      { expr: `stage:loadtest_sessions:sum{${stage}}`, legend: '{{stage}}' },
    ),
    figure(
      'Deliveries received',
      'Audited deliveries per second.',
      { unit: 'si:/s', width: 4 },
      { expr: `stage:loadtest_deliveries:rate5s{${stage}}`, legend: '{{stage}}' },
    ),
  ];
}

function load() {
  return [
    lines(
      'Offered and achieved',
      'Messages per second that were scheduled, and that were sent. A difference makes the trial void.',
      { unit: 'si: msg/s', width: 8 },
      { expr: `stage:loadtest_offered_messages_per_second:sum{${stage}}`, legend: 'offered {{stage}}' },
      { expr: `stage:loadtest_messages_sent:rate5s{${stage}}`, legend: 'achieved {{stage}}' },
    ),
    lines(
      'Schedule lag p99',
      'Actual send − due time: the instrument’s own error.',
      { unit: 's', width: 8, bounds: scheduleLimit },
      { expr: `stage:loadtest_schedule_lag_seconds:p99_rate5s{${stage}}`, legend: '{{stage}}' },
    ),
    states(
      'Phases',
      'Only messages that are due in the phase `measure` count.',
      { width: 8, height: 8 },
      { expr: `max by (phase) (loadtest_phase{${stage}})`, legend: '{{phase}}' },
    ),
    lines(
      'Sessions',
      'Virtual users that are connected.',
      { unit: 'short', width: 12 },
      { expr: `stage:loadtest_sessions:sum{${stage}}`, legend: '{{stage}}' },
    ),
    lines(
      'Deliveries received',
      'Audited deliveries per second.',
      { unit: 'si:/s', width: 12 },
      { expr: `stage:loadtest_deliveries:rate5s{${stage}}`, legend: '{{stage}}' },
    ),
  ];
}

function latency() {
  const buckets = `stage_le:loadtest_delivery_latency_seconds_bucket:rate5s{${stage}}`;
  return [
    lines(
      'Delivery latency',
      'Receipt − due time, over all recipients. Limit of p99: 250 ms.',
      { unit: 's', width: 12, bounds: latencyLimit },
      { expr: `stage:loadtest_delivery_latency_seconds:p50_rate5s{${stage}}`, legend: '{{stage}} p50' },
      { expr: `histogram_quantile(0.9, ${buckets})`, legend: '{{stage}} p90' },
      { expr: `stage:loadtest_delivery_latency_seconds:p99_rate5s{${stage}}`, legend: '{{stage}} p99' },
      { expr: `histogram_quantile(0.999, ${buckets})`, legend: '{{stage}} p99.9' },
    ),
    heat(
      'Deliveries by latency',
      'Deliveries per second in each bucket of latency. Two bands are two groups of recipients.',
      { unit: 's', width: 12 },
      { expr: `sum by (le) (${buckets})`, legend: '{{le}}' },
    ),
  ];
}

function audit() {
  return [
    lines(
      'Wrong deliveries',
      'Since the start of the run, by fault. A delivery counts as lost only at the end of the drain.',
      { unit: 'short', width: 8, bounds: { limit: 1 } },
      { expr: `sum by (stage, outcome) (loadtest_audit_total{${stage}})`, legend: '{{stage}} {{outcome}}' },
    ),
    lines(
      'CPU of the simulator',
      'Cores used by all workers together. At one core per worker the instrument is saturated.',
      { unit: 'short', width: 8 },
      { expr: `stage:loadtest_worker_cpu_cores:sum{${stage}}`, legend: '{{stage}}' },
    ),
    lines(
      'Deliveries per core of the simulator',
      'Audited deliveries per second and core of the instrument.',
      { unit: 'si:/s', width: 8 },
      {
        expr: `stage:loadtest_deliveries:rate5s{${stage}} / (stage:loadtest_worker_cpu_cores:sum{${stage}} > 0)`,
        legend: '{{stage}}',
      },
    ),
  ];
}
