/** The style of a report, in addition to that of every page (loadtest/page/page.css). */
import { colourVariables } from './palette.ts';

export const htmlStyle = `
${colourVariables}
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
li { margin: 3px 0; }
figure svg { display: block; width: 100%; height: auto; max-width: 640px; }
figcaption { margin-top: 6px; color: var(--muted); font-size: 13px; max-width: 80ch; }
th { white-space: normal; }
td.long { white-space: normal; min-width: 14ch; }
th.left { text-align: left; }
.dense { font-size: 12px; }
.dense th, .dense td { padding: 3px 7px; }
tr.remarked td { border-bottom: 0; }
.dense tr.remark td { white-space: normal; padding-top: 0; color: var(--muted); }
@media (max-width: 960px) {
  table:not(.dense) td.left, table:not(.dense) th { white-space: normal; padding: 5px 6px; font-size: 13px; }
  table:not(.dense) td:first-child { white-space: nowrap; }
}
`;
