/** A result as text for a terminal. */
import { describeCloseCode } from '#protocol';
import { type LatencySummary, outstandingMs } from '../record/histogram.ts';
import type { LoadtestResult, Verdict } from './schema.ts';

const verdictNotes: Partial<Record<Verdict, string>> = {
  void: ' (the simulator failed, not the server)',
  undetermined: ' (the simulator itself may have broken the limit)',
};

/** The table at the end of a run, without colours. It ends with a line break. */
export function formatSummary(result: LoadtestResult): string {
  const { audit, connections, instrument } = result;
  const rows: [string, string][] = [
    ['verdict', result.interrupted ? 'interrupted' : result.verdict + (verdictNotes[result.verdict] ?? '')],
    ...result.reasons.map((reason): [string, string] => ['', `- ${reason}`]),
    [
      'limits',
      result.limits.map(({ expression, held }) => `${expression}${held ? '' : ' BROKEN'}`).join('  '),
    ],
    ['offered', `${decimal(result.offeredPerSecond)} messages/s`],
    ['achieved', `${decimal(result.achievedPerSecond)} messages/s`],
    ['deliveries', `${decimal(result.deliveriesPerSecond)} /s, all audited`],
    ['delivery latency', latency(result.deliveryLatencyMs)],
    ['service latency', latency(result.serviceLatencyMs)],
    ['schedule lag', latency(result.scheduleLagMs)],
    ['backlog', growthText(result)],
    [
      'audit',
      `${integer(audit.delivered)} of ${integer(audit.expected)} deliveries, ${integer(audit.lost)} lost${result.interrupted ? '' : ' (outstanding when the drain ended)'}`,
    ],
    [
      '',
      `${integer(audit.duplicated)} duplicated, ${integer(audit.reordered)} reordered, ${integer(audit.misrouted)} misrouted, ${integer(audit.corrupted)} corrupted`,
    ],
    ...(result.underWay
      ? [['', `${integer(result.underWay)} more were under way when the run was stopped`] as [string, string]]
      : []),
    ['order', orderText(result)],
    ['connections', `${integer(connections.opened)} of ${integer(connections.asked)} opened`],
    ...counts(connections.refused).map((line): [string, string] => ['', `refused: ${line}`]),
    ...Object.entries(connections.closedEarly).map(([code, count]): [string, string] => [
      '',
      `closed early: ${count} × ${code}, ${describeCloseCode(Number(code))}`,
    ]),
    ...(result.late > 0
      ? [['', `${integer(result.late)} deliveries of earlier steps`] as [string, string]]
      : []),
    ...unsentRows(result),
    ...stalledRows(result),
    ...churnRows(result),
    ...resumeRows(result),
    ...connectRows(result),
    [
      'simulator',
      `${result.workload.workers} worker(s), ${instrument.cpuSeconds.toFixed(1)} CPU s, busiest ${(instrument.loopUtilizationMax * 100).toFixed(0)} %, turn p99 ${instrument.turnMs.p99} ms`,
    ],
    [
      'memory',
      `${(instrument.rssBytes / 2 ** 20).toFixed(0)} MiB, ${instrument.rssBytesPerClient} B per connection`,
    ],
  ];
  return `${rows.map(([name, text]) => `${name.padEnd(18)}${text}`.trimEnd()).join('\n')}\n`;
}

/** A table with one line for each step. It ends with a line break. */
export function formatSteps(steps: readonly LoadtestResult[]): string {
  const head = [
    'step',
    'offered/s',
    'achieved/s',
    'deliveries/s',
    'p50 ms',
    'p99 ms',
    'lost',
    'recovered s',
    'verdict',
  ];
  const lines = steps.map((result, index) => [
    String(index + 1),
    decimal(result.offeredPerSecond),
    decimal(result.achievedPerSecond),
    decimal(result.deliveriesPerSecond),
    ms(result.deliveryLatencyMs.p50),
    ms(result.deliveryLatencyMs.p99),
    integer(result.audit.lost),
    String(result.recoveredSeconds ?? 'never'),
    result.interrupted ? 'interrupted' : result.verdict,
  ]);
  const widths = head.map((name, column) =>
    Math.max(name.length, ...lines.map((line) => line[column]!.length)),
  );
  const row = (cells: readonly string[]) => cells.map((cell, i) => cell.padStart(widths[i]!)).join('  ');
  return `\n${[head, ...lines].map(row).join('\n')}\n`;
}

function unsentRows(result: LoadtestResult): [string, string][] {
  const { closed, blocked } = result.unsent;
  if (closed + blocked === 0) return [];
  const text = `${integer(closed)} messages whose user had been closed, ${integer(blocked)} that the target did not read`;
  return [['not sent', text]];
}

function stalledRows(result: LoadtestResult): [string, string][] {
  const { opened, closed, closedAfterMs } = result.stalled;
  if (result.workload.stalledReaders === 0) return [];
  const when = closed === 0 ? '' : `, after ${closedAfterMs[0]} to ${closedAfterMs.at(-1)} ms`;
  return [['stalled readers', `${opened} opened, ${closed} closed by the server${when}`]];
}

function churnRows(result: LoadtestResult): [string, string][] {
  const { asked, opened, refused, connectMs } = result.churn;
  if (result.workload.churnPerSecond === 0) return [];
  return [
    ['churn users', `${integer(opened)} of ${integer(asked)} opened, handshake p99 ${connectMs.p99} ms`],
    ...counts(refused).map((line): [string, string] => ['', `refused: ${line}`]),
  ];
}

function resumeRows({ resume }: LoadtestResult): [string, string][] {
  if (resume === undefined) return [];
  const { gaps, peopleWithGaps, missed, unable, storm } = resume;
  const gapText = `${integer(gaps)} gaps of ${integer(peopleWithGaps)} people, ${integer(missed)} deliveries missed`;
  const rows: [string, string][] = [
    [
      'returns',
      `${integer(resume.recovered)} told that nothing is missed, ${integer(resume.lateDeliveries)} deliveries came late`,
    ],
    ['', `${gapText}${unable > 0 ? ` (${integer(unable)} where the server keeps no log)` : ''}`],
    ...Object.entries(resume.closes).map(([code, count]): [string, string] => [
      '',
      `came back after ${count} × ${code}, ${describeCloseCode(Number(code))}`,
    ]),
    ...counts(resume.refused).map((line): [string, string] => ['', `refused on the way back: ${line}`]),
    ['until connected', times(resume.connectedMs)],
    ['until caught up', times(resume.caughtUpMs)],
  ];
  const faults = [
    [resume.misannounced, 'frames "joined" that contradict what was asked for'],
    [resume.unpublished, 'messages that nobody heard and whose sender had lost its connection'],
    [resume.away, 'users that had not come back'],
  ] as const;
  for (const [count, words] of faults) if (count > 0) rows.push(['', `${integer(count)} ${words}`]);
  if (storm === undefined) return rows;
  rows.push(
    ['storm', `${integer(storm.left)} left at once; 99 % caught up after ${ms(storm.caughtUp99AfterMs)} ms`],
    ['', `until connected: ${times(storm.connectedMs)}, ${integer(storm.handshakesPerSecond)} handshakes/s`],
    ['', `until caught up: ${times(storm.caughtUpMs)}`],
    ['', `delivery latency to those who stayed: ${latency(storm.stayedLatencyMs)}`],
  );
  return rows;
}

function connectRows({ connect }: LoadtestResult): [string, string][] {
  if (connect === undefined) return [];
  const answers = `${integer(connect.asked)} requests, answer ${times(connect.answerMs)}`;
  return [
    ['connect service', answers],
    ...counts(connect.refused).map((line): [string, string] => ['', `refused: ${line}`]),
  ];
}

function times({ count, p50, p99, max }: LatencySummary): string {
  return count === 0 ? 'nobody' : `p50 ${ms(p50)}  p99 ${ms(p99)}  max ${ms(max)} ms`;
}

function latency(summary: LatencySummary): string {
  if (summary.count === 0) return 'nothing measured';
  const { p50, p90, p99, p999, max } = summary;
  return `p50 ${ms(p50)}  p90 ${ms(p90)}  p99 ${ms(p99)}  p99.9 ${ms(p999)}  max ${ms(max)} ms`;
}

function growthText({ backlogGrowthMs }: LoadtestResult): string {
  if (backlogGrowthMs === null) return 'too short to say whether it grew';
  return `grew by ${backlogGrowthMs} ms of load`;
}

function orderText({ workload, orderedPairs }: LoadtestResult): string {
  const promise = workload.order === 'one-for-all' ? 'one for all' : 'per sender';
  if (orderedPairs === 0) return `${promise}, not tested: too few messages for a wrong order`;
  return `${promise}, ${integer(orderedPairs)} ordered pairs could have shown a fault`;
}

/** Milliseconds as text. */
function ms(value: number): string {
  return value >= outstandingMs ? 'outstanding' : String(value);
}

function counts(record: Record<string, number>): string[] {
  return Object.entries(record).map(([name, count]) => `${count} × ${name}`);
}

function integer(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

function decimal(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: value < 100 ? 2 : 0 });
}
