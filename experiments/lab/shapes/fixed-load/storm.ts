/** The report of reconnect storms: answer and table of a run whose users leave and come back. Pure. */
import { outstandingMs } from '../../../../loadtest/record/histogram.ts';
import type { ResumeResult, StormResult } from '../../../../loadtest/result/resume-result.ts';
import { type FixedFinding, fixedFindings } from '../../analysis/finding.ts';
import type { LoadRun } from '../../records/schema.ts';
import { effortCell } from '../../report/claims.ts';
import { formatCount, formatMs, formatNumber } from '../../report/format.ts';
import { detail, left, right, type Table, tableOf } from '../../report/table.ts';

/** A storm that a trial has measured: it came to the moment, and somebody left. */
type Storm = { resume: ResumeResult; storm: StormResult };

/** One sentence for each variant: at each load, the time until 99 % had caught up, and what others paid. */
export function stormAnswer(run: LoadRun): string[] {
  const findings = fixedFindings(run);
  const { unit } = run.record.varied;
  return run.record.variants.map(({ name }) => {
    const seen = findings.flatMap((finding) => {
      const found = stormOf(finding);
      return found === null || finding.variant.name !== name ? [] : [{ load: finding.load, ...found }];
    });
    if (seen.length === 0) return `${name}: no storm was measured.`;
    const times = seen.map(
      ({ load, storm }) => `${timeText(storm.caughtUp99AfterMs)} of ${formatNumber(load)}`,
    );
    const worst = seen.at(-1)!;
    return `${name}: 99 % had caught up after ${times.join(', ')} ${unit}${othersText(worst)}.`;
  });
}

/** Of the highest load: the deliveries of those who stayed, the refusals, and what was missed. */
function othersText({ load, resume, storm }: Storm & { load: number }): string {
  const refused = refusedOf(resume);
  const parts = [
    ...(storm.stayedLatencyMs.count > 0
      ? [`the p99 of those who stayed was ${timeText(storm.stayedLatencyMs.p99)}`]
      : []),
    ...(refused > 0 ? [`${formatCount(refused)} attempts were refused`] : []),
    ...(resume.missed > 0 ? [`${formatCount(resume.missed)} deliveries were missed`] : []),
  ];
  return parts.length === 0 ? '' : `; with ${formatNumber(load)}, ${parts.join(', ')}`;
}

/** One row for each variant and load. */
export function stormTable(run: LoadRun): Table {
  const of = (cell: (found: Storm) => string) => (finding: FixedFinding) => {
    const found = stormOf(finding);
    return found && cell(found);
  };
  return tableOf(fixedFindings(run), [
    left('variant', ({ variant }) => variant.name),
    right(run.record.varied.unit, ({ load }) => formatNumber(load)),
    left('outcome', ({ typical }) => typical?.outcome),
    detail(right('trials (void)', ({ trials }) => effortCell(trials))),
    right(
      '99 % caught up',
      of(({ storm }) => timeText(storm.caughtUp99AfterMs)),
    ),
    right(
      'all caught up',
      of(({ storm }) => timeText(storm.caughtUpMs.max)),
    ),
    right(
      'p99 of who stayed',
      of(({ storm }) => stayedText(storm)),
    ),
    detail(
      right(
        'handshakes/s',
        of(({ storm }) => formatNumber(storm.handshakesPerSecond)),
      ),
    ),
    right(
      'refused',
      of(({ resume }) => formatCount(refusedOf(resume))),
    ),
    right(
      'missed',
      of(({ resume }) => formatCount(resume.missed)),
    ),
    detail(
      right(
        'left',
        of(({ storm }) => formatCount(storm.left)),
      ),
    ),
    detail(
      right(
        '99 % connected',
        of(({ storm }) => timeText(storm.connectedMs.p99)),
      ),
    ),
    detail(
      right(
        'came late',
        of(({ resume }) => formatCount(resume.lateDeliveries)),
      ),
    ),
    detail(
      left(
        'refusals',
        of(({ resume }) => refusalsText(resume)),
      ),
    ),
    detail(right('p99 sent late', ({ result }) => result && formatMs(result.scheduleLagMs.p99))),
    detail(right('lost', ({ result }) => result && formatCount(result.audit.lost))),
    detail(right('CPU cores', ({ server }) => server?.cpuCores.toFixed(2))),
  ]);
}

function stormOf({ result }: FixedFinding): Storm | null {
  const resume = result?.resume;
  return resume?.storm === undefined || resume.storm.left === 0 ? null : { resume, storm: resume.storm };
}

function stayedText({ stayedLatencyMs }: StormResult): string {
  return stayedLatencyMs.count === 0 ? '–' : timeText(stayedLatencyMs.p99);
}

function refusedOf({ refused }: ResumeResult): number {
  return Object.values(refused).reduce((total, count) => total + count, 0);
}

function refusalsText({ refused }: ResumeResult): string {
  return Object.entries(refused)
    .map(([why, count]) => `${formatCount(count)} × ${why}`)
    .join(', ');
}

/** Who was not so far when the trial ended is infinitely late. */
function timeText(ms: number): string {
  return ms >= outstandingMs ? 'never' : formatMs(ms);
}
