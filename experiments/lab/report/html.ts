/** One self-contained HTML file: no script, no network, readable in light and dark mode. Pure. */
import type { Run } from '../records/schema.ts';
import { htmlStyle } from './html-style.ts';
import type { Plot } from './plot.ts';
import { detailsOf, type ReportContent, type Table, withoutDetails } from './table.ts';

/** The text of the file. */
export function htmlReport({ record }: Run, content: ReportContent, plots: readonly Plot[]): string {
  const [first = '', second = '', ...said] = content.answer;
  const startedAt = record.startedAt.slice(0, 16).replace('T', ' ');
  const skipped = record.skipped.map(
    ({ name, reason, ways }) => `${name} was skipped: ${reason}. ${ways.join(' ')}`,
  );
  const notes = [...said, ...skipped];
  const seen = notes.length === 0 ? '' : section('What else was seen', list(notes));
  const details = detailsOf(content.summary);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(record.experiment)} · ${escapeHtml(record.run)}</title>
<style>${htmlStyle}</style>
</head>
<body>
<main>
<header>
<p class="kicker">${escapeHtml(`${record.experiment} · ${startedAt} UTC · ${record.target} target`)}</p>
<h1>${escapeHtml(record.question)}</h1>
<p class="answer">${escapeHtml(`${first} ${second}`.trim())}</p>
</header>
<section>
${htmlTable(withoutDetails(content.summary))}
</section>
${(content.more ?? []).map(({ title, table }) => section(title, htmlTable(table))).join('\n')}
<div class="figures">
${plots.map(figure).join('\n')}
</div>
${seen}
${details === null ? '' : section('More figures', htmlTable(details))}
<section>
<h2>How it was measured</h2>
${list(content.method)}
<dl>${content.environment
    .map(([name, value]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(value)}</dd>`)
    .join('')}</dl>
</section>
<section>
<h2>What limits these numbers</h2>
${list(content.caveats)}
</section>
<section>
<h2>Every trial</h2>
${htmlTable(content.trials, 'dense')}
</section>
</main>
</body>
</html>
`;
}

function section(title: string, html: string): string {
  return `<section>\n<h2>${escapeHtml(title)}</h2>\n${html}\n</section>`;
}

/** A drawing of several panels takes the whole width. */
function figure({ title, caption, svg }: Plot): string {
  const isWide = svg.indexOf('<svg ') !== svg.lastIndexOf('<svg ');
  const drawing = isWide ? `<div class="panels">${svg}</div>` : svg;
  return `<section${isWide ? ' class="wide"' : ''}>\n<h2>${escapeHtml(title)}</h2>\n<figure>${drawing}\n<figcaption>${escapeHtml(caption)}</figcaption></figure>\n</section>`;
}

function list(items: readonly string[]): string {
  return items.length === 0 ? '' : `<ul>${items.map((item) => `<li>${escapeHtml(item)}</li>`).join('')}</ul>`;
}

/** Longer texts of a cell may wrap, so that a table fits the page. */
const unwrappedMax = 20;

/** A column titled `remark` becomes a line below the row: sentences do not fit between figures. */
function htmlTable({ columns, rows }: Table, className = ''): string {
  const outcome = columns.findIndex(({ title }) => title === 'outcome');
  const remark = columns.findIndex(({ title }) => title === 'remark');
  const cells = (tag: string, texts: readonly string[]) =>
    texts
      .map((text, index) => {
        const isLong = columns[index]!.align === 'left' && text.length > unwrappedMax;
        const long = isLong ? ' long' : '';
        return `<${tag} class="${columns[index]!.align}${long}">${escapeHtml(text)}</${tag}>`;
      })
      .filter((_, index) => index !== remark)
      .join('');
  const body = rows.map((row) => {
    const rowClass = escapeHtml(row[outcome] ?? '');
    const text = escapeHtml(row[remark] ?? '');
    if (text === '') return `<tr class="${rowClass}">${cells('td', row)}</tr>`;
    const below = `<tr class="remark ${rowClass}"><td></td><td colspan="${columns.length - 2}">${text}</td></tr>`;
    return `<tr class="${rowClass} remarked">${cells('td', row)}</tr>${below}`;
  });
  const titles = columns.map(({ title }) => title);
  return `<div class="scroll"><table class="${className}"><thead><tr>${cells('th', titles)}</tr></thead><tbody>\n${body.join('\n')}\n</tbody></table></div>`;
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replaceAll(/[&<>"]/g, (character) => entities[character]!);
}
