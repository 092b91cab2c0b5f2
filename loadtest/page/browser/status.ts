/** What a live page says above its charts: what is under way, the time left, and the intervals so far. */
import { intervalsOf, trialText } from '../charts.ts';
import { type PageState, runningTrial } from '../state.ts';
import { clockText, numberText } from '../text.ts';
import { element, swatch } from './elements.ts';

export class Status {
  readonly root = element('section', { class: 'status' });
  readonly #connection = element('p', { class: 'connection', role: 'status' });
  readonly #now = element('p', { class: 'now' });
  readonly #intervals = element('div', {
    ...{ class: 'scroll', tabindex: 0, role: 'group' },
    'aria-label': 'What is known of each variant',
  });

  constructor() {
    this.root.append(this.#connection, this.#now, this.#intervals);
  }

  /** Says whether events come; the text is read aloud when it changes. */
  connection(text: string, isWell: boolean): void {
    this.root.dataset.connection = isWell ? 'well' : 'lost';
    this.#connection.textContent = text;
  }

  show(state: PageState): void {
    const { clock, unit } = state;
    const running = runningTrial(state);
    const parts = [running === undefined ? 'between two trials' : trialText(running)];
    if (clock !== null) {
      parts.push(`${clockText(clock.elapsedSeconds)} gone`);
      if (clock.leftSeconds !== null) parts.push(`about ${clockText(clock.leftSeconds)} left`);
    }
    this.#now.textContent = parts.join(' · ');
    const rows = intervalsOf(state);
    this.#intervals.hidden = rows.length === 0;
    const titles = ['variant', `capacity, ${unit}`, '90 % interval', 'trials', 'void'];
    const head = element(
      'tr',
      {},
      ...titles.map((title, column) =>
        element('th', { scope: 'col', class: column > 0 ? 'right' : '' }, title),
      ),
    );
    const body = rows.map(({ variant, colour, estimate, trials, voids }) => {
      const name = element('td', {}, swatch(colour), variant);
      const figures = [
        estimate === null ? 'not known yet' : numberText(estimate.middle),
        estimate === null ? '–' : `${numberText(estimate.low)} – ${numberText(estimate.high)}`,
        String(trials),
        String(voids),
      ];
      return element('tr', {}, name, ...figures.map((text) => element('td', { class: 'right' }, text)));
    });
    const table = element('table', {}, element('thead', {}, head), element('tbody', {}, ...body));
    this.#intervals.replaceChildren(table);
  }
}
