/** The running server: traffic, latency, resources, refused connections. */
import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { board, brokenLimits, labPhases, chosenStages as stage, stageVariable } from './board.ts';
import { figure, heat, latencyLimit, lines } from './panel.ts';

/** The Overview dashboard. */
export function overview(): Dashboard {
  return board(
    {
      uid: 'chat-overview',
      title: 'Chat · Overview',
      description: 'The running server: traffic, latency, resources, refused connections.',
    },
    [stageVariable('stage', 'Stage', 'all')],
    [labPhases(), brokenLimits()],
    [
      { heading: 'Now', panels: now() },
      { heading: 'Traffic', panels: traffic() },
      { heading: 'Latency', panels: latency() },
      { heading: 'Resources and CPU quota', panels: resources() },
      { heading: 'Refused, evicted and closed', panels: refusals() },
    ],
  );
}

function now() {
  const legend = '{{stage}}';
  return [
    figure(
      'Sessions',
      'Open connections.',
      { unit: 'short', width: 3 },
      { expr: `stage:chat_sessions:sum{${stage}}`, legend },
    ),
    figure(
      'Messages in',
      'Messages accepted per second.',
      { unit: 'si: msg/s', width: 3 },
      { expr: `stage:chat_messages_received:rate5s{${stage}}`, legend },
    ),
    figure(
      'Deliveries out',
      'Frames handed to sockets per second.',
      { unit: 'si:/s', width: 3 },
      { expr: `stage:chat_deliveries:rate5s{${stage}}`, legend },
    ),
    figure(
      'Delivery latency p99',
      'From the due time of a message to its receipt, over all recipients. Limit: 250 ms.',
      { unit: 's', width: 3, bounds: latencyLimit },
      { expr: `stage:loadtest_delivery_latency_seconds:p99_rate5s{${stage}}`, legend },
    ),
    figure(
      'CPU',
      'Cores used by the server process.',
      { unit: 'short', width: 3, decimals: 2 },
      { expr: `stage:process_cpu_cores:rate5s{${stage}}`, legend },
    ),
    figure(
      'Memory of its limit',
      'Memory charged to the container, as a share of the limit at which it is killed.',
      { unit: 'percentunit', width: 3, bounds: { warning: 0.7, limit: 0.9 } },
      {
        expr: `stage:chat_cgroup_memory_bytes:sum{${stage}} / (stage:chat_cgroup_memory_limit_bytes:sum{${stage}} > 0)`,
        legend,
      },
    ),
    figure(
      'Periods throttled',
      'Share of scheduler periods in which the CPU quota stopped the server.',
      { unit: 'percentunit', width: 3, bounds: { warning: 0.1, limit: 0.5 } },
      { expr: `stage:chat_cgroup_cpu_throttled_periods:ratio_rate5s{${stage}}`, legend },
    ),
    figure(
      'Limits broken',
      'Alerts that are firing.',
      { unit: 'short', width: 3, bounds: { limit: 1 } },
      { expr: 'count(ALERTS{alertstate="firing"}) or vector(0)', legend: 'alerts' },
    ),
  ];
}

function traffic() {
  return [
    lines(
      'Sessions',
      'Open connections of all nodes.',
      { unit: 'short', width: 8 },
      { expr: `stage:chat_sessions:sum{${stage}}`, legend: '{{stage}}' },
      { expr: `stage:chat_rooms:sum{${stage}}`, legend: '{{stage}} rooms' },
    ),
    lines(
      'Messages in',
      'Messages per second that clients sent and the server accepted.',
      { unit: 'si: msg/s', width: 8 },
      { expr: `stage:chat_messages_received:rate5s{${stage}}`, legend: '{{stage}}' },
    ),
    lines(
      'Deliveries out',
      'Frames per second handed to the sockets of recipients.',
      { unit: 'si:/s', width: 8 },
      { expr: `stage:chat_deliveries:rate5s{${stage}}`, legend: '{{stage}}' },
    ),
    lines(
      'Bytes out',
      'Bytes per second of the frames handed to sockets.',
      { unit: 'Bps', width: 8 },
      { expr: `stage:chat_delivered_bytes:rate5s{${stage}}`, legend: '{{stage}}' },
    ),
    lines(
      'Fan-out factor',
      'Deliveries per message. With one room it is the number of sessions.',
      { unit: 'short', width: 8 },
      { expr: `stage:chat_fan_out_factor:ratio_rate5s{${stage}}`, legend: '{{stage}}' },
    ),
    lines(
      'Connections, counted by simulator and server',
      'The same connections, counted at both ends. A difference is connections that one end has lost.',
      { unit: 'short', width: 8 },
      { expr: `stage:chat_sessions:sum{${stage}}`, legend: 'server {{stage}}' },
      { expr: `stage:loadtest_sessions:sum{${stage}}`, legend: 'simulator {{stage}}' },
    ),
  ];
}

function latency() {
  return [
    lines(
      'Delivery latency',
      'From the due time of a message to its receipt, over all recipients. Limit of p99: 250 ms.',
      { unit: 's', width: 8, bounds: latencyLimit },
      { expr: `stage:loadtest_delivery_latency_seconds:p50_rate5s{${stage}}`, legend: '{{stage}} p50' },
      { expr: `stage:loadtest_delivery_latency_seconds:p99_rate5s{${stage}}`, legend: '{{stage}} p99' },
    ),
    lines(
      'Fan-out time',
      'From the oldest message of a fan-out round to the last write of the round.',
      { unit: 's', width: 8, bounds: latencyLimit },
      { expr: `stage:chat_fan_out_seconds:p50_rate5s{${stage}}`, legend: '{{stage}} p50' },
      { expr: `stage:chat_fan_out_seconds:p99_rate5s{${stage}}`, legend: '{{stage}} p99' },
    ),
    heat(
      'Fan-out rounds by duration',
      'Rounds per second in each bucket of duration.',
      { unit: 's', width: 8 },
      { expr: `sum by (le) (stage_le:chat_fan_out_seconds_bucket:rate5s{${stage}})`, legend: '{{le}}' },
    ),
  ];
}

function resources() {
  return [
    lines(
      'CPU',
      'Cores used by the server, and the quota of its container if it has one.',
      { unit: 'short', width: 6 },
      { expr: `stage:process_cpu_cores:rate5s{${stage}}`, legend: '{{stage}}' },
      { expr: `stage:chat_cgroup_cpu_limit_cores:sum{${stage}} > 0`, legend: '{{stage}} quota' },
    ),
    lines(
      'Throttling',
      'Share of scheduler periods in which the quota stopped the server. A stopped server continues in the next period: latency cannot be lower than that wait, whatever the code does.',
      { unit: 'percentunit', width: 6, max: 1, bounds: { limit: 0.5 } },
      { expr: `stage:chat_cgroup_cpu_throttled_periods:ratio_rate5s{${stage}}`, legend: '{{stage}} periods' },
      { expr: `stage:chat_cgroup_cpu_throttled:rate5s{${stage}}`, legend: '{{stage}} s/s' },
    ),
    lines(
      'Memory',
      'Resident memory and heap of the process, memory charged to the container, and its limit.',
      { unit: 'bytes', width: 6 },
      { expr: `stage:process_resident_memory_bytes:sum{${stage}}`, legend: '{{stage}} resident' },
      { expr: `stage:nodejs_heap_size_used_bytes:sum{${stage}}`, legend: '{{stage}} heap used' },
      { expr: `stage:chat_cgroup_memory_bytes:sum{${stage}}`, legend: '{{stage}} charged' },
      { expr: `stage:chat_cgroup_memory_limit_bytes:sum{${stage}} > 0`, legend: '{{stage}} limit' },
    ),
    lines(
      'Event loop lag p99',
      'The delay of timers. An idle loop shows about 10 ms, the resolution of the measurement.',
      { unit: 's', width: 6, bounds: latencyLimit },
      { expr: `stage:nodejs_eventloop_lag_p99_seconds:max{${stage}}`, legend: '{{stage}}' },
    ),
  ];
}

function refusals() {
  const text = { unit: 'ops', width: 8, stacked: true };
  return [
    lines('Evictions', 'Sessions per second that the server closed on purpose.', text, {
      expr: `stage_reason:chat_evictions:rate5s{${stage}}`,
      legend: '{{stage}} {{reason}}',
    }),
    lines('Rejections', 'Connections per second that were refused at admission.', text, {
      expr: `stage_reason:chat_rejections:rate5s{${stage}}`,
      legend: '{{stage}} {{reason}}',
    }),
    lines('Closes', 'Sessions ended per second, by close code.', text, {
      expr: `stage_code:chat_closes:rate5s{${stage}}`,
      legend: '{{stage}} {{code}}',
    }),
  ];
}
