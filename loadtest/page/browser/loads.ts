/** The loads of all trials in the order they ran, with what they say about the capacity of each variant. */
import type uPlot from 'uplot';
import { type LoadPoint, loadPointsOf, trialText } from '../charts.ts';
import type { PageState } from '../state.ts';
import { msText, numberText } from '../text.ts';
import { element, legendButton, resolvedColour } from './elements.ts';
import { newPlot, type Plot } from './plot.ts';

const radiusPixels = 4.5;

export class Loads {
  readonly root = element('section', { class: 'loads', 'aria-labelledby': 'loads-title' });
  readonly #figure = element('figure');
  readonly #hidden = new Set<string>();
  readonly #choose: (trial: number) => void;
  #plot: Plot | null = null;
  #points: LoadPoint[] = [];
  #chosen: number | undefined;
  #shape = '';

  constructor(choose: (trial: number) => void) {
    this.#choose = choose;
    this.root.append(element('h2', { id: 'loads-title' }, 'Loads that were tried'), this.#figure);
  }

  /** Hidden where there is nothing to compare. */
  show(state: PageState, chosen: number | undefined): void {
    this.#points = loadPointsOf(state);
    this.#chosen = chosen;
    this.root.hidden = this.#points.length < 2;
    if (this.root.hidden) return;
    const variants = state.variants.filter(({ name }) =>
      this.#points.some(({ trial }) => trial.variant === name),
    );
    const shape = JSON.stringify([
      ...[variants, state.unit],
      this.#points.some(({ load }) => load <= 0),
      this.#points.some(({ estimate }) => estimate !== null),
    ]);
    if (shape === this.#shape) this.#plot?.setData(this.#data(variants));
    else this.#draw(state, variants);
    this.#shape = shape;
  }

  redraw(): void {
    this.#plot?.redraw();
  }

  #draw({ unit }: PageState, variants: PageState['variants']): void {
    this.#plot?.destroy();
    const readout = element('span', { class: 'at' });
    const buttons = variants.map(({ name, colour }, index) =>
      legendButton(name, colour, !this.#hidden.has(name), (isShown) => {
        if (isShown) this.#hidden.delete(name);
        else this.#hidden.add(name);
        for (const line of [0, 1, 2, 3]) this.#plot!.setShown(index * 4 + line, isShown);
      }),
    );
    const isShown = (name: string) => !this.#hidden.has(name);
    const plot = newPlot({
      title: `Load of each trial in ${unit}`,
      scale: this.#points.some(({ load }) => load <= 0) ? 'linear' : 'log',
      isCounted: true,
      upRange: () => this.#range(),
      acrossRange: () => [-0.5, this.#points.length - 0.5],
      acrossText: (index) => String(this.#points[index]?.trial.number ?? ''),
      upText: numberText,
      lines: variants.flatMap(({ name, colour }) => [
        { colour: 'transparent', width: 0, isStepped: true, isShown: isShown(name) },
        { colour: 'transparent', width: 0, isStepped: true, isShown: isShown(name) },
        { colour, width: 1.5, isStepped: true, isShown: isShown(name) },
        // The loads themselves, which are drawn as marks: the axis makes room for them.
        { colour: 'transparent', width: 0, isShown: isShown(name) },
      ]),
      bands: variants.map(({ colour }, index) => ({ upper: index * 4, lower: index * 4 + 1, colour })),
      data: this.#data(variants),
      drawAbove: (canvas) => this.#drawPoints(canvas),
      onCursor: (index) => {
        const point = index === null ? undefined : this.#points[index];
        readout.textContent = point === undefined ? '' : pointText(point);
      },
      onChoose: (index) => {
        const point = this.#points[index];
        if (point !== undefined) this.#choose(point.trial.number);
      },
    });
    this.#plot = plot;
    const ofSearch = 'Line and shade: the capacity and its 90 % interval, as known after that trial. ';
    const known = this.#points.some(({ estimate }) => estimate !== null) ? ofSearch : '';
    const key = `Each mark is a trial: ● pass, × fail, ○ void, ◇ under way. ${known}A click shows the trial.`;
    this.#figure.replaceChildren(
      element('figcaption', {}, element('strong', {}, unit), readout),
      plot.root,
      ...(buttons.length < 2 ? [] : [element('ul', { class: 'legend' }, ...buttons.map(({ item }) => item))]),
      element('p', { class: 'key' }, key),
    );
  }

  /** For each variant: the upper and the lower end of its interval, its capacity, and its loads. */
  #data(variants: PageState['variants']): (number | null)[][] {
    const column = (name: string, of: (point: LoadPoint) => number | undefined) =>
      this.#points.map((point) => (point.trial.variant === name ? (of(point) ?? null) : null));
    return [
      this.#points.map((_, index) => index),
      ...variants.flatMap(({ name }) => [
        column(name, ({ estimate }) => estimate?.high),
        column(name, ({ estimate }) => estimate?.low),
        column(name, ({ estimate }) => estimate?.middle),
        column(name, ({ load }) => load),
      ]),
    ];
  }

  /** Room for whole marks at both ends. */
  #range(): [number, number] {
    const loads = this.#points.flatMap(({ load, estimate }) =>
      estimate === null ? [load] : [load, estimate.low, estimate.high],
    );
    const [low, high] = [Math.min(...loads), Math.max(...loads)];
    return low <= 0 ? [low - (high - low) / 10, high + (high - low) / 10] : [low / 1.3, high * 1.3];
  }

  #drawPoints(canvas: uPlot): void {
    const { ctx } = canvas;
    ctx.save();
    ctx.lineWidth = 1.8 * devicePixelRatio;
    const radius = radiusPixels * devicePixelRatio;
    for (const [index, { trial, load, colour }] of this.#points.entries()) {
      if (this.#hidden.has(trial.variant)) continue;
      const x = canvas.valToPos(index, 'x', true);
      const y = canvas.valToPos(load, 'y', true);
      ctx.strokeStyle = resolvedColour(colour);
      ctx.fillStyle = trial.outcome === 'pass' ? resolvedColour(colour) : resolvedColour('var(--page)');
      ctx.beginPath();
      if (trial.outcome === 'fail') cross(ctx, x, y, radius);
      else if (trial.outcome === 'running') diamond(ctx, x, y, radius * 1.3);
      else ctx.arc(x, y, radius, 0, 2 * Math.PI);
      if (trial.outcome !== 'fail') ctx.fill();
      ctx.stroke();
      if (trial.number !== this.#chosen) continue;
      ctx.strokeStyle = resolvedColour('var(--ink)');
      ctx.beginPath();
      ctx.arc(x, y, radius * 2, 0, 2 * Math.PI);
      ctx.stroke();
    }
    ctx.restore();
  }
}

function pointText({ trial, estimate }: LoadPoint): string {
  const latency = trial.p99Ms === null ? '' : `, p99 ${msText(trial.p99Ms)}`;
  const known = estimate === null ? '' : `; capacity ${numberText(estimate.middle)}`;
  const interval = estimate === null ? '' : ` (${numberText(estimate.low)}–${numberText(estimate.high)})`;
  return `${trialText(trial)}${latency}${known}${interval}`;
}

function cross(ctx: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  ctx.moveTo(x - radius, y - radius);
  ctx.lineTo(x + radius, y + radius);
  ctx.moveTo(x + radius, y - radius);
  ctx.lineTo(x - radius, y + radius);
}

function diamond(ctx: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  ctx.moveTo(x, y - radius);
  ctx.lineTo(x + radius, y);
  ctx.lineTo(x, y + radius);
  ctx.lineTo(x - radius, y);
  ctx.closePath();
}
