/** The report of runs in which nodes came and went: answer and table. Pure. */
import { type FixedFinding, fixedFindings } from '../../analysis/finding.ts';
import { type ResizeFinding, resizeOf } from '../../analysis/resize.ts';
import type { LoadRun } from '../../records/schema.ts';
import { effortCell } from '../../report/claims.ts';
import { formatCount, formatMs, formatNumber } from '../../report/format.ts';
import { detail, left, right, type Table, tableOf } from '../../report/table.ts';

type Found = ResizeFinding & { finding: FixedFinding };

/** Two sentences for each variant and load: what was moved and missed, and what was felt. */
export function resizeAnswer(run: LoadRun): string[] {
  const { unit } = run.record.varied;
  const found = fixedFindings(run).flatMap((finding) => foundOf(finding) ?? []);
  if (found.length === 0) return ['No trial saw nodes come and go.'];
  return found.map((one) => {
    const { load, result, variant } = one.finding;
    const { lost, duplicated, reordered } = result!.audit;
    const { missed = 0 } = result!.resume ?? {};
    const faults = `${formatCount(missed + lost)} deliveries were missed, ${formatCount(duplicated)} repeated, ${formatCount(reordered)} out of order`;
    return [
      `${variant.name}: while 1 node became ${one.nodesMax} and 1 again, ${formatNumber(load)} ${unit} were moved ${formatCount(one.moved)} times: ${faults}.`,
      `At most ${formatNumber(one.joinsPerSecondMax)} came back per second, and the p99 of the worst second was ${msText(one.p99Ms.growing)} while nodes came and ${msText(one.p99Ms.shrinking)} while they left (${msText(one.p99Ms.before)} before).`,
    ].join(' ');
  });
}

/** One row for each variant and load. */
export function resizeTable(run: LoadRun): Table {
  const of = (cell: (found: Found) => string) => (finding: FixedFinding) => {
    const found = foundOf(finding);
    return found && cell(found);
  };
  return tableOf(fixedFindings(run), [
    left('variant', ({ variant }) => variant.name),
    right(run.record.varied.unit, ({ load }) => formatNumber(load)),
    detail(left('outcome', ({ typical }) => typical?.outcome)),
    detail(right('trials (void)', ({ trials }) => effortCell(trials))),
    right(
      'moved',
      of(({ moved }) => formatCount(moved)),
    ),
    right(
      'came back per second, at most',
      of(({ joinsPerSecondMax }) => formatNumber(joinsPerSecondMax)),
    ),
    detail(
      right(
        'p99 before',
        of(({ p99Ms }) => msText(p99Ms.before)),
      ),
    ),
    right(
      'worst second: nodes come',
      of(({ p99Ms }) => msText(p99Ms.growing)),
    ),
    right(
      'nodes leave',
      of(({ p99Ms }) => msText(p99Ms.shrinking)),
    ),
    right('missed', ({ result }) => result && formatCount((result.resume?.missed ?? 0) + result.audit.lost)),
    right(
      'repeated, out of order',
      ({ result }) =>
        result && `${formatCount(result.audit.duplicated)}, ${formatCount(result.audit.reordered)}`,
    ),
    detail(
      right(
        'in the new seats after',
        of(({ spreadAfterSeconds }) => secondsText(spreadAfterSeconds)),
      ),
    ),
    detail(
      right(
        'all gone after',
        of(({ shrunkAfterSeconds }) => secondsText(shrunkAfterSeconds)),
      ),
    ),
    detail(
      right(
        'closed otherwise',
        of(({ closedOtherwise }) => formatCount(closedOtherwise)),
      ),
    ),
    detail(
      right('p99 until caught up', ({ result }) => result?.resume && formatMs(result.resume.caughtUpMs.p99)),
    ),
    detail(right('p99 sent late', ({ result }) => result && formatMs(result.scheduleLagMs.p99))),
    detail(right('CPU cores', ({ server }) => server?.cpuCores.toFixed(2))),
  ]);
}

function foundOf(finding: FixedFinding): Found | null {
  const { typical } = finding;
  const found = typical && resizeOf(typical);
  return found ? { ...found, finding } : null;
}

function msText(ms: number | null): string {
  return ms === null ? '–' : formatMs(ms);
}

function secondsText(seconds: number | null): string {
  return seconds === null ? '–' : formatMs(seconds * 1000);
}
