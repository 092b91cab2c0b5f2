/** The report of a run of scenarios: a table scenario × stage. Pure. */
import { formatCount, formatMs, roundFigures } from '../../report/format.ts';
import { codeCaveats, interruptionNote } from '../../report/notes.ts';
import { detail, left, type ReportContent, right, type Table, tableOf } from '../../report/table.ts';
import { factRows, machineRows } from '../../report/trials.ts';
import type { ScenarioRun, ScenarioTrial } from './record.ts';

export function reportScenarios(run: ScenarioRun): ReportContent {
  const { workload, margins, url, target } = run.record;
  const mebibytes = Math.round(margins.memoryBytes / 2 ** 20);
  return {
    answer: [
      [...interruptionNote(run), answerOf(run)].join(' '),
      ...neighboursAnswer(run),
      ...run.record.variants.flatMap(({ name, error }) =>
        error === null ? [] : `${name} could not be tried: ${error}`,
      ),
      ...run.trials.flatMap(({ variant, scenario, outcome, reasons }) =>
        outcome === 'pass'
          ? []
          : `${scenario} (${variant}), ${outcome}: ${roundFigures(reasons.join('; '))}.`,
      ),
    ],
    summary: scenarioTable(run),
    method: [
      `Neighbours: ${workload.clients} users of the simulator in one room, ${workload.ratePerSecond} messages per second together, every delivery audited, in short steps for as long as the offence lasts. Nothing may be lost, duplicated, reordered, misrouted or corrupted, none of their connections may end, and their p99 has a bound (${boundsOf(run)}).`,
      'Offenders are bare sockets of the lab. Each must get one of the answers in the table: a close code, an HTTP status, a cut connection, or nothing where it broke no rule.',
      ...(url === null
        ? []
        : ['Of a server that is not the lab’s only the answers of RFC 6455 and RFC 9112 are demanded.']),
      `After each scenario the offenders are gone. Newcomers must exchange a message within a second, and within 10 s the server must be back at its sessions, at most ${margins.descriptors} descriptors and ${mebibytes} MiB of resident memory above its baseline after warm-up. One server serves all scenarios of clients, until one fails: leaks add up.`,
      'Failures of parts have a deployment each, and clients of the lab as neighbours, which connect again as they are told. Lost is what was not delivered to somebody whose connection held. The time is from the end of the failure until all are connected and receive everything within a second; a final failure leaves nobody to recover, and all must be told.',
      url === null && target === 'container'
        ? 'The servers run in containers of the stated CPU and memory.'
        : 'No limit of CPU or memory was in force.',
    ],
    environment: [...machineRows(run), ...factRows(run)],
    caveats: [
      'Offenders, neighbours and servers share one machine and its loopback network.',
      'Timeouts of the server are shorter than by default (a handshake, a message: 1.5 s; pings every 3 s), and less may wait for one reader.',
      ...codeCaveats(run),
      ...run.record.notes,
    ],
    trials: trialTable(run.trials),
  };
}

function answerOf({ trials, record }: ScenarioRun): string {
  if (trials.length === 0) return 'No scenario was tried.';
  const names = new Set(trials.map(({ scenario }) => scenario));
  const passed = trials.filter(({ outcome }) => outcome === 'pass').length;
  const where =
    record.variants.length === 1 ? `on ${record.variants[0]!.name}` : `on ${record.variants.length} stages`;
  const all = passed === trials.length;
  return `${names.size} scenarios ${where}: ${all ? `all ${passed} hold` : `${passed} of ${trials.length} hold`}.`;
}

/** What healthy clients lost and felt, in one sentence; none without a trial. */
function neighboursAnswer({ trials }: ScenarioRun): string[] {
  if (trials.length === 0) return [];
  const lost = trials.reduce((sum, { neighbours }) => sum + neighbours.lost, 0);
  const felt = trials.flatMap(({ neighbours: { p99Ms }, scenario, variant }) =>
    p99Ms === null ? [] : { p99Ms, where: `${scenario} (${variant})` },
  );
  const [worst] = felt.toSorted((a, b) => b.p99Ms - a.p99Ms);
  const p99 =
    worst === undefined ? '' : `; the highest p99 was ${formatMs(worst.p99Ms)}, beside ${worst.where}`;
  return [
    `Their healthy neighbours lost ${lost === 0 ? 'nothing' : `${formatCount(lost)} deliveries`}${p99}.`,
  ];
}

function boundsOf({ trials }: ScenarioRun): string {
  const bounds = new Set(trials.flatMap(({ neighbours }) => neighbours.p99MsMax ?? []));
  return (
    [...bounds]
      .toSorted((a, b) => a - b)
      .map(formatMs)
      .join(', ') || 'none'
  );
}

/** A row for each scenario, a column for each stage. */
function scenarioTable({ trials, record }: ScenarioRun): Table {
  const rows = [...Map.groupBy(trials, ({ scenario }) => scenario)];
  return tableOf(rows, [
    left('scenario', ([name]) => name),
    ...(record.url === null
      ? []
      : [left<(typeof rows)[number]>('got', ([, all]) => all.map(gotOf).join('; ') || null)]),
    ...record.variants.map(({ name }) =>
      left<(typeof rows)[number]>(name, ([, all]) => cellOf(all.filter(({ variant }) => variant === name))),
    ),
    // The same in every run: what was done, and what is the right answer to it.
    detail(
      right('offenders', ([, [first]]) => (first!.offenders === 0 ? null : formatCount(first!.offenders))),
    ),
    detail(left('get', ([, [first]]) => first!.gets.join(', ') || null)),
  ]);
}

function gotOf({ got }: ScenarioTrial): string {
  const counts = Object.entries(got).map(([answer, count]) => `${count} × ${answer}`);
  return counts.join(', ');
}

const verdictOf = { pass: 'holds', fail: 'FAILS', void: 'void', interrupted: 'interrupted' } as const;

/** The figures of the worst repetition. */
function cellOf(trials: readonly ScenarioTrial[]): string | null {
  if (trials.length === 0) return null;
  const failed = trials.filter(({ outcome }) => outcome !== 'pass');
  if (failed.length > 0)
    return trials.length === 1 ? verdictOf[failed[0]!.outcome] : `${failed.length} of ${trials.length} fail`;
  const figures = [
    worst(
      trials,
      ({ neighbours }) => neighbours.p99Ms,
      (value) => `p99 ${formatMs(value)}`,
    ),
    worst(
      trials,
      ({ kept }) => kept?.memoryBytes,
      (bytes) => `${signed(Math.round(bytes / 2 ** 20))} MiB`,
    ),
    trials[0]!.kept === null
      ? worst(
          trials,
          ({ crossedAfterMs }) => crossedAfterMs,
          (value) => `back in ${formatMs(value)}`,
        )
      : null,
  ];
  return figures.filter((figure) => figure !== null).join(', ') || 'holds';
}

function worst(
  trials: readonly ScenarioTrial[],
  figureOf: (trial: ScenarioTrial) => number | null | undefined,
  write: (value: number) => string,
): string | null {
  const figures = trials.map(figureOf).filter((figure) => figure != null);
  return figures.length === 0 ? null : write(Math.max(...figures));
}

const signed = (value: number) => (value < 0 ? `−${-value}` : `+${value}`);

function trialTable(trials: readonly ScenarioTrial[]): Table {
  return tableOf(trials, [
    right('#', ({ number }) => String(number)),
    left('stage', ({ variant }) => variant),
    left('scenario', ({ scenario }) => scenario),
    left('outcome', ({ outcome }) => outcome),
    left('got', (trial) => gotOf(trial) || null),
    detail(right('sent', ({ neighbours }) => formatCount(neighbours.sent))),
    right('lost', ({ neighbours }) => formatCount(neighbours.lost)),
    detail(
      right('duplicated, reordered', ({ neighbours }) => `${neighbours.duplicated}, ${neighbours.reordered}`),
    ),
    detail(right('closed', ({ neighbours }) => formatCount(neighbours.closed))),
    right('p99', ({ neighbours }) => (neighbours.p99Ms === null ? null : formatMs(neighbours.p99Ms))),
    detail(
      right('crossed after', ({ crossedAfterMs }) =>
        crossedAfterMs === null ? null : formatMs(crossedAfterMs),
      ),
    ),
    detail(right('sessions', ({ kept }) => (kept?.sessions == null ? null : signed(kept.sessions)))),
    detail(right('descriptors', ({ kept }) => (kept?.descriptors == null ? null : signed(kept.descriptors)))),
    detail(
      right('memory', ({ kept }) =>
        kept?.memoryBytes == null ? null : `${signed(Math.round(kept.memoryBytes / 2 ** 20))} MiB`,
      ),
    ),
    detail(
      right('memory, most', ({ memoryBytesMax }) =>
        memoryBytesMax === null ? null : `${Math.round(memoryBytesMax / 2 ** 20)} MiB`,
      ),
    ),
    detail(right('s', ({ seconds }) => String(seconds))),
    left('remark', ({ reasons }) => roundFigures(reasons.join('; '))),
  ]);
}
