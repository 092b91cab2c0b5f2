/** The page as one HTML file that needs no network: for a report, and for a run that goes on. Pure. */
import { createHash } from 'node:crypto';
import { pageAssets } from './bundle.ts';
import type { PageState } from './state.ts';

export type PageDocument = {
  title: string;
  state: PageState;
  /** HTML above and below the charts. */
  before: string;
  after: string;
  /** Added to the style sheet of the page. */
  style: string;
  /** Where a live page gets its events; left out: a report. */
  eventsUrl?: string;
};

/** The text of the file. Its policy allows its own script and style by their hashes, and nothing else. */
export function pageDocument({ title, state, before, after, style, eventsUrl }: PageDocument): string {
  const assets = pageAssets();
  const css = `${assets.style}\n${style}`;
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(assets.script)}`,
    `style-src ${hashOf(css)}`,
    ...(eventsUrl === undefined ? [] : ["connect-src 'self'"]),
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  const events = eventsUrl === undefined ? '' : ` data-events="${escapeHtml(eventsUrl)}"`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${css}</style>
</head>
<body>
<main>
<div id="before">${before}</div>
<div id="explorer"${events}></div>
<div id="after">${after}</div>
</main>
<script type="application/json" id="state">${jsonOf(state)}</script>
<script>${assets.script}</script>
</body>
</html>
`;
}

/** Text as HTML, in an element or in an attribute with quotation marks. */
export function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return text.replaceAll(/[&<>"]/g, (character) => entities[character]!);
}

/** JSON that cannot end the element that it stands in, nor open a comment there. */
function jsonOf(state: PageState): string {
  return JSON.stringify(state).replaceAll('<', '\\u003c');
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
}
