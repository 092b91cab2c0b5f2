/** The charts of one trial: they are drawn anew for another trial, and get new data while it runs. */
import type uPlot from 'uplot';
import { boundsMsOf, type Chart, chartsOf, type HeatMap, heatMapOf, trialText } from '../charts.ts';
import type { PageTrial } from '../state.ts';
import { msText, numberText } from '../text.ts';
import { element, legendButton, resolvedColour } from './elements.ts';
import { newPlot, type Plot } from './plot.ts';

const group = 'trial';
const secondText = (seconds: number) => `${Number(seconds.toFixed(1))} s`;

type Drawn = { plot: Plot; update: (trial: PageTrial) => void };

export class Timeline {
  readonly root = element('section', { class: 'timeline', 'aria-labelledby': 'timeline-title' });
  readonly #title = element('h2', { id: 'timeline-title' });
  readonly #reasons = element('ul', { class: 'reasons' });
  readonly #charts = element('div', { class: 'charts' });
  readonly #hidden = new Set<string>();
  #drawn: Drawn[] = [];
  #shape = '';
  #phases: PageTrial['phases'] = [];
  #times: [number, number] = [0, 1];

  constructor() {
    this.root.append(this.#title, this.#reasons, this.#charts);
  }

  show(trial: PageTrial | undefined, limitMs: number | null): void {
    this.root.hidden = trial === undefined;
    if (trial === undefined) return;
    const isRunning = trial.outcome === 'running';
    this.#title.textContent = isRunning ? `Trial ${trial.number}, second by second` : titleOf(trial);
    this.#reasons.replaceChildren(...trial.reasons.map((reason) => element('li', {}, reason)));
    this.#phases = trial.phases;
    this.#times = timesOf(trial);
    const charts = chartsOf(trial, limitMs);
    const heat = heatMapOf(trial);
    const names = charts.map(({ title, lines }) => [title, ...lines.map(({ name }) => name)]);
    const shape = JSON.stringify([trial.number, names, heat !== null]);
    if (shape !== this.#shape) this.#draw(trial, charts, heat, limitMs);
    else for (const { update } of this.#drawn) update(trial);
    this.#shape = shape;
  }

  redraw(): void {
    for (const { plot } of this.#drawn) plot.redraw();
  }

  #draw(trial: PageTrial, charts: readonly Chart[], heat: HeatMap | null, limitMs: number | null): void {
    for (const { plot } of this.#drawn) plot.destroy();
    this.#drawn = [];
    const figures = charts.map((chart, index) => this.#figureOf(trial, chart, index, limitMs));
    if (heat !== null) figures.splice(1, 0, this.#heatFigure(heat));
    if (figures.length === 0) {
      const why =
        trial.outcome === 'running'
          ? 'No second has passed yet.'
          : 'Its seconds were not kept. An archived run keeps those of the trials that stand for a variant.';
      figures.push(element('p', { class: 'none' }, why));
    }
    this.#charts.replaceChildren(...figures);
  }

  #figureOf(trial: PageTrial, chart: Chart, index: number, limitMs: number | null): HTMLElement {
    let lines = chart.lines;
    let times = chart.atSeconds;
    let isRunning = trial.outcome === 'running';
    const at = element('span', { class: 'at' });
    const buttons = lines.map(({ name, colour }, line) =>
      legendButton(name, colour, !this.#hidden.has(name), (isShown) => {
        if (isShown) this.#hidden.delete(name);
        else this.#hidden.add(name);
        plot.setShown(line, isShown);
      }),
    );
    const tell = (point: number | null) => {
      at.textContent = point === null ? '' : `at ${secondText(times[point] ?? 0)}`;
      for (const [line, { value }] of buttons.entries()) {
        const values = lines[line]!.values;
        const figure = point === null ? values.findLast((one) => one !== null) : values[point];
        // Without a cursor the newest value is of interest only while there are new ones.
        const isTold = point !== null || isRunning;
        value.textContent = !isTold ? '' : figure == null ? '–' : chart.text(figure);
      }
    };
    const plot = newPlot({
      title: chart.title,
      group,
      scale: chart.scale,
      acrossText: secondText,
      upText: chart.text,
      acrossRange: () => this.#times,
      lines: lines.map(({ name, colour }) => ({ colour, isShown: !this.#hidden.has(name) })),
      data: [times, ...lines.map(({ values }) => values)],
      drawBelow: (canvas) => {
        this.#drawPhases(canvas);
        if (chart.limit !== null) drawLimit(canvas, chart.limit);
      },
      onCursor: tell,
    });
    tell(null);
    const update = (newer: PageTrial) => {
      const next = chartsOf(newer, limitMs)[index]!;
      isRunning = newer.outcome === 'running';
      lines = next.lines;
      times = next.atSeconds;
      plot.setData([times, ...lines.map(({ values }) => values)]);
      tell(null);
    };
    this.#drawn.push({ plot, update });
    return figureElement(chart.title, at, plot.root, buttons);
  }

  #heatFigure(first: HeatMap): HTMLElement {
    const title = 'Latency of every delivery';
    let heat = first;
    const readout = element('span', { class: 'at' });
    const rows = (map: HeatMap) => {
      const used = map.columns.filter(({ counts }) => counts.length > 0);
      const lowest = Math.max(1, Math.min(...used.map((column) => column.first)));
      const highest = Math.max(...used.map((column) => column.first + column.counts.length));
      return [boundsMsOf(lowest)[0], boundsMsOf(highest)[0]] as [number, number];
    };
    const plot = newPlot({
      title,
      group,
      scale: 'log',
      acrossText: secondText,
      upText: msText,
      acrossRange: () => this.#times,
      lines: [{ colour: 'transparent', width: 0 }],
      upRange: () => rows(heat),
      data: heatData(heat),
      drawBelow: (canvas) => drawHeat(canvas, heat),
      onCursor: (index, up) => {
        readout.textContent = index === null || up === null ? '' : heatText(heat, index, up);
      },
    });
    const update = (trial: PageTrial) => {
      heat = heatMapOf(trial) ?? heat;
      plot.setData(heatData(heat));
    };
    this.#drawn.push({ plot, update });
    return figureElement(title, readout, plot.root, []);
  }

  /** Where the measure phase begins and ends. */
  #drawPhases(canvas: uPlot): void {
    for (const { phase, atSeconds } of this.#phases) {
      if (phase !== 'measure' && phase !== 'drain') continue;
      const x = canvas.valToPos(atSeconds, 'x', true);
      if (x < canvas.bbox.left || x > canvas.bbox.left + canvas.bbox.width) continue;
      dashed(canvas, 'var(--muted)', [x, canvas.bbox.top], [x, canvas.bbox.top + canvas.bbox.height]);
    }
  }
}

function titleOf(trial: PageTrial): string {
  const text = trialText(trial);
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** From the first second to the end of the last, the same for all charts. */
function timesOf({ seconds, nodes }: PageTrial): [number, number] {
  const times = [...(seconds?.atSeconds ?? []), ...nodes.flatMap(({ atSeconds }) => atSeconds)];
  return times.length === 0 ? [0, 1] : [Math.min(...times), Math.max(...times) + 1];
}

function figureElement(
  title: string,
  readout: HTMLElement,
  plot: HTMLElement,
  buttons: readonly { item: HTMLElement }[],
): HTMLElement {
  const legend = element('ul', { class: 'legend' }, ...buttons.map(({ item }) => item));
  const caption = element('figcaption', {}, element('strong', {}, title), readout);
  return element('figure', {}, caption, plot, ...(buttons.length > 0 ? [legend] : []));
}

function drawLimit(canvas: uPlot, limit: number): void {
  const y = canvas.valToPos(limit, 'y', true);
  const { left, top, width, height } = canvas.bbox;
  if (y >= top && y <= top + height) dashed(canvas, 'var(--warning)', [left, y], [left + width, y]);
}

function dashed(canvas: uPlot, colour: string, from: [number, number], to: [number, number]): void {
  const { ctx } = canvas;
  ctx.save();
  ctx.strokeStyle = resolvedColour(colour);
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(...from);
  ctx.lineTo(...to);
  ctx.stroke();
  ctx.restore();
}

/** Half a second more at the end, because a column begins with its second. */
function heatData({ atSeconds }: HeatMap): (number | null)[][] {
  return [
    [...atSeconds, (atSeconds.at(-1) ?? 0) + 1],
    [...atSeconds.map(() => null), null],
  ];
}

/** The square root keeps the few slow deliveries visible beside the many others. */
function drawHeat(canvas: uPlot, { atSeconds, columns, countMax }: HeatMap): void {
  const { ctx } = canvas;
  ctx.save();
  ctx.fillStyle = resolvedColour('var(--line-1)');
  for (const [index, { first, counts }] of columns.entries()) {
    const left = canvas.valToPos(atSeconds[index]!, 'x', true);
    const right = canvas.valToPos(atSeconds[index]! + 1, 'x', true);
    for (const [row, count] of counts.entries()) {
      if (count === 0) continue;
      const [from, to] = boundsMsOf(Math.max(1, first + row));
      const bottom = canvas.valToPos(from, 'y', true);
      const top = canvas.valToPos(to, 'y', true);
      ctx.globalAlpha = 0.12 + 0.88 * Math.sqrt(count / countMax);
      ctx.fillRect(left, top, Math.max(1, right - left - 1), Math.max(1, bottom - top - 1));
    }
  }
  ctx.restore();
}

function heatText({ atSeconds, columns }: HeatMap, index: number, up: number): string {
  const column = columns[Math.min(index, columns.length - 1)];
  if (column === undefined) return '';
  const row = column.counts.findIndex((_, at) => {
    const [from, to] = boundsMsOf(column.first + at);
    return up >= from && up < to;
  });
  const time = `at ${secondText(atSeconds[Math.min(index, columns.length - 1)] ?? 0)}`;
  if (row === -1) return `${time}: no delivery of about ${msText(up)}`;
  const [from, to] = boundsMsOf(column.first + row);
  return `${time}: ${numberText(column.counts[row]!)} deliveries of ${msText(from)} to ${msText(to)}`;
}
