/** The report of a run of failures. Pure. */
import { medianOf } from '../../analysis/statistics.ts';
import { formatCount, formatMs } from '../../report/format.ts';
import { codeCaveats, interruptionNote } from '../../report/notes.ts';
import {
  type Column,
  detail,
  left,
  type ReportContent,
  right,
  type Table,
  tableOf,
} from '../../report/table.ts';
import { factRows, machineRows } from '../../report/trials.ts';
import type { FaultRun, FaultTrial } from './record.ts';

const undeliveredText =
  'Undelivered and told: delivered to no participant, and the connection of the sender was closed later.';
const closingText = `Lost silently: not delivered to a participant whose connection held. Lost and told: not delivered to a participant whose connection was closed later. ${undeliveredText}`;
const resumingText = `Participants come back with their position (?after=), and each is owed every message from its first join to the end of the trial, across all of its connections. Lost silently: not delivered to a participant who was never told otherwise, by recovered: false. Lost and told: not delivered to one who was. Order differs: messages that a participant heard in another order than the one who heard the most. Resumed: returns that were told that nothing was missed. ${undeliveredText}`;

/** One row for each failure. */
export function reportFaults(run: FaultRun): ReportContent {
  const { participants, messagesPerSecond, reconnectWaitMsMax, repetitions } = run.record.workload;
  const times = repetitions === 1 ? 'once' : `${repetitions} times`;
  return {
    answer: [
      [...interruptionNote(run), faultAnswer(run)].join(' '),
      recoveryAnswer(run),
      ...run.record.variants.map(aboutVariant),
    ],
    summary: faultTable(run),
    method: [
      `${participants} participants publish ${messagesPerSecond} messages per second each, spread over the nodes that report ready. Each failure was tried ${times}. Every published message is checked against every participant. Counts are sums over the trials; times are the longest of them.`,
      run.record.resumes ? resumingText : closingText,
      'Detected after: the longest time from a message to the close that told of its loss. Unready after: until the first node reported it. Ready while broken: the longest time for which a node reported ready although messages did not arrive within a second.',
      `Recovered after: from the fault until all participants are connected and receive everything within a second; the median, with the longest in brackets where there were several trials. It contains the wait that a restart asks for, at most ${reconnectWaitMsMax} ms (option reconnect-wait-ms-max).`,
    ],
    environment: [...machineRows(run), ...factRows(run)],
    caveats: [
      'Nodes, services and participants share one machine and its loopback network.',
      ...codeCaveats(run),
      ...run.record.notes,
    ],
    trials: trialTable(run.trials),
  };
}

function faultAnswer({ trials, record }: FaultRun): string {
  if (trials.length === 0) return 'No failure was tried.';
  const failed = record.variants.filter(({ name }) =>
    trials.some(({ variant, outcome }) => variant === name && outcome !== 'pass'),
  );
  if (failed.length === 0)
    return `In none of the ${trials.length} trials of ${record.variants.length} failures was a message lost silently, duplicated or reordered, and the chat recovered in all of them.`;
  return `The limits broke in ${failed.length} of ${record.variants.length} failures: ${failed.map(({ name }) => name).join(', ')}.`;
}

/** The quickest and the slowest recovery, of the longest of each failure. */
function recoveryAnswer({ trials, record }: FaultRun): string {
  const times = record.variants.flatMap(({ name }) => {
    const own = trials.filter(({ variant }) => variant === name);
    const known = own.flatMap(({ recoveredAfterMs }) => recoveredAfterMs ?? []);
    return known.length === 0 || known.length < own.length ? [] : { name, afterMs: Math.max(...known) };
  });
  const [quickest, ...others] = times.toSorted((a, b) => a.afterMs - b.afterMs);
  if (quickest === undefined) return 'The chat recovered from none within the trial.';
  const slowest = others.at(-1) ?? quickest;
  return `Everybody received everything again within ${formatMs(quickest.afterMs)} after the quickest failure (${quickest.name}), and within ${formatMs(slowest.afterMs)} after the slowest (${slowest.name}).`;
}

function aboutVariant({ name, summary, error }: FaultRun['record']['variants'][number]): string {
  return error === null ? `${name}: ${summary}.` : `${name} could not be tried: ${error}`;
}

function faultTable({ trials, record }: FaultRun): Table {
  const failures = record.variants.map(({ name }) => ({
    name,
    trials: trials.filter(({ variant }) => variant === name),
  }));
  const isLess = <Item>(column: Column<Item>) => (record.resumes ? detail(column) : column);
  return tableOf(failures, [
    left('failure', ({ name }) => name),
    isLess(right('trials', ({ trials }) => String(trials.length))),
    right('lost silently', ({ trials }) => sum(trials, 'lostSilently')),
    isLess(right('lost and told', ({ trials }) => sum(trials, 'lostAndTold'))),
    right(
      'duplicated, reordered',
      ({ trials }) => `${sum(trials, 'duplicated')}, ${sum(trials, 'reordered')}`,
    ),
    ...(record.resumes ? resumeColumns : []),
    right('detected after', ({ trials }) => longest(trials, 'detectionMsMax')),
    right('recovered after', ({ trials }) => recoveryText(trials)),
    right('stayed connected', ({ trials }) => `${sum(trials, 'held')} of ${sum(trials, 'participants')}`),
    detail(right('published', ({ trials }) => sum(trials, 'published'))),
    detail(right('undelivered and told', ({ trials }) => sum(trials, 'undelivered'))),
    detail(right('fault lasted', ({ trials }) => longest(trials, 'faultMs'))),
    detail(right('unready after', ({ trials }) => longest(trials, 'unreadyAfterMs'))),
    detail(right('ready while broken', ({ trials }) => longest(trials, 'readyWhileBrokenMsMax'))),
    detail(left('closed', ({ trials }) => closesText(trials))),
  ]);
}

/** Of a run whose participants come back with their position. */
const resumeColumns = [
  right<{ trials: readonly FaultTrial[] }>('order differs', ({ trials }) =>
    formatCount(total(trials, ({ disordered }) => disordered)),
  ),
  right<{ trials: readonly FaultTrial[] }>('resumed, of returns', ({ trials }) => {
    const recovered = total(trials, (trial) => trial.recovered);
    return `${formatCount(recovered)} of ${formatCount(recovered + total(trials, (trial) => trial.unrecovered))}`;
  }),
];

function total(trials: readonly FaultTrial[], of: (trial: FaultTrial) => number | undefined): number {
  return trials.reduce((sum, trial) => sum + (of(trial) ?? 0), 0);
}

function trialTable(trials: readonly FaultTrial[]): Table {
  return tableOf(trials, [
    right('#', ({ number }) => String(number)),
    left('failure', ({ variant }) => variant),
    left('outcome', ({ outcome }) => outcome),
    right('published', (trial) => sum([trial], 'published')),
    right('lost silently', (trial) => sum([trial], 'lostSilently')),
    right('detected after', (trial) => longest([trial], 'detectionMsMax')),
    right('recovered after', (trial) => longest([trial], 'recoveredAfterMs')),
    left('remark', ({ reasons }) => reasons.join('; ')),
  ]);
}

type FieldOf<Value> = {
  [Field in keyof FaultTrial]-?: FaultTrial[Field] extends Value ? Field : never;
}[keyof FaultTrial];

function sum(trials: readonly FaultTrial[], field: FieldOf<number>): string {
  return formatCount(trials.reduce((total, trial) => total + trial[field], 0));
}

function longest(trials: readonly FaultTrial[], field: FieldOf<number | null>): string {
  const values = trials.map((trial) => trial[field]).filter((value) => value !== null);
  return values.length === 0 ? 'never' : formatMs(Math.max(...values));
}

function closesText(trials: readonly FaultTrial[]): string {
  const closes = new Map<string, number>();
  for (const [code, times] of trials.flatMap((trial) => Object.entries(trial.closes)))
    closes.set(code, (closes.get(code) ?? 0) + times);
  return [...closes].map(([code, times]) => `${times} × ${code}`).join(', ');
}

function recoveryText(trials: readonly FaultTrial[]): string {
  const values = trials.map(({ recoveredAfterMs }) => recoveredAfterMs).filter((value) => value !== null);
  if (values.length < trials.length) return `not within the trial in ${trials.length - values.length}`;
  if (values.length === 0) return '–';
  const text = formatMs(medianOf(values));
  return values.length === 1 ? text : `${text} (${formatMs(Math.max(...values))})`;
}
