/** Puts generated tables where people read them: REPORT.md of each experiment, and the finding at the top of the README. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { capacityFindings } from '../analysis/finding.ts';
import { readKept } from '../records/archive.ts';
import type { Run } from '../records/schema.ts';
import type { Experiment } from '../shapes/experiment.ts';
import { formatMagnitude, formatMs } from './format.ts';
import { markdownReport, replaceBetweenMarkers } from './markdown.ts';
import { capacityText } from './summary.ts';
import { markdownTable } from './table.ts';

/** Name of the markers in a REPORT.md: `<!-- tables:begin -->` and `<!-- tables:end -->`. */
const reportMarker = 'tables';
/** Name of the markers in the README. */
const findingMarker = 'finding';

/** Refreshes an experiment's REPORT.md from its kept runs, newest first; returns the path, or null where none is kept. */
export function refreshReport(experiment: Experiment, experimentDirectory: string): string | null {
  const runs = readKept(experimentDirectory);
  if (runs.length === 0) return null;
  const path = join(experimentDirectory, 'REPORT.md');
  const skeleton = `# ${experiment.name}\n\n${experiment.question}\n\n<!-- ${reportMarker}:begin -->\n<!-- ${reportMarker}:end -->\n`;
  const text = existsSync(path) ? readFileSync(path, 'utf8') : skeleton;
  const refreshed = replaceBetweenMarkers(text, reportMarker, runs.map(markdownReport).join('\n\n'));
  if (refreshed === null)
    throw new Error(`${path} has no markers <!-- ${reportMarker}:begin --> and <!-- ${reportMarker}:end -->`);
  writeFileSync(path, refreshed);
  return path;
}

/** Refreshes the finding in the README; returns false where it has no markers for it. */
export function refreshFinding(run: Run, readmePath: string): boolean {
  if (!existsSync(readmePath)) return false;
  const refreshed = replaceBetweenMarkers(readFileSync(readmePath, 'utf8'), findingMarker, findingTable(run));
  if (refreshed === null) return false;
  writeFileSync(readmePath, refreshed);
  return true;
}

/** The finding of a capacity search for people in a hurry: one row for each stage, its one change, and what stops it. */
export function findingTable(run: Run): string {
  const findings = capacityFindings(run);
  const first = findings.find(({ capacity }) => capacity !== null)?.capacity ?? null;
  return markdownTable({
    columns: [
      { title: 'stage', align: 'left' },
      { title: 'its one change', align: 'left' },
      { title: run.record.varied.unit, align: 'right' },
      { title: 'deliveries/s', align: 'right' },
      { title: 'p99', align: 'right' },
      { title: `× ${findings[0]?.variant.name ?? ''}`, align: 'right' },
      { title: 'stopped by', align: 'left' },
    ],
    rows: findings.map((finding) => {
      const { variant, capacity, typical } = finding;
      const result = typical?.loadtest ?? null;
      return [
        `**${variant.name}**`,
        variant.summary,
        capacityText(finding),
        result === null ? '–' : formatMagnitude(result.deliveriesPerSecond),
        result === null ? '–' : formatMs(result.deliveryLatencyMs.p99),
        capacity === null || first === null
          ? '–'
          : String(Number((capacity / first).toPrecision(capacity / first < 10 ? 2 : 3))),
        variant.bound?.name ?? '–',
      ];
    }),
  });
}
