/** The style sheet of the HTML report. */
import { colourVariables } from './palette.ts';

export const htmlStyle = `
${colourVariables}
:root { --soft: #f5f7f9; }
@media (prefers-color-scheme: dark) { :root { --soft: #1e2227; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1240px; margin: 0 auto; padding: 40px 24px 64px; }
.kicker { margin: 0; color: var(--muted); font-size: 13px; }
h1 { margin: 4px 0 12px; font-size: 24px; line-height: 1.25; font-weight: 600; text-wrap: balance; }
h2 { margin: 0 0 8px; font-size: 17px; font-weight: 600; }
section { margin-top: 40px; }
.figures {
  display: grid; gap: 0 40px;
  grid-template-columns: repeat(auto-fit, minmax(min(540px, 100%), 1fr));
}
.panels {
  display: grid; gap: 8px 24px;
  grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr));
}
/* The first drawing is the legend of the others. */
.panels svg:first-child, .wide { grid-column: 1 / -1; }
.answer {
  margin: 0 0 12px; padding: 14px 18px; background: var(--soft); border-left: 4px solid #2f80d8;
  font-size: 18px;
}
ul { margin: 8px 0; padding-left: 20px; }
li { margin: 3px 0; }
figure { margin: 0; }
figure svg { display: block; width: 100%; height: auto; max-width: 640px; }
figcaption { margin-top: 6px; color: var(--muted); font-size: 13px; max-width: 80ch; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 13.5px; }
th, td { padding: 6px 7px; border-bottom: 1px solid var(--line); white-space: nowrap; vertical-align: top; }
th {
  color: var(--muted); font-weight: 500; border-bottom-width: 2px; white-space: normal;
  vertical-align: bottom;
}
th:first-child, td:first-child { padding-left: 0; }
td.long { white-space: normal; min-width: 14ch; }
.left { text-align: left; }
.right { text-align: right; }
.dense { font-size: 12px; }
.dense th, .dense td { padding: 3px 7px; }
tr.remarked td { border-bottom: 0; }
.dense tr.remark td { white-space: normal; padding-top: 0; color: var(--muted); }
tr.fail td { color: var(--warning); }
tr.void td { color: var(--muted); font-style: italic; }
dl {
  display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 16px 0 0; font-size: 14px;
}
dt { color: var(--muted); }
dd { margin: 0; overflow-wrap: anywhere; }
@media (max-width: 960px) {
  main { padding: 24px 20px 48px; }
  table:not(.dense) td.left, table:not(.dense) th { white-space: normal; padding: 5px 6px; font-size: 13px; }
  table:not(.dense) td:first-child { white-space: nowrap; }
}
@media print { main { max-width: none; } }
`;
