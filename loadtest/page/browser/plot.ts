/** A chart on a canvas: drawn by uPlot, with a focus, a readout and arrow keys of its own. */
import uPlot from 'uplot';
import { roundMarks } from '../marks.ts';
import { element, resolvedColour } from './elements.ts';

/** What a chart is made of. All values lie at the same points across. */
export type PlotOptions = {
  title: string;
  /** The same for all charts whose cursors move together; left out: alone. */
  group?: string;
  scale: 'log' | 'linear';
  acrossText: (value: number) => string;
  upText: (value: number) => string;
  /** Marks at whole numbers only, one for each at most. */
  isCounted?: boolean;
  /** Ends of the axes; left out: those of the data. */
  acrossRange?: () => [number, number];
  upRange?: () => [number, number];
  lines: { colour: string; width?: number; isStepped?: boolean; isDashed?: boolean; isShown?: boolean }[];
  /** Pairs of lines, the upper first, with the colour between them. */
  bands?: { upper: number; lower: number; colour: string }[];
  data: (number | null)[][];
  /** Draws below the lines, above the grid. */
  drawBelow?: (plot: uPlot) => void;
  drawAbove?: (plot: uPlot) => void;
  /** The point under the cursor, or null; `up` is the value at the height of the cursor. */
  onCursor: (index: number | null, up: number | null) => void;
  /** A click or Enter on a point. */
  onChoose?: (index: number) => void;
};

export type Plot = {
  root: HTMLElement;
  setData(data: (number | null)[][]): void;
  setShown(line: number, isShown: boolean): void;
  redraw(): void;
  destroy(): void;
};

const heightPixels = 230;
const phoneHeightPixels = 190;
const phonePixels = 500;
const keys: Readonly<Record<string, (index: number, last: number) => number>> = {
  ArrowLeft: (index) => index - 1,
  ArrowRight: (index) => index + 1,
  Home: () => 0,
  End: (_, last) => last,
};

/** Draws a chart that follows the width of its element. */
export function newPlot(options: PlotOptions): Plot {
  const hint = `${options.title}. Arrow keys move along the chart${options.onChoose ? ', Enter chooses' : ''}.`;
  const root = element('div', { class: 'plot', tabindex: 0, role: 'group', 'aria-label': hint });
  const sized = (width: number) => ({
    width,
    height: width < phonePixels ? phoneHeightPixels : heightPixels,
  });
  const plot = new uPlot({ ...sized(400), ...uplotOptions(options) }, aligned(options.data), root);
  const resize = new ResizeObserver(([entry]) => {
    const width = Math.floor(entry!.contentRect.width);
    if (width > 0 && width !== plot.width) plot.setSize(sized(width));
  });
  resize.observe(root);
  root.addEventListener('keydown', (event) => {
    const across = plot.data[0] as number[];
    const last = across.length - 1;
    const now = plot.cursor.idx ?? null;
    if (event.key === 'Enter' && now !== null) options.onChoose?.(now);
    const move = keys[event.key];
    if (move === undefined || last < 0) return;
    event.preventDefault();
    const next = Math.min(last, Math.max(0, now === null ? last : move(now, last)));
    plot.setCursor({ left: plot.valToPos(across[next]!, 'x'), top: plot.over.clientHeight / 2 });
  });
  root.addEventListener('blur', () => plot.setCursor({ left: -10, top: -10 }));
  plot.over.addEventListener('click', () => {
    if (plot.cursor.idx != null) options.onChoose?.(plot.cursor.idx);
  });
  return {
    root,
    setData: (data) => plot.setData(aligned(data)),
    setShown: (line, show) => plot.setSeries(line + 1, { show }),
    redraw: () => plot.redraw(false, true),
    destroy: () => {
      resize.disconnect();
      plot.destroy();
    },
  };
}

function uplotOptions(options: PlotOptions): Omit<uPlot.Options, 'width' | 'height'> {
  const { scale, group, acrossRange, upRange, lines, bands = [] } = options;
  const axis = (text: (value: number) => string): uPlot.Axis => ({
    stroke: () => resolvedColour('var(--muted)'),
    font: '12px system-ui, sans-serif',
    grid: { stroke: () => resolvedColour('var(--line)'), width: 1 },
    ticks: { show: false },
    values: (_, marks) => marks.map((mark) => (mark === null ? '' : text(mark))),
  });
  const { drawBelow, drawAbove } = options;
  return {
    padding: [8, 12, 0, 0],
    legend: { show: false },
    cursor: {
      drag: { x: false, y: false },
      points: { size: 7 },
      ...(group !== undefined && { sync: { key: group, scales: ['x', null] } }),
    },
    scales: {
      x: { time: false, ...(acrossRange && { range: () => acrossRange() }) },
      y: {
        ...(scale === 'log' ? { distr: 3 } : { range: fromZero }),
        ...(upRange && { range: () => upRange() }),
      },
    },
    axes: [
      { ...axis(options.acrossText), size: 28, space: 56, ...(options.isCounted && { incrs: counts }) },
      { ...axis(options.upText), size: widthOf, space: upSpace, ...(scale === 'log' && logMarks) },
    ],
    series: [{}, ...lines.map((line) => seriesOf(line))],
    bands: bands.map(({ upper, lower, colour }) => ({
      series: [upper + 1, lower + 1],
      fill: () => `color-mix(in srgb, ${resolvedColour(colour)} 22%, transparent)`,
    })),
    hooks: {
      ...(drawBelow && { drawAxes: [drawBelow] }),
      ...(drawAbove && { draw: [drawAbove] }),
      setCursor: [
        (plot) => {
          const { idx, top = -1 } = plot.cursor;
          options.onCursor(idx ?? null, top < 0 ? null : plot.posToVal(top, 'y'));
        },
      ],
    },
  };
}

function seriesOf(line: PlotOptions['lines'][number]): uPlot.Series {
  const { colour, width = 1.5, isStepped = false, isDashed = false, isShown = true } = line;
  return {
    show: isShown,
    stroke: () => resolvedColour(colour),
    width,
    ...(isDashed && { dash: [4, 4] }),
    ...(isStepped && { paths: uPlot.paths.stepped!({ align: 1 }) }),
    spanGaps: true,
    // A single value has no line: only a point shows it.
    points: { show: (plot, series) => (plot.data[series] as unknown[]).length < 2 && width > 0 },
  };
}

/** Least distance of two marks above one another, in pixels. */
const upSpace = 34;
const counts = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

/** Marks of a logarithmic axis: uPlot would put them at powers of ten times the lower end of the axis. */
const logMarks: Pick<uPlot.Axis, 'splits' | 'filter'> = {
  splits: ({ over }, _axis, min, max) => roundMarks(min, max, over.clientHeight / upSpace),
  filter: (_, marks) => marks,
};

/** Room for the longest label, in pixels of a font of 12. */
function widthOf(_: uPlot, labels: readonly string[] | null): number {
  return 16 + 6.6 * Math.max(4, ...(labels ?? []).map((label) => label.length));
}

/** A little above the highest value, and never an empty range. */
function fromZero(_: uPlot, _min: number | null, max: number | null): [number, number] {
  return [0, max === null || max <= 0 ? 1 : max * 1.08];
}

/** uPlot draws nothing without a point. */
function aligned(data: (number | null)[][]): uPlot.AlignedData {
  return data as uPlot.AlignedData;
}
