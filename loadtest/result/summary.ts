/** A result as text for a terminal. */
import type { Paint } from '#host/paint.ts';
import { wrapped } from '#host/wrapped.ts';
import { describeCloseCode } from '#protocol';
import { formatMs, type LatencySummary } from '../record/histogram.ts';
import type { BaselineRow } from './baseline.ts';
import { directLatencyRows, directRows } from './direct-rows.ts';
import { observedText } from './limits.ts';
import type { LoadtestResult, Verdict } from './schema.ts';

const verdictNotes: Partial<Record<Verdict, string>> = {
  void: ' (the simulator failed, not the server)',
  undetermined: ' (the simulator itself may have broken the limit)',
};

/** How a summary is written: in which colours, and how wide. */
export type SummaryStyle = { paint: Paint; isWide: boolean };

/** Its name, its text, and the outcome whose colour it has. */
type Row = [name: string, text: string, outcome?: string | undefined];

/** Columns of a terminal that is as narrow as is usual. */
const widthMax = 80;
const nameWidth = 18;

/** The table at the end of a run, 80 columns wide unless it may be wider. It ends with a line break. */
export function formatSummary(result: LoadtestResult, style: SummaryStyle): string {
  const { audit, connections, instrument } = result;
  const verdict = result.interrupted ? 'interrupted' : result.verdict;
  const rows: Row[] = [
    ['verdict', verdict + (result.interrupted ? '' : (verdictNotes[result.verdict] ?? '')), verdict],
    ...result.reasons.map((reason): [string, string] => ['', `- ${reason}`]),
    ...limitRows(result),
    ['offered', `${decimal(result.offeredPerSecond)} messages/s`],
    ['achieved', `${decimal(result.achievedPerSecond)} messages/s`],
    ['deliveries', `${decimal(result.deliveriesPerSecond)}/s, all audited`],
    ...latencyRows(result),
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
    ...directRows(result.direct),
    ...connectRows(result),
    [
      'simulator',
      `${counted(result.workload.workers, 'worker')}, ${instrument.cpuSeconds.toFixed(1)} CPU s, busiest ${(instrument.loopUtilizationMax * 100).toFixed(0)} %, turn p99 ${formatMs(instrument.turnMs.p99)}`,
    ],
    [
      'memory',
      `${(instrument.rssBytes / 2 ** 20).toFixed(0)} MiB, ${(instrument.rssBytesPerClient / 1024).toFixed(0)} KiB per connection`,
    ],
  ];
  const width = style.isWide ? Number.POSITIVE_INFINITY : widthMax - nameWidth;
  const lines = rows.flatMap(([name, text, outcome = '']) =>
    // A text with columns is one line.
    (text.includes('  ') ? [text] : wrapped(text, width)).map(
      (line, index) => (index === 0 ? name : '').padEnd(nameWidth) + style.paint(outcome, line.trimEnd()),
    ),
  );
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`;
}

/** What was observed of each limit; those of a count that had to be 0, and was, share a line. */
function limitRows({ limits }: LoadtestResult): Row[] {
  const isNothing = ({ expression, held, observed }: (typeof limits)[number]) =>
    held && observed === 0 && expression.endsWith('=0');
  const nothing = limits.filter(isNothing).map(({ expression }) => expression.slice(0, -2));
  const shown = limits.filter((limit) => !isNothing(limit));
  const column = Math.max(0, ...shown.map(({ expression }) => expression.length));
  const rows = shown.map(({ expression, held, observed }): Row => {
    const text = `${held ? '✓' : '✗'} ${expression.padEnd(column)}  ${observedText(expression, observed)}`;
    return ['', text, held ? 'held' : 'broken'];
  });
  if (nothing.length > 0) rows.push(['', `✓ 0 ${nothing.join(', ')}`, 'held']);
  return rows.map(([, text, outcome], index) => [index === 0 ? 'limits' : '', text, outcome]);
}

/** The table of latencies: a line for each, a column for each percentile. */
function latencyRows(result: LoadtestResult): [string, string][] {
  const columns = ['p50', 'p90', 'p95', 'p99', 'p99.9', 'p99.99', 'max'];
  const line = (cells: readonly string[]) => cells.map((cell) => cell.padStart(8)).join('');
  const row = ({ count, p50, p90, p95, p99, p999, p9999, max }: LatencySummary) =>
    count === 0 ? 'nothing measured' : line([p50, p90, p95, p99, p999, p9999, max].map(figure));
  return [
    ['', line(columns)],
    ['delivery latency', row(result.deliveryLatencyMs)],
    ['service latency', row(result.serviceLatencyMs)],
    ['schedule lag', `${row(result.scheduleLagMs)}`],
    ...directLatencyRows(result.direct, row),
  ];
}

/** Stands above the summary of a step; `number` counts from 1. Ends with a line break. */
export function stepHeading(number: number, count: number, { offeredPerSecond }: LoadtestResult): string {
  return `\nstep ${number} of ${count}, ${decimal(offeredPerSecond)} messages/s\n`;
}

/** A table with one line for each step. It ends with a line break. */
export function formatSteps(steps: readonly LoadtestResult[], { paint, isWide }: SummaryStyle): string {
  const all: [title: string, cell: (result: LoadtestResult, index: number) => string][] = [
    ['step', (_, index) => String(index + 1)],
    ['offered/s', (result) => decimal(result.offeredPerSecond)],
    ['achieved/s', (result) => decimal(result.achievedPerSecond)],
    ['deliveries/s', (result) => decimal(result.deliveriesPerSecond)],
    ['p50', (result) => figure(result.deliveryLatencyMs.p50)],
    ['p99', (result) => figure(result.deliveryLatencyMs.p99)],
    ['lost', (result) => integer(result.audit.lost)],
    ['recovered s', (result) => String(result.recoveredSeconds ?? 'never')],
    ['verdict', (result) => (result.interrupted ? 'interrupted' : result.verdict)],
  ];
  const columns = all.filter(([title]) => isWide || title !== 'recovered s');
  const head = columns.map(([title]) => title);
  const lines = steps.map((result, index) => columns.map(([, cell]) => cell(result, index)));
  const widths = head.map((title, column) =>
    Math.max(title.length, ...lines.map((line) => line[column]!.length)),
  );
  const row = (cells: readonly string[]) =>
    cells.map((cell, column) => paint(cell, cell.padStart(widths[column]!))).join('  ');
  return `\n${[head, ...lines].map(row).join('\n')}\n`;
}

/** The figures beside those of an earlier run; empty without rows. Ends with a line break. */
export function formatBaseline(
  rows: readonly BaselineRow[],
  { paint }: SummaryStyle,
  margin: number,
): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]) =>
    cells
      .map((cell) => cell.padStart(14))
      .join('')
      .trimEnd();
  const lines = rows.map(({ metric, before, now, ratio, verdict }) =>
    paint(verdict, line([metric, before, now, `× ${ratio.toFixed(2)}`, verdict])),
  );
  const head = line(['', 'before', 'now', 'now ÷ before', '']);
  return `\nbaseline, margin ${Number((margin * 100).toPrecision(3))} %\n${[head, ...lines].join('\n')}\n`;
}

function unsentRows(result: LoadtestResult): [string, string][] {
  const { closed, blocked } = result.unsent;
  if (closed + blocked === 0) return [];
  const text = `${counted(closed, 'message')} whose user had been closed, ${integer(blocked)} that the target did not read`;
  return [['not sent', text]];
}

function stalledRows(result: LoadtestResult): [string, string][] {
  const { opened, closed, closedAfterMs } = result.stalled;
  if (result.workload.stalledReaders === 0) return [];
  const when =
    closed === 0 ? '' : `, after ${formatMs(closedAfterMs[0]!)} to ${formatMs(closedAfterMs.at(-1)!)}`;
  return [['stalled readers', `${opened} opened, ${closed} closed by the server${when}`]];
}

function churnRows(result: LoadtestResult): [string, string][] {
  const { asked, opened, refused, connectMs } = result.churn;
  if (result.workload.churnPerSecond === 0) return [];
  return [
    [
      'churn users',
      `${integer(opened)} of ${integer(asked)} opened, handshake p99 ${formatMs(connectMs.p99)}`,
    ],
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
    [
      'storm',
      `${integer(storm.left)} left at once; 99 % caught up after ${formatMs(storm.caughtUp99AfterMs)}`,
    ],
    ['', `until connected: ${times(storm.connectedMs)}, ${integer(storm.handshakesPerSecond)} handshakes/s`],
    ['', `until caught up: ${times(storm.caughtUpMs)}`],
    ['', `delivery latency to those who stayed: ${times(storm.stayedLatencyMs)}`],
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
  return count === 0 ? 'nobody' : `p50 ${formatMs(p50)}, p99 ${formatMs(p99)}, max ${formatMs(max)}`;
}

function growthText({ backlogGrowthMs }: LoadtestResult): string {
  if (backlogGrowthMs === null) return 'too short to say whether it grew';
  return `grew by ${formatMs(backlogGrowthMs)} of load`;
}

function orderText({ workload, orderedPairs }: LoadtestResult): string {
  const inRoom = workload.order === 'one-for-all' ? 'one for all' : 'per sender';
  const promise = workload.people > 0 ? 'of the mailbox' : inRoom;
  if (orderedPairs === 0) return `${promise}, not tested: too few messages for a wrong order`;
  return `${promise}, ${integer(orderedPairs)} ordered pairs could have shown a fault`;
}

/** A time with its unit in at most 7 characters; not there in results of before. */
function figure(ms: number | undefined): string {
  return ms === undefined ? '–' : formatMs(ms).replace(' ', '');
}

function counted(count: number, noun: string): string {
  return `${integer(count)} ${noun}${count === 1 ? '' : 's'}`;
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
