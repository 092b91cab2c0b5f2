/** One self-contained HTML file: no script, no network, readable on light and dark. A pure function of a run. */
import type { Run } from '../records/schema.ts';
import { answerOf, caveatsOf, methodOf } from './answer.ts';
import type { Plot } from './plot.ts';
import { growthPlot } from './plot-growth.ts';
import { ladderPlot } from './plot-ladder.ts';
import { loadPlot, spectrumPlot } from './plot-latency.ts';
import { timelinePlot } from './plot-timeline.ts';
import { summaryTable } from './summary.ts';
import type { Table } from './table.ts';
import { environmentRows, trialsTable } from './trials.ts';

/** The text of the file. */
export function htmlReport(run: Run): string {
  const { record } = run;
  const [answer = '', ...details] = answerOf(run);
  const isCapacity = record.method.kind === 'capacity';
  const plots = [
    isCapacity ? ladderPlot(run) : growthPlot(run),
    spectrumPlot(run),
    loadPlot(run),
    timelinePlot(run),
  ];
  const skipped = record.skipped.map(
    ({ name, reason, ways }) => `${name} was skipped: ${reason}. ${ways.join(' ')}`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(record.experiment)} · ${escapeHtml(record.run)}</title>
<style>${style}</style>
</head>
<body>
<main>
<header>
<p class="kicker">${escapeHtml(record.experiment)} · ${escapeHtml(record.startedAt.slice(0, 16).replace('T', ' '))} UTC · ${record.target} target</p>
<h1>${escapeHtml(record.question)}</h1>
<p class="answer">${escapeHtml(answer)}</p>
${list([...details, ...skipped])}
</header>
<section>
${htmlTable(summaryTable(run))}
</section>
${plots.map((plot) => (plot === null ? '' : figure(plot))).join('\n')}
<section>
<h2>How it was measured</h2>
${list(methodOf(run))}
<dl>${environmentRows(run)
    .map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`)
    .join('')}</dl>
</section>
<section>
<h2>What would make these numbers wrong</h2>
${list(caveatsOf(run))}
</section>
<section>
<h2>Every trial</h2>
${htmlTable(trialsTable(run), 'dense')}
</section>
</main>
</body>
</html>
`;
}

function figure({ title, caption, svg }: Plot): string {
  return `<section>\n<h2>${escapeHtml(title)}</h2>\n<figure>${svg}\n<figcaption>${escapeHtml(caption)}</figcaption></figure>\n</section>`;
}

function list(items: readonly string[]): string {
  return items.length === 0 ? '' : `<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>`;
}

/** A column titled `remark` becomes a line of its own below the row, because sentences do not fit beside figures. */
function htmlTable({ columns, rows }: Table, className = ''): string {
  const outcome = columns.findIndex(({ title }) => title === 'outcome');
  const remark = columns.findIndex(({ title }) => title === 'remark');
  const cells = (tag: string, texts: readonly string[]) =>
    texts
      .map((text, index) => `<${tag} class="${columns[index]!.align}">${escapeHtml(text)}</${tag}>`)
      .filter((_, index) => index !== remark)
      .join('');
  const body = rows.map((row) => {
    const rowClass = outcome === -1 ? '' : escapeHtml(row[outcome]!);
    const said = remark === -1 || row[remark] === '' ? '' : escapeHtml(row[remark]!);
    const below =
      said === ''
        ? ''
        : `<tr class="remark ${rowClass}"><td></td><td colspan="${columns.length - 2}">${said}</td></tr>`;
    return `<tr class="${rowClass}${said === '' ? '' : ' remarked'}">${cells('td', row)}</tr>${below}`;
  });
  const head = cells(
    'th',
    columns.map(({ title }) => title),
  );
  return `<div class="scroll"><table class="${className}"><thead><tr>${head}</tr></thead><tbody>\n${body.join('\n')}\n</tbody></table></div>`;
}

function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

const style = `
:root { color-scheme: light dark; --ink: #1c2024; --muted: #646b75; --line: #dfe3e8; --page: #ffffff; --soft: #f5f7f9; --bad: #b3364a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --muted: #9aa3ae; --line: #343a42; --page: #16191d; --soft: #1e2227; --bad: #ef7d8d; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 40px 24px 64px; }
.kicker { margin: 0; color: var(--muted); font-size: 13px; }
h1 { margin: 4px 0 12px; font-size: 24px; line-height: 1.25; font-weight: 600; text-wrap: balance; }
h2 { margin: 0 0 8px; font-size: 17px; font-weight: 600; }
section { margin-top: 40px; }
.answer { margin: 0 0 12px; padding: 14px 18px; background: var(--soft); border-left: 4px solid #2f80d8; font-size: 18px; }
ul { margin: 8px 0; padding-left: 20px; }
li { margin: 3px 0; }
figure { margin: 0; }
figure svg { display: block; width: 100%; height: auto; }
figcaption { margin-top: 6px; color: var(--muted); font-size: 13px; max-width: 80ch; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 13.5px; }
th, td { padding: 6px 7px; border-bottom: 1px solid var(--line); white-space: nowrap; vertical-align: top; }
th { color: var(--muted); font-weight: 500; border-bottom-width: 2px; }
th:first-child, td:first-child { padding-left: 0; }
.left { text-align: left; }
.right { text-align: right; }
.dense { font-size: 12px; }
.dense th, .dense td { padding: 3px 7px; }
tr.remarked td { border-bottom: 0; }
.dense tr.remark td { white-space: normal; padding-top: 0; color: var(--muted); }
tr.failed td { color: var(--bad); }
tr.void td { color: var(--muted); font-style: italic; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 16px 0 0; font-size: 14px; }
dt { color: var(--muted); }
dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 960px) { main { padding: 24px 20px 48px; } table:not(.dense) td, table:not(.dense) th { white-space: normal; padding: 5px 6px; font-size: 13px; } table:not(.dense) td:first-child { white-space: nowrap; } }
@media print { main { max-width: none; } }
`;
