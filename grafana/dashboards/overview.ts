/** The running server: traffic, latency, resources, refused connections. */
import { board, brokenLimits, labelVariable, labPhases, stageVariable } from './board.ts';
import { figure, heat, latencyLimit, lines, of, ofLimit, row, chosenStages as stage } from './panel.ts';

const name = {
  uid: 'chat-overview',
  title: 'Chat · Overview',
  description: 'The running server: traffic, latency, resources, refused connections.',
};
const rates = { unit: 'ops', stacked: true };

/** The delay from which an alert fires; the rule has the same. */
const lateLoop = { unit: 's', bounds: { limit: 0.25 } };
const nodeLegend = '{{stage}} {{node}}';
const variables = [stageVariable('stage', 'Stage', 'all'), labelVariable('node', 'Node', 'up{job="server"}')];

/** A metric of each chosen node, with its stage. */
const ofNode = (metric: string, range = '') => {
  const series = `${metric}{node=~"$node"}${range}`;
  const value = range === '' ? series : `rate(${series})`;
  return `sum by (stage, node) (${value} * on (job, instance) group_left (stage) chat_build_info{${stage}})`;
};

/** A query that shows 0 where no stage has the metric. */
const orNone = (expr: string, legend: string) => ({ expr: `${expr} or vector(0)`, legend });

/** The Overview dashboard. */
export const overview = board(name, variables, [labPhases(), brokenLimits()], {
  Now: row(3, [
    figure('Sessions', 'Open connections.', { unit: 'short' }, of('stage:chat_sessions:sum')),
    figure(
      'Messages in',
      'Messages accepted per second.',
      { unit: 'si: msg/s' },
      of('stage:chat_messages_received:rate5s'),
    ),
    figure(
      'Deliveries out',
      'Frames handed to sockets per second.',
      { unit: 'si:/s' },
      of('stage:chat_deliveries:rate5s'),
    ),
    figure(
      'Delivery latency p99 of its limit',
      'From the due time of a message to its receipt, over all recipients, as a share of the limit of the run.',
      ofLimit,
      of('stage:loadtest_delivery_latency_seconds:p99_of_limit'),
    ),
    figure(
      'CPU',
      'Cores used by the server process.',
      { unit: 'short', decimals: 2 },
      of('stage:process_cpu_cores:rate5s'),
    ),
    figure(
      'Memory of its limit',
      'Memory charged to the container, as a share of the limit at which it is killed.',
      { unit: 'percentunit', bounds: { warning: 0.7, limit: 0.9 } },
      {
        expr: `stage:chat_cgroup_memory_bytes:sum{${stage}} / (stage:chat_cgroup_memory_limit_bytes:sum{${stage}} > 0)`,
        legend: '{{stage}}',
      },
    ),
    figure(
      'Periods throttled',
      'Share of scheduler periods in which the CPU quota stopped the server.',
      { unit: 'percentunit', bounds: { warning: 0.1, limit: 0.5 } },
      of('stage:chat_cgroup_cpu_throttled_periods:ratio_rate5s'),
    ),
    figure(
      'Limits broken',
      'Alerts that are firing.',
      { unit: 'short', bounds: { limit: 1 } },
      { expr: 'count(ALERTS{alertstate="firing"}) or vector(0)', legend: 'alerts' },
    ),
  ]),
  Traffic: row(8, [
    lines('Sessions', 'Open connections of all nodes.', { unit: 'short' }, [
      of('stage:chat_sessions:sum'),
      of('stage:chat_rooms:sum', '{{stage}} rooms'),
    ]),
    lines(
      'Messages in',
      'Messages per second that clients sent and the server accepted.',
      { unit: 'si: msg/s' },
      [of('stage:chat_messages_received:rate5s')],
    ),
    lines('Deliveries out', 'Frames per second handed to the sockets of recipients.', { unit: 'si:/s' }, [
      of('stage:chat_deliveries:rate5s'),
    ]),
    lines('Bytes out', 'Bytes per second of the frames handed to sockets.', { unit: 'Bps' }, [
      of('stage:chat_delivered_bytes:rate5s'),
    ]),
    lines(
      'Fan-out factor',
      'Deliveries per message. With one room it is the number of sessions.',
      { unit: 'short' },
      [of('stage:chat_fan_out_factor:ratio_rate5s')],
    ),
    lines(
      'Connections, counted by simulator and server',
      'The same connections, counted at both ends. A difference is connections that one end has lost.',
      { unit: 'short' },
      [
        of('stage:chat_sessions:sum', 'server {{stage}}'),
        of('stage:loadtest_sessions:sum', 'simulator {{stage}}'),
      ],
    ),
  ]),
  Latency: row(8, [
    lines(
      'Delivery latency',
      'From the due time of a message to its receipt, over all recipients. Dashed: the limit of p99 that the run has.',
      { unit: 's' },
      [
        latencyLimit,
        of('stage:loadtest_delivery_latency_seconds:p50_rate5s', '{{stage}} p50'),
        of('stage:loadtest_delivery_latency_seconds:p99_rate5s', '{{stage}} p99'),
      ],
    ),
    lines(
      'Fan-out time',
      'From the oldest message of a fan-out round to the last write of the round.',
      { unit: 's' },
      [
        of('stage:chat_fan_out_seconds:p50_rate5s', '{{stage}} p50'),
        of('stage:chat_fan_out_seconds:p99_rate5s', '{{stage}} p99'),
      ],
    ),
    heat(
      'Fan-out rounds by duration',
      'Rounds per second in each bucket of duration.',
      `sum by (le) (stage_le:chat_fan_out_seconds_bucket:rate5s{${stage}})`,
    ),
  ]),
  'Resources and CPU quota': row(6, [
    lines(
      'CPU',
      'Cores used by the server, and the quota of its container if it has one.',
      { unit: 'short' },
      [
        of('stage:process_cpu_cores:rate5s'),
        { expr: `stage:chat_cgroup_cpu_limit_cores:sum{${stage}} > 0`, legend: '{{stage}} quota' },
      ],
    ),
    lines(
      'Throttling',
      'Share of scheduler periods in which the quota stopped the server. A stopped server continues in the next period: latency cannot be lower than that wait, whatever the code does.',
      { unit: 'percentunit', max: 1, bounds: { limit: 0.5 } },
      [
        of('stage:chat_cgroup_cpu_throttled_periods:ratio_rate5s', '{{stage}} periods'),
        of('stage:chat_cgroup_cpu_throttled:rate5s', '{{stage}} s/s'),
      ],
    ),
    lines(
      'Memory',
      'Resident memory and heap of the process, memory charged to the container, and its limit.',
      { unit: 'bytes' },
      [
        of('stage:process_resident_memory_bytes:sum', '{{stage}} resident'),
        of('stage:nodejs_heap_size_used_bytes:sum', '{{stage}} heap used'),
        of('stage:chat_cgroup_memory_bytes:sum', '{{stage}} charged'),
        { expr: `stage:chat_cgroup_memory_limit_bytes:sum{${stage}} > 0`, legend: '{{stage}} limit' },
      ],
    ),
    lines(
      'Event loop lag p99',
      'The delay of timers. An idle loop shows about 10 ms, the resolution of the measurement.',
      lateLoop,
      [of('stage:nodejs_eventloop_lag_p99_seconds:max')],
    ),
  ]),
  'Each node': row(6, [
    lines('CPU by node', 'Cores used by each server node.', { unit: 'short' }, [
      { expr: ofNode('process_cpu_seconds_total', '[5s]'), legend: nodeLegend },
    ]),
    lines('Memory by node', 'Resident memory of each server node.', { unit: 'bytes' }, [
      { expr: ofNode('process_resident_memory_bytes'), legend: nodeLegend },
    ]),
    lines('Deliveries by node', 'Frames per second that each node hands to sockets.', { unit: 'si:/s' }, [
      { expr: ofNode('chat_deliveries_total', '[5s]'), legend: nodeLegend },
    ]),
    lines('Event loop lag by node, p99', 'The delay of timers in each node.', lateLoop, [
      { expr: ofNode('nodejs_eventloop_lag_p99_seconds'), legend: nodeLegend },
    ]),
  ]),
  'Refused, evicted and closed': row(8, [
    lines('Evictions', 'Sessions per second that the server closed on purpose.', rates, [
      of('stage_reason:chat_evictions:rate5s', '{{stage}} {{reason}}'),
    ]),
    lines('Rejections', 'Connections per second that were refused at admission.', rates, [
      of('stage_reason:chat_rejections:rate5s', '{{stage}} {{reason}}'),
    ]),
    lines('Closes', 'Sessions ended per second, by close code.', rates, [
      of('stage_code:chat_closes:rate5s', '{{stage}} {{code}}'),
    ]),
  ]),
  Seats: row(6, [
    lines('Nodes alive', 'Nodes of the chat, as each node counts them.', { unit: 'short' }, [
      orNone(ofNode('chat_members'), nodeLegend),
    ]),
    lines(
      'Sessions by node',
      'Open connections of each node, and those of them that should sit on another node.',
      { unit: 'short' },
      [
        orNone(ofNode('chat_sessions'), nodeLegend),
        orNone(ofNode('chat_sessions_elsewhere'), `${nodeLegend} elsewhere`),
      ],
    ),
    lines('Moves', 'Sessions per second that a node sent to the node on which they should sit.', rates, [
      orNone(ofNode('chat_moves_total', '[5s]'), nodeLegend),
    ]),
    lines('Connect answers', 'Answers per second to clients that asked where to connect.', rates, [
      orNone('sum by (status) (rate(chat_connect_answers_total[5s]))', '{{status}}'),
    ]),
  ]),
  'Partitions and resumes': row(6, [
    lines('Entries read', 'Entries per second that nodes read from the logs of partitions.', rates, [
      orNone('sum(rate(chat_partition_entries_read_total[5s]))', 'read'),
      orNone('sum(rate(chat_partition_entries_unused_total[5s]))', 'read for nothing'),
    ]),
    lines(
      'Logs',
      'Bytes of the logs in Redis, behind the cursors of nodes, and kept by nodes.',
      { unit: 'bytes' },
      [
        orNone('sum(chat_partition_log_bytes)', 'in Redis'),
        orNone('sum(chat_partition_lag_bytes)', 'behind cursors'),
        orNone('sum(chat_partition_tail_bytes)', 'kept by nodes'),
      ],
    ),
    lines('Resumes', 'Joins per second that asked for a position, by outcome.', rates, [
      orNone('sum by (outcome) (rate(chat_resume_total[5s]))', '{{outcome}}'),
      orNone('sum(rate(chat_partition_history_reads_total[5s]))', 'reads of older entries'),
    ]),
    lines('Logs that broke off', 'Their sessions were told to reconnect, by reason, per second.', rates, [
      orNone('sum by (reason) (rate(chat_partition_gaps_total[5s]))', '{{reason}}'),
    ]),
  ]),
  'Load balancer (HAProxy)': row(8, [
    lines('Sessions by node', 'Connections that HAProxy holds open to each node.', { unit: 'short' }, [
      { expr: 'sum by (server) (haproxy_server_current_sessions{proxy="nodes"})', legend: '{{server}}' },
    ]),
    lines(
      'Nodes that take clients',
      '1 while a node answers its readiness check. A node that drains takes no new clients and keeps its own.',
      { unit: 'short', max: 1 },
      [
        {
          expr: 'max by (server) (haproxy_server_status{proxy="nodes", state="UP"})',
          legend: '{{server}}',
        },
      ],
    ),
    lines(
      'Load of HAProxy',
      'Share of the last second in which its thread did not wait. Near 1 the balancer is the limit, not the nodes.',
      { unit: 'percentunit', max: 1, bounds: { limit: 0.9 } },
      [{ expr: '1 - haproxy_process_idle_time_percent / 100', legend: '{{instance}}' }],
    ),
  ]),
  'All containers of the machine (cAdvisor)': row(8, [
    lines(
      'CPU by container',
      'Cores used, as cAdvisor reads them every second: docker compose --profile cadvisor up -d.',
      { unit: 'short' },
      [
        {
          expr: 'sum by (name) (rate(container_cpu_usage_seconds_total{name!=""}[15s]))',
          legend: '{{name}}',
        },
      ],
    ),
    lines(
      'Memory by container',
      'Memory in use without the part of the page cache that is easily dropped.',
      { unit: 'bytes' },
      [{ expr: 'sum by (name) (container_memory_working_set_bytes{name!=""})', legend: '{{name}}' }],
    ),
    lines(
      'Throttling by container',
      'Seconds per second in which the CPU quota held a container back.',
      { unit: 'short' },
      [
        {
          expr: 'sum by (name) (rate(container_cpu_cfs_throttled_seconds_total{name!=""}[15s]))',
          legend: '{{name}}',
        },
      ],
    ),
  ]),
});
