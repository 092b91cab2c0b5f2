/** One self-contained HTML file: no network, readable in light and dark mode, charts that answer. Pure. */
import { escapeHtml, pageDocument } from '../../../loadtest/page/document.ts';
import type { LiveEnd } from '../../../loadtest/page/live-page.ts';
import type { Run } from '../records/schema.ts';
import { htmlStyle } from './html-style.ts';
import { pageStateOf } from './page-state.ts';
import type { Plot } from './plot.ts';
import { detailsOf, type ReportContent, type Table, withoutDetails } from './table.ts';

/** The text of the file. */
export function htmlReport(run: Run, content: ReportContent, plots: readonly Plot[]): string {
  return pageDocument({ ...reportPage(run, content, plots), style: htmlStyle });
}

/** The same in the parts that a live page takes: what stands above and below its charts, and their state. */
export function reportPage(run: Run, content: ReportContent, plots: readonly Plot[]): LiveEnd {
  const { record } = run;
  const [first = '', second = '', ...said] = content.answer;
  const startedAt = record.startedAt.slice(0, 16).replace('T', ' ');
  const skipped = record.skipped.map(
    ({ name, reason, ways }) => `${name} was skipped: ${reason}. ${ways.join(' ')}`,
  );
  const notes = [...said, ...skipped];
  const seen = notes.length === 0 ? '' : section('What else was seen', list(notes));
  const details = detailsOf(content.summary);
  const before = `<header>
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
</div>`;
  const after = `${seen}
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
</section>`;
  return { state: pageStateOf(run), title: `${record.experiment} · ${record.run}`, before, after };
}

function section(title: string, html: string): string {
  return `<section>\n<h2>${escapeHtml(title)}</h2>\n${html}\n</section>`;
}

/** A drawing of several panels takes the whole width. */
function figure({ title, caption, svg }: Plot): string {
  const isWide = svg.indexOf('<svg ') !== svg.lastIndexOf('<svg ');
  const drawn = withoutStyles(svg);
  const drawing = isWide ? `<div class="panels">${drawn}</div>` : drawn;
  return `<section${isWide ? ' class="wide"' : ''}>\n<h2>${escapeHtml(title)}</h2>\n<figure>${drawing}\n<figcaption>${escapeHtml(caption)}</figcaption></figure>\n</section>`;
}

/** The policy of the page allows no style attributes; the same as attributes of SVG are allowed. */
function withoutStyles(svg: string): string {
  return svg.replaceAll(/ style="([^"]*)"/g, (_, style: string) =>
    style
      .split(';')
      .filter(Boolean)
      .map((declaration) => ` ${declaration.replace(':', '="')}"`)
      .join(''),
  );
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
  return `<div class="scroll" tabindex="0" role="group" aria-label="table"><table class="${className}"><thead><tr>${cells('th', titles)}</tr></thead><tbody>\n${body.join('\n')}\n</tbody></table></div>`;
}
