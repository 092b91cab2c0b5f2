/** The measuring instrument: its own errors, the load, the latency of deliveries, the audit. */
import { board, brokenLimits, regions, stageVariable } from './board.ts';
import {
  figure,
  heat,
  latencyLimit,
  lines,
  of,
  ofLimit,
  row,
  chosenStages as stage,
  states,
} from './panel.ts';

const name = {
  uid: 'chat-simulator',
  title: 'Chat · Simulator',
  description: 'The measuring instrument: its own errors, the load, the latency of deliveries, the audit.',
};
const phases = regions('Phases', 'blue', `max by (stage, phase) (loadtest_phase{${stage}}) == 1`, {
  title: '{{phase}}',
  text: '{{stage}}',
  tags: 'phase,stage',
});
/** The simulator's default limit beyond which a run is void; the alert rule has the same. */
const late = { unit: 's', bounds: { limit: 0.025 } };
const buckets = `stage_le:loadtest_delivery_latency_seconds_bucket:rate5s{${stage}}`;

/** The Simulator dashboard. */
export const simulator = board(name, [stageVariable('stage', 'Stage', 'all')], [phases, brokenLimits()], {
  'Errors of the instrument': row(4, [
    figure(
      'Achieved of offered',
      'Messages sent as a share of those scheduled. Below 99 % a trial is void.',
      { unit: 'percentunit', decimals: 1 },
      {
        expr: `stage:loadtest_messages_sent:rate5s{${stage}} / (stage:loadtest_offered_messages_per_second:sum{${stage}} > 0)`,
        legend: '{{stage}}',
      },
    ),
    figure(
      'Schedule lag p99',
      'Actual send − due time: the instrument’s own error.',
      late,
      of('stage:loadtest_schedule_lag_seconds:p99_rate5s'),
    ),
    figure(
      'Delivery latency p99 of its limit',
      'Receipt − due time, over all recipients, as a share of the limit of the run.',
      ofLimit,
      of('stage:loadtest_delivery_latency_seconds:p99_of_limit'),
    ),
    figure(
      'Wrong deliveries',
      'Lost, duplicated, reordered, misrouted or corrupted since the simulator started.',
      { unit: 'short', bounds: { limit: 1 } },
      { expr: `sum by (stage) (loadtest_audit_total{${stage}})`, legend: '{{stage}}' },
    ),
    figure(
      'Sessions',
      'Virtual users that are connected.',
      { unit: 'short' },
      of('stage:loadtest_sessions:sum'),
    ),
    figure(
      'Deliveries received',
      'Audited deliveries per second.',
      { unit: 'si:/s' },
      of('stage:loadtest_deliveries:rate5s'),
    ),
  ]),
  Load: [
    ...row(8, [
      lines(
        'Offered and achieved',
        'Messages per second that were scheduled, and that were sent. A difference makes the trial void.',
        { unit: 'si: msg/s' },
        [
          of('stage:loadtest_offered_messages_per_second:sum', 'offered {{stage}}'),
          of('stage:loadtest_messages_sent:rate5s', 'achieved {{stage}}'),
        ],
      ),
      lines('Schedule lag p99', 'Actual send − due time: the instrument’s own error.', late, [
        of('stage:loadtest_schedule_lag_seconds:p99_rate5s'),
      ]),
      states('Phases', 'Only messages that are due in the phase `measure` count.', {
        expr: `max by (phase) (loadtest_phase{${stage}})`,
        legend: '{{phase}}',
      }),
    ]),
    ...row(12, [
      lines('Sessions', 'Virtual users that are connected.', { unit: 'short' }, [
        of('stage:loadtest_sessions:sum'),
      ]),
      lines('Deliveries received', 'Audited deliveries per second.', { unit: 'si:/s' }, [
        of('stage:loadtest_deliveries:rate5s'),
      ]),
    ]),
  ],
  Latency: row(12, [
    lines(
      'Delivery latency',
      'Receipt − due time, over all recipients. Dashed: the limit of p99.',
      { unit: 's' },
      [
        latencyLimit,
        of('stage:loadtest_delivery_latency_seconds:p50_rate5s', '{{stage}} p50'),
        { expr: `histogram_quantile(0.9, ${buckets})`, legend: '{{stage}} p90' },
        of('stage:loadtest_delivery_latency_seconds:p99_rate5s', '{{stage}} p99'),
        { expr: `histogram_quantile(0.999, ${buckets})`, legend: '{{stage}} p99.9' },
      ],
    ),
    heat(
      'Deliveries by latency',
      'Deliveries per second in each bucket of latency. Two bands are two groups of recipients.',
      `sum by (le) (${buckets})`,
    ),
  ]),
  'Audit and its cost': row(8, [
    lines(
      'Wrong deliveries',
      'Since the start of the run, by fault. A delivery counts as lost only at the end of the drain.',
      { unit: 'short', bounds: { limit: 1 } },
      [{ expr: `sum by (stage, outcome) (loadtest_audit_total{${stage}})`, legend: '{{stage}} {{outcome}}' }],
    ),
    lines(
      'CPU of the simulator',
      'Cores used by all workers together. At one core per worker the instrument is saturated.',
      { unit: 'short' },
      [of('stage:loadtest_worker_cpu_cores:sum')],
    ),
    lines(
      'Deliveries per core of the simulator',
      'Audited deliveries per second and core of the instrument.',
      { unit: 'si:/s' },
      [
        {
          expr: `stage:loadtest_deliveries:rate5s{${stage}} / (stage:loadtest_worker_cpu_cores:sum{${stage}} > 0)`,
          legend: '{{stage}}',
        },
      ],
    ),
  ]),
});
