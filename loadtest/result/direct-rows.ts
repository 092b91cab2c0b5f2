/** The rows of the summary about people with accounts. Pure. */
import { formatMs, type LatencySummary } from '../record/histogram.ts';
import type { DirectResult } from './direct-result.ts';

type Row = [name: string, text: string];

/** Empty where there are no people. `line` makes the row of a table of latencies. */
export function directLatencyRows(
  direct: DirectResult | undefined,
  line: (summary: LatencySummary) => string,
): Row[] {
  if (direct === undefined) return [];
  const rows: [string, LatencySummary][] = [
    ['server ack', direct.ackMs],
    ['login', direct.loginMs],
    ['collected', direct.collectedMs],
    ['caught up', direct.caughtUpMs],
  ];
  return rows.map(([name, summary]) => [name, line(summary)]);
}

/** Empty where there are no people. */
export function directRows(direct: DirectResult | undefined): Row[] {
  if (direct === undefined) return [];
  const { accounts, logins, lookIns, end, untold } = direct;
  const rows: Row[] = [
    [
      'messages',
      `${integer(direct.acked)} acknowledged, ${integer(direct.full)} full, ${integer(direct.busy)} busy, ${integer(direct.unanswered)} unanswered, ${integer(direct.resent)} sent again`,
    ],
    [
      'mailboxes',
      `${integer(direct.waited)} deliveries to devices that came later, ${integer(direct.waiting)} wait for devices that are away`,
    ],
    [
      'receipts',
      `${integer(direct.receipts)}, ${integer(direct.wentBack)} went back${untold === null ? '' : `, ${integer(untold)} outstanding`}`,
    ],
    ['people', `${integer(direct.present)} of ${integer(direct.devices)} devices logged in at the end`],
    [
      '',
      `${integer(accounts.created)} accounts in ${accounts.seconds.toFixed(1)} s, ${integer(accounts.existed)} were there, first logins in ${accounts.enrollSeconds.toFixed(1)} s`,
    ],
    [
      'logins',
      `${integer(logins.made)} of ${integer(logins.asked)} made, ${integer(logins.busy)} busy, ${integer(logins.failed)} failed`,
    ],
  ];
  if (lookIns.due > 0)
    rows.push(['', `${integer(lookIns.made)} of ${integer(lookIns.due)} due by --login-rate`]);
  for (const [code, count] of Object.entries(direct.closes))
    rows.push(['', `came back after ${integer(count)} × close code ${code}`]);
  for (const [why, count] of Object.entries({ ...direct.refused }))
    rows.push(['', `refused: ${integer(count)} × ${why}`]);
  for (const [why, count] of Object.entries(accounts.refused))
    rows.push(['', `accounts refused: ${integer(count)} × ${why}`]);
  const faults = [
    [direct.notBack ?? 0, 'devices were not back at the end: what they are owed is lost'],
    [direct.unknown, 'messages to people who are unknown'],
    [direct.expired, 'times messages were gone before a device came'],
    [direct.foreign, 'messages of earlier runs'],
  ] as const;
  for (const [count, words] of faults) if (count > 0) rows.push(['', `${integer(count)} ${words}`]);
  if (end !== undefined && end.loginMs.count > 0)
    rows.push(
      ['all came back', `${integer(end.loginMs.count)} devices; logged in: ${times(end.loginMs)}`],
      ['', `caught up: ${times(end.caughtUpMs)}`],
    );
  return rows;
}

function times({ p50, p99, max }: LatencySummary): string {
  return `p50 ${formatMs(p50)}, p99 ${formatMs(p99)}, max ${formatMs(max)}`;
}

function integer(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: 0 });
}
