/** What a run of the failures says, as tables: a pure function of its file. */

import type { KillRun } from '../../../008-kill/experiment.ts';
import { medianOf } from '../../analysis/statistics.ts';
import { formatMs } from '../../report/format.ts';
import { markdownTable, type Table, terminalTable } from '../../report/table.ts';
import type { StrikeRecord } from './inject-fault.ts';

/** One row for each failure: counts are sums of its repetitions, times the worst of them, recovery the median and the worst. */
export function killTable({ strikes }: KillRun): Table {
  const names = [...new Set(strikes.map(({ scenario }) => scenario))];
  return {
    columns: [
      { title: 'failure', align: 'left' },
      { title: 'said', align: 'right' },
      { title: 'lost in silence', align: 'right' },
      { title: 'missed and told', align: 'right' },
      { title: 'unheard and told', align: 'right' },
      { title: 'duplicated', align: 'right' },
      { title: 'reordered', align: 'right' },
      { title: 'told after', align: 'right' },
      { title: 'stayed', align: 'right' },
      { title: 'closed', align: 'left' },
      { title: 'unready after', align: 'right' },
      { title: 'ready but broken', align: 'right' },
      { title: 'failing for', align: 'right' },
      { title: 'well after', align: 'right' },
    ],
    rows: names.map((name) =>
      rowOf(
        name,
        strikes.filter(({ scenario }) => scenario === name),
      ),
    ),
  };
}

/** Lines for a terminal. */
export function killText(run: KillRun): string {
  return terminalTable(killTable(run));
}

/** Table, what was done, and how to read it; headings begin at the second level. */
export function killMarkdown(run: KillRun): string {
  const bullets = (items: readonly string[]) => items.map((item) => `- ${item}`).join('\n');
  const abouts = new Map(
    run.strikes.map(({ scenario, stage, about }) => [scenario, `${scenario} (${stage}): ${about}.`]),
  );
  const { environment, options } = run;
  return [
    `## ${run.startedAt.slice(0, 10)}`,
    markdownTable(killTable(run)),
    bullets([...abouts.values(), ...run.skipped]),
    '### How to read it',
    bullets([
      `${options.people} people, each saying ${options.messagesPerSecond} things a second, spread over the nodes that call themselves ready; each failure ${options.repetitions === 1 ? 'once' : `${options.repetitions} times`}. Every thing said is held against every person. Counts are sums over the repetitions, times the longest of them.`,
      'Lost in silence: missed by somebody whose connection held. Missed and told: by somebody whose connection was closed later. Unheard and told: heard by nobody, and its speaker, who never heard his echo, was cut off.',
      'Told after: the longest from a thing said to the close that told of it. Unready after: until the first node said so. Ready but broken: the longest that a node called itself ready while what it ought to carry did not arrive within a second.',
      `Well after: from the failure until everybody is connected and hears everything within a second; median, and the longest in brackets. A restart asks for a wait of at most ${options.reconnectWaitMsMax} ms (option reconnect-wait-ms-max), which is part of it.`,
    ]),
    bullets([
      `machine: ${environment.cpus} × ${environment.cpuModel}, ${environment.platform}, Node ${environment.node}`,
      `code: ${environment.gitCommit ?? 'unknown'}${environment.gitDirty ? ' with changes' : ''}`,
      `Redis: ${run.redis ?? 'none'}`,
    ]),
  ].join('\n\n');
}

function rowOf(name: string, strikes: readonly StrikeRecord[]): string[] {
  const sum = (pick: (strike: StrikeRecord) => number) =>
    strikes.reduce((total, one) => total + pick(one), 0);
  const worst = (pick: (strike: StrikeRecord) => number | null) => {
    const values = strikes.map(pick).filter((value) => value !== null);
    return values.length === 0 ? 'never' : formatMs(Math.max(...values));
  };
  return [
    name,
    ...[
      sum(({ said }) => said),
      sum(({ lostSilently }) => lostSilently),
      sum(({ missedAndTold }) => missedAndTold),
      sum(({ unheard }) => unheard),
      sum(({ duplicated }) => duplicated),
      sum(({ reordered }) => reordered),
    ].map((count) => count.toLocaleString('en-US')),
    worst(({ darkMsMax }) => darkMsMax),
    `${sum(({ stayed }) => stayed)} of ${sum(({ people }) => people)}`,
    closesText(strikes),
    worst(({ unreadyAfterMs }) => unreadyAfterMs),
    worst(({ readyWhileBrokenMsMax }) => readyWhileBrokenMsMax),
    worst(({ faultMs }) => faultMs),
    wellText(strikes),
  ];
}

function closesText(strikes: readonly StrikeRecord[]): string {
  const closes = new Map<string, number>();
  for (const strike of strikes) {
    for (const [code, count] of Object.entries(strike.closes))
      closes.set(code, (closes.get(code) ?? 0) + count);
  }
  return [...closes].map(([code, count]) => `${count} × ${code}`).join(', ');
}

function wellText(strikes: readonly StrikeRecord[]): string {
  const values = strikes.map(({ wellAfterMs }) => wellAfterMs).filter((value) => value !== null);
  if (values.length < strikes.length) return `not within the trial in ${strikes.length - values.length}`;
  return `${formatMs(medianOf(values))} (${formatMs(Math.max(...values))})`;
}
