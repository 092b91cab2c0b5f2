/**
 * The page: draws the state that it was made with, and on a live page every event after that. When the run
 * ends, the live page gets the text of the report around its charts, and is the report.
 */
import { hasTimeline, loadPointsOf, shownTrial } from '../charts.ts';
import { applyEvent, type PageEvent, type PageState } from '../state.ts';
import { element } from './elements.ts';
import { Loads } from './loads.ts';
import { Status } from './status.ts';
import { Timeline } from './timeline.ts';
import { TrialList } from './trial-list.ts';

/** The report around the charts, as HTML that the server has made and escaped. */
type End = { state: PageState; title: string; before: string; after: string };

const explorer = document.getElementById('explorer')!;
let state = JSON.parse(document.getElementById('state')!.textContent) as PageState;
let chosen: number | null = null;
let isDrawing = false;

const choose = (trial: number) => {
  chosen = trial;
  draw();
};
const status = new Status();
const loads = new Loads(choose);
const timeline = new Timeline();
const list = new TrialList(choose);
const follow = element('button', { type: 'button', class: 'follow' }, 'Follow the running trial');
follow.addEventListener('click', () => {
  chosen = null;
  draw();
});
explorer.append(loads.root, follow, timeline.root, list.root);
draw();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  loads.redraw();
  timeline.redraw();
});
if (explorer.dataset.events !== undefined) listen(explorer.dataset.events);

function draw(): void {
  const shown = shownTrial(state, chosen);
  const isLive = explorer.dataset.events !== undefined;
  if (isLive) {
    status.show(state);
    document.title = state.title;
  }
  follow.hidden = !isLive || chosen === null;
  // A report without charts says all of its trials in its own table.
  explorer.hidden = !isLive && !state.trials.some(hasTimeline) && loadPointsOf(state).length < 2;
  loads.show(state, shown?.number);
  timeline.show(shown, state.limitMs);
  list.show(state, shown?.number);
}

/** Many events may come at once, as after an absence: the page is drawn once for all of them. */
function drawSoon(): void {
  if (isDrawing) return;
  isDrawing = true;
  setTimeout(() => {
    isDrawing = false;
    draw();
  });
}

/** The browser connects again by itself; the first event of each connection is the whole state. */
function listen(url: string): void {
  explorer.prepend(status.root);
  const events = new EventSource(url);
  events.addEventListener('open', () => status.connection('live', true));
  events.addEventListener('error', () =>
    status.connection('The run does not answer. It may have ended. Trying again …', false),
  );
  events.addEventListener('message', ({ data }) => {
    state = applyEvent(state, JSON.parse(data as string) as PageEvent);
    drawSoon();
  });
  events.addEventListener('end', ({ data }) => {
    events.close();
    end(JSON.parse(data as string) as End);
  });
}

function end(report: End): void {
  delete explorer.dataset.events;
  status.root.remove();
  state = report.state;
  document.title = report.title;
  for (const place of ['before', 'after'] as const) {
    const parsed = new DOMParser().parseFromString(report[place], 'text/html');
    document.getElementById(place)!.replaceChildren(...parsed.body.childNodes);
  }
  document.body.dataset.ended = '';
  draw();
}
