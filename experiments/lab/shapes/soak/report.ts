/** The report of long trials. Pure. */
import { type Comparison, compareSpread } from '../../analysis/compare.ts';
import {
  type Growth,
  negligibleShare,
  type SoakFinding,
  settlingShare,
  soakFindings,
} from '../../analysis/soak.ts';
import { medianOf } from '../../analysis/statistics.ts';
import type { LoadEstimate, LoadRun, TrialRecord } from '../../records/schema.ts';
import type { SoakMethod, TipBeginning } from '../../records/soak-schema.ts';
import { formatBytes, formatCores, formatMs, formatNumber, formatShare } from '../../report/format.ts';
import { codeCaveats, interruptionNote } from '../../report/notes.ts';
import { detail, left, type ReportContent, right, type Table, tableOf } from '../../report/table.ts';
import { environmentRows, trialsTable } from '../../report/trials.ts';

/** One row for each long trial. */
export function reportSoak(run: LoadRun): ReportContent {
  const { minutes } = run.record.method as SoakMethod;
  const [first, ...others] = soakAnswer(run);
  return {
    answer: [[...interruptionNote(run), first].join(' '), ...others],
    summary: soakTable(run),
    method: [
      `Each long trial: ${formatNumber(minutes)} minutes at one load, on connections that stay, while others come and go. Limits: ${run.record.limits.join(', ')}.`,
      `Slopes are Theil and Sen’s medians over windows of half a minute or less, without the first ${formatShare(settlingShare)} of the time, in which a heap grows to its usual size. Their 90 % intervals follow from Kendall’s S, widened for windows that depend on the one before.`,
      `A figure grows where its interval of 98 % lies above 0 and it gains more than ${formatShare(negligibleShare)} in an hour. The heap of a window is its lowest reading, the memory (RSS) and the descriptors the median, the p50 the median of its seconds, the p99 the highest of its seconds.`,
      'A tip begins with a second whose p99 is above the limit, and ends before three seconds in a row that hold it. The interval of their rate is that of a Poisson count.',
    ],
    environment: environmentRows(run),
    caveats: [
      ...codeCaveats(run),
      'Loopback: no network latency, no packet loss. What needs hours to show does not show in minutes.',
      ...run.record.notes,
    ],
    trials: trialsTable(run),
  };
}

/** The p99 and the memory of the long trials that both runs have, by variant and share. One value each. */
export function compareSoaks(runA: LoadRun, runB: LoadRun): Comparison[] {
  const findingsB = soakFindings(runB);
  return soakFindings(runA).flatMap((a) => {
    const b = findingsB.find((one) => titleOf(one) === titleOf(a));
    if (b === undefined) return [];
    const row = (
      metric: string,
      unit: Comparison['unit'],
      figureOf: (trial: TrialRecord) => number | undefined,
    ) => {
      const label = { variant: titleOf(a), metric, unit };
      return { ...compareSpread(label, 'lower', [a.trial], [b.trial], figureOf), decides: false };
    };
    return [
      row('p99 delivery latency', 'ms', ({ loadtest }) => loadtest?.deliveryLatencyMs.p99),
      row('memory of the server', 'magnitude', ({ server }) => server?.rssMaxBytes),
    ];
  });
}

/** A variant at its share of the capacity, or at its load where that was given. */
function titleOf({ variant, trial: { share, load } }: Pick<SoakFinding, 'variant' | 'trial'>): string {
  return `${variant.name}, ${share === undefined ? formatNumber(load) : formatShare(share)}`;
}

function soakAnswer(run: LoadRun): string[] {
  const findings = soakFindings(run);
  if (findings.length === 0) return ['No long trial gave a result.'];
  const without = run.record.variants.filter(({ name }) =>
    findings.every(({ variant }) => variant.name !== name),
  );
  return [
    ...findings.map(sentenceOf),
    ...findings.flatMap(beginningsText),
    ...without.map(({ name, error }) => `${name} has no long trial: ${error ?? 'no load held the limits'}.`),
  ];
}

function sentenceOf(finding: SoakFinding): string {
  const { growths, soak, trial } = finding;
  const minutes = formatNumber((soak.atSeconds.length * soak.windowSeconds) / 60);
  const reasons = trial.reasons.join('; ');
  if (trial.outcome === 'void')
    return `${titleOf(finding)}: void, so that nothing can be said of the server: ${reasons}.`;
  const growing = Object.values(growths).flatMap((growth) => {
    return growth?.verdict === 'grows'
      ? `${names[growth.figure]} grows by ${growthText(growth)} an hour`
      : [];
  });
  const parts = [...tipsParts(finding, minutes), ...growing];
  const verdict = parts.length === 0 ? `is flat over ${minutes} minutes, without a tip` : parts.join('; ');
  const broken = trial.outcome === 'pass' ? '' : ` The trial failed: ${reasons}.`;
  return `${titleOf(finding)}: ${verdict}.${broken}`;
}

function tipsParts({ soak: { tipCount, tips }, tipsPerHour }: SoakFinding, minutes: string): string[] {
  if (tipCount === 0) return [];
  const longest = Math.max(...tips.map(({ seconds }) => seconds ?? Number.POSITIVE_INFINITY));
  const end = Number.isFinite(longest)
    ? `the longest for ${formatNumber(longest)} s`
    : 'the last without an end';
  return [
    `tips ${perHourText(tipsPerHour, formatNumber)} times an hour: ${tipCount} in ${minutes} minutes, ${end}`,
  ];
}

/** What tips have in common when they begin, against the whole trial. */
function beginningsText(finding: SoakFinding): string[] {
  const parts = [
    ...part(finding, 'gcShare', formatShare, 'of the time of the event loop went into garbage collection'),
    ...part(finding, 'besideServerCpuCores', formatCores, 'were used by others on its CPUs'),
  ];
  if (parts.length === 0) return [];
  return [`When the tips of ${titleOf(finding)} began, ${parts.join(', and ')}.`];
}

function part(
  { soak, trial }: SoakFinding,
  figure: keyof TipBeginning,
  format: (value: number) => string,
  words: string,
): string[] {
  const values = soak.tips.flatMap(({ began }) => began?.[figure] ?? []);
  const usual = trial.server?.[figure] ?? null;
  if (values.length === 0 || usual === null) return [];
  return [`${format(medianOf(values))} ${words} (median; ${format(usual)} over the whole trial)`];
}

const names: Record<Growth['figure'], string> = {
  heapBytes: 'the heap',
  rssBytes: 'the memory',
  openFiles: 'the number of descriptors',
  latencyMsP50: 'the p50',
  latencyMsP99: 'the p99',
};
const formats: Record<Growth['figure'], (value: number) => string> = {
  heapBytes: signed(formatBytes),
  rssBytes: signed(formatBytes),
  openFiles: signed(formatNumber),
  latencyMsP50: signed(formatMs),
  latencyMsP99: signed(formatMs),
};

function soakTable(run: LoadRun): Table {
  const perHour =
    (figure: Growth['figure']) =>
    ({ growths }: SoakFinding) =>
      growthText(growths[figure]);
  return tableOf(soakFindings(run), [
    left('variant', ({ variant }) => variant.name),
    right('share', ({ trial: { share } }) => (share === undefined ? null : formatShare(share))),
    right(run.record.varied.unit, ({ trial }) => formatNumber(trial.load)),
    detail(left('outcome', ({ trial }) => trial.outcome)),
    right('p99', ({ trial: { loadtest } }) => loadtest && formatMs(loadtest.deliveryLatencyMs.p99)),
    right('heap/h', perHour('heapBytes')),
    right('memory/h', perHour('rssBytes')),
    detail(right('descriptors/h', perHour('openFiles'))),
    detail(right('p50/h', perHour('latencyMsP50'))),
    detail(right('p99/h', perHour('latencyMsP99'))),
    right('tips/h', ({ tipsPerHour }) => perHourText(tipsPerHour, formatNumber)),
    left('verdict', ({ verdict }) => verdict),
  ]);
}

function growthText(growth: Growth | null): string | null {
  return growth && perHourText(growth.perHour, formats[growth.figure]);
}

function perHourText({ low, middle, high }: LoadEstimate, format: (value: number) => string): string {
  return `${format(middle)} (${format(low)} to ${format(high)})`;
}

/** With its sign; `0 ms` is no minus. */
function signed(format: (value: number) => string): (value: number) => string {
  return (value) => `${value < 0 ? '−' : ''}${format(Math.abs(value))}`;
}
