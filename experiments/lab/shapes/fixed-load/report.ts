/** The report of a run at fixed loads. Pure. */
import { type FixedFinding, fixedFindings } from '../../analysis/finding.ts';
import type { FixedMethod, LoadRun } from '../../records/schema.ts';
import { effortCell } from '../../report/claims.ts';
import { formatBytes, formatCount, formatMs, formatNumber, formatShare } from '../../report/format.ts';
import { answerWithNotes, caveatsOf, phasesNote } from '../../report/notes.ts';
import { detail, left, type ReportContent, right, type Table, tableOf } from '../../report/table.ts';
import { environmentRows, trialsTable } from '../../report/trials.ts';
import { resizeAnswer, resizeTable } from './resize.ts';
import { stormAnswer, stormTable } from './storm.ts';

/** One row for each variant and load. */
export function reportFixedLoads(run: LoadRun): ReportContent {
  const { repetitions } = run.record.method as FixedMethod;
  const tried =
    repetitions === 1
      ? 'once, so the spread is unknown'
      : `${repetitions} times; the table shows the trial with the median p99`;
  return {
    answer: answerWithNotes(run, fixedAnswer(run)),
    summary: tableFor(run),
    method: [phasesNote(run), `Each load was tried ${tried}.`],
    environment: environmentRows(run),
    caveats: caveatsOf(run),
    trials: trialsTable(run),
  };
}

/** The cost of the highest load, or the loads that each variant held: as the experiment asks. */
function fixedAnswer(run: LoadRun): string[] {
  const findings = fixedFindings(run).filter(({ result }) => result !== null);
  if (findings.length === 0) return ['No trial gave a result.'];
  const { emphasis } = run.record.method as FixedMethod;
  if (emphasis === 'storm') return stormAnswer(run);
  if (emphasis === 'resize') return resizeAnswer(run);
  if (emphasis === 'cost') return costAnswer(run, findings);
  const { unit } = run.record.varied;
  const sentences = run.record.variants.map(({ name }) => {
    const ofVariant = findings.filter(({ variant }) => variant.name === name);
    return heldSentence(name, ofVariant, unit);
  });
  return sentences.length <= 2 ? sentences : [...highestLoad(findings, unit), ...sentences];
}

function tableFor(run: LoadRun): Table {
  const { emphasis } = run.record.method as FixedMethod;
  if (emphasis === 'storm') return stormTable(run);
  return emphasis === 'resize' ? resizeTable(run) : fixedTable(run);
}

/** The variants that held the highest load, and those that did not. */
function highestLoad(findings: readonly FixedFinding[], unit: string): string[] {
  const highest = Math.max(...findings.map(({ load }) => load));
  const judged = findings.filter(({ load, trials }) => load === highest && judgedOutcomes(trials).length > 0);
  const names = (wanted: boolean) =>
    judged
      .filter(({ trials }) => isHeld(trials) === wanted)
      .map(({ variant, result }) => `${variant.name} (p99 ${formatMs(result!.deliveryLatencyMs.p99)})`)
      .join(', ');
  const load = `${formatNumber(highest)} ${unit}`;
  const broken = names(false);
  return [
    `${load} were held by ${names(true) || 'no variant'}.`,
    broken === '' ? 'No variant broke a limit there.' : `They were not held by ${broken}.`,
  ];
}

function judgedOutcomes(trials: FixedFinding['trials']): string[] {
  return trials.map(({ outcome }) => outcome).filter((outcome) => outcome === 'pass' || outcome === 'fail');
}

function isHeld(trials: FixedFinding['trials']): boolean {
  return judgedOutcomes(trials).every((outcome) => outcome === 'pass');
}

/** A load is held when all its trials passed; void trials do not count. */
function heldSentence(name: string, findings: readonly FixedFinding[], unit: string): string {
  const judged = findings.flatMap(({ load, trials, result }) => {
    if (judgedOutcomes(trials).length === 0) return [];
    const { deliveryLatencyMs, audit } = result!;
    const lost = audit.lost > 0 ? `, ${formatShare(audit.lost / audit.expected)} lost` : '';
    const text = `${formatNumber(load)} (p99 ${formatMs(deliveryLatencyMs.p99)}${lost})`;
    return [{ text, held: isHeld(trials) }];
  });
  if (judged.length === 0) return `${name}: every trial was void.`;
  const list = (wanted: boolean) =>
    judged.flatMap(({ text, held }) => (held === wanted ? text : [])).join(', ');
  const [held, broken] = [list(true), list(false)];
  const parts = [held && `held the limits at ${held}`, broken && `broke them at ${broken}`];
  return `${name} ${parts.filter(Boolean).join(' and ')} ${unit}.`;
}

/** At the highest load, where variants differ most; the table has the others. */
function costAnswer(run: LoadRun, findings: readonly FixedFinding[]): string[] {
  const highest = Math.max(...findings.map(({ load }) => load));
  const atHighest = findings.filter(({ load }) => load === highest);
  const each = (figure: (finding: FixedFinding) => string) =>
    atHighest.map((finding) => `${figure(finding)} (${finding.variant.name})`).join(', ');
  return [
    `With ${formatNumber(highest)} ${run.record.varied.unit} the server’s memory grew by ${each(({ rssGrownBytes }) => formatBytes(rssGrownBytes ?? Number.NaN))}.`,
    `The p99 of the deliveries to other clients was ${each(({ result }) => formatMs(result!.deliveryLatencyMs.p99))}.`,
    ...atHighest.flatMap(({ variant, server, result }) => {
      const evictions = server?.evictions ?? 0;
      const { lost } = result!.audit;
      return [
        ...(evictions > 0 ? [`${variant.name} evicted ${formatCount(evictions)} sessions.`] : []),
        ...(lost > 0 ? [`${variant.name} lost ${formatCount(lost)} deliveries to clients that read.`] : []),
      ];
    }),
  ];
}

function fixedTable(run: LoadRun): Table {
  return tableOf(fixedFindings(run), [
    left('variant', ({ variant }) => variant.name),
    right(run.record.varied.unit, ({ load }) => formatNumber(load)),
    left('outcome', ({ typical }) => typical?.outcome),
    right('trials (void)', ({ trials }) => effortCell(trials)),
    right('p99', ({ result }) => result && formatMs(result.deliveryLatencyMs.p99)),
    right('lost', ({ result }) => result && formatCount(result.audit.lost)),
    right('memory grown', ({ rssGrownBytes }) =>
      rssGrownBytes === null ? null : formatBytes(rssGrownBytes),
    ),
    right('evicted', ({ server }) => server && formatCount(server.evictions)),
    detail(right(`at ${run.record.varied.unit}`, ({ load }) => formatNumber(load))),
    detail(right('p50', ({ result }) => result && formatMs(result.deliveryLatencyMs.p50))),
    detail(right('CPU cores', ({ server }) => server?.cpuCores.toFixed(2))),
    detail(right('memory before', ({ server }) => server && formatBytes(server.rssIdleBytes))),
    detail(right('memory max', ({ server }) => server && formatBytes(server.rssMaxBytes))),
  ]);
}
