/** The trials as a table: the way to choose one without a mouse. */
import type { PageState, PageTrial } from '../state.ts';
import { msText, numberText } from '../text.ts';
import { element } from './elements.ts';

export class TrialList {
  readonly root = element('section', { class: 'trials', 'aria-labelledby': 'trials-title' });
  readonly #body = element('tbody');
  readonly #choose: (trial: number) => void;
  readonly #rows = new Map<number, { trial: PageTrial; row: HTMLTableRowElement; button: HTMLElement }>();

  constructor(choose: (trial: number) => void) {
    this.#choose = choose;
    const titles = ['trial', 'variant', 'load', 'outcome', 'p99', 'deliveries/s', 'why'];
    const figures = ['load', 'p99', 'deliveries/s'];
    const cells = titles.map((title) =>
      element('th', { scope: 'col', class: figures.includes(title) ? 'right' : '' }, title),
    );
    const head = element('tr', {}, ...cells);
    const table = element('table', {}, element('thead', {}, head), this.#body);
    this.root.append(
      element('h2', { id: 'trials-title' }, 'Trials'),
      element('div', { class: 'scroll', tabindex: 0, role: 'group', 'aria-label': 'Trials' }, table),
    );
  }

  show({ trials }: PageState, chosen: number | undefined): void {
    this.root.hidden = trials.length < 2;
    const numbers = new Set(trials.map(({ number }) => number));
    for (const [number, { row }] of this.#rows) {
      if (numbers.has(number)) continue;
      row.remove();
      this.#rows.delete(number);
    }
    for (const trial of trials) {
      const known = this.#rows.get(trial.number);
      // A running trial is a new object every second; its row is the same.
      if (known?.trial !== trial && known?.trial.outcome !== 'running') this.#draw(trial);
      else if (known.trial.outcome !== trial.outcome) this.#draw(trial);
      const { button, row } = this.#rows.get(trial.number)!;
      button.setAttribute('aria-pressed', String(trial.number === chosen));
      row.classList.toggle('chosen', trial.number === chosen);
    }
  }

  #draw(trial: PageTrial): void {
    const { number, variant, about, outcome, p99Ms, deliveriesPerSecond, reasons } = trial;
    const button = element(
      'button',
      { type: 'button', 'aria-label': `show trial ${number}` },
      String(number),
    );
    button.addEventListener('click', () => this.#choose(number));
    const cell = (text: string, name = '') => element('td', { class: name }, text);
    const row = element(
      'tr',
      { class: outcome },
      element('td', {}, button),
      cell(variant),
      cell(about, 'right'),
      cell(outcome === 'running' ? 'under way' : outcome, 'outcome'),
      cell(p99Ms === null ? '–' : msText(p99Ms), 'right'),
      cell(deliveriesPerSecond === null ? '–' : numberText(deliveriesPerSecond), 'right'),
      element('td', { class: 'why' }, element('div', {}, reasons[0] ?? '')),
    );
    const known = this.#rows.get(number);
    if (known === undefined) this.#body.append(row);
    else known.row.replaceWith(row);
    this.#rows.set(number, { trial, row, button });
  }
}
