/** REPORT.md of an experiment: one screen, and everything else folded. Pure. */
import type { Run } from '../records/schema.ts';
import { effortText } from './claims.ts';
import type { Plot } from './plot.ts';
import {
  detailsOf,
  markdownTable,
  type NamedTable,
  type ReportContent,
  splitTable,
  type Table,
  withoutDetails,
} from './table.ts';

/** A run with its report. */
export type Reported = { run: Run; content: ReportContent };

const pictureTop = 2;
const columnsMax = 8;
/** A longer table is folded: the top of a report is one screen. Chosen, not measured. */
const rowsMax = 24;
const command = 'npm run experiment -- report --refresh';

/** The newest run, its pictures in `pictureFolder` (such as `results/`), and the other runs folded. */
export function markdownReport(
  { run, content }: Reported,
  plots: readonly Plot[],
  others: readonly Reported[],
  pictureFolder: string,
): string {
  const { record, trials } = run;
  const [first = '', second = '', ...notes] = content.answer;
  const pictures = plots.filter(({ file }) => file !== undefined);
  const skipped = record.skipped.map(({ name, reason }) => `${name} was skipped: ${reason}.`);
  const picture = ({ title, file, caption }: Plot) =>
    `![${title}](${pictureFolder}${file}.svg)\n\n<sub>${escapeHtml(caption)}</sub>`;
  const table = narrowTables(withoutDetails(content.summary));
  const isLong = content.summary.rows.length > rowsMax;
  const details = detailsOf(content.summary);
  const named: NamedTable[] = [
    ...(content.more ?? []),
    ...(details === null ? [] : [{ title: 'More figures', table: details }]),
    { title: `All ${trials.length} trials`, table: withoutDetails(content.trials) },
  ];
  return `${[
    `<!-- Made by \`${command}\` from the result files; a change by hand is lost. -->`,
    `# ${record.experiment}`,
    record.question,
    `**${first}** ${second}`.trim(),
    ...(isLong ? [] : [table]),
    ...pictures.slice(0, pictureTop).map(picture),
    measuredLine(run),
    ...(isLong ? [folded(`The table of ${content.summary.rows.length} rows`, table)] : []),
    folded('What else was seen', bullets([...notes, ...skipped])),
    ...pictures.slice(pictureTop).map((plot) => folded(plot.title, picture(plot))),
    folded('How it was measured', bullets(content.method)),
    folded('Machine, versions and parameters', pairs(content.environment)),
    folded('What limits these numbers', bullets(content.caveats)),
    ...named.map(({ title, table }) => folded(title, narrowTables(table))),
    ...others.map((one) => folded(`Another run. ${measuredLine(one.run)}`, otherRun(one, run))),
  ]
    .filter((part) => part !== '')
    .join('\n\n')}\n`;
}

/** More columns than these are more than a page shows, so there are several tables. */
function narrowTables(table: Table): string {
  return splitTable(table, columnsMax).map(markdownTable).join('\n\n');
}

/** `2026-11-21, containers, AMD EPYC with 4 cores, 53 trials.` */
function measuredLine({ record, trials }: Run): string {
  const { cpuModel, cpus } = record.environment;
  const target = record.target === 'container' ? 'containers' : 'processes';
  const cores = `${cpus} ${cpus === 1 ? 'core' : 'cores'}`;
  return `Measured on ${record.startedAt.slice(0, 10)}: ${target}, ${cpuModel} with ${cores}, ${effortText(trials)}.`;
}

/** Its sentences, table and machine. */
function otherRun({ run, content }: Reported, newest: Run): string {
  const isOther = sameMachine(run) !== sameMachine(newest);
  const warning = 'Another machine or target: its figures must not be compared with those above.';
  return [
    ...(isOther ? [warning] : []),
    bullets(content.answer),
    narrowTables(withoutDetails(content.summary)),
    pairs(content.environment),
  ].join('\n\n');
}

function sameMachine({ record: { environment, target } }: Run): string {
  return [environment.cpuModel, environment.cpus, target].join('|');
}

/**
 * Replaces the text between `<!-- name:begin -->` and `<!-- name:end -->`; null where a marker is missing.
 */
export function replaceBetweenMarkers(text: string, name: string, content: string): string | null {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const from = text.indexOf(begin);
  const to = text.indexOf(end);
  if (from === -1 || to < from) return null;
  return `${text.slice(0, from + begin.length)}\n${content}\n${text.slice(to)}`;
}

function folded(title: string, text: string): string {
  if (text === '') return '';
  return `<details><summary>${escapeHtml(title)}</summary>\n\n${text}\n\n</details>`;
}

function pairs(items: readonly (readonly [string, string])[]): string {
  const columns: Table['columns'] = ['what', 'value'].map((title) => ({ title, align: 'left' }));
  return markdownTable({ columns, rows: items });
}

function bullets(items: readonly string[]): string {
  return items.map((item) => `- ${item}`).join('\n');
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
