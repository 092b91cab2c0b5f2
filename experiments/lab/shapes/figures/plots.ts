/** Pictures of a run of figures: a row of dots for each variant, or a line for each family of them. */
import { formatCount } from '../../report/format.ts';
import { looksBy } from '../../report/look.ts';
import { ink, page } from '../../report/palette.ts';
import {
  axisBelow,
  axisLeft,
  legendAbove,
  lineOf,
  logRange,
  type Plot,
  plotWidth,
  renderSvg,
} from '../../report/plot.ts';
import { dotsPlot } from '../../report/plot-dots.ts';
import type { FigureDefinition, FigureRun } from './record.ts';
import { figureText, typicalOf } from './report.ts';

type Drawn = FigureDefinition & { plot: NonNullable<FigureDefinition['plot']> };

const linesPixels = 320;
/** A range up to that factor is drawn on a linear axis. Chosen, not measured. */
const logFrom = 8;

/** One for each figure that is drawn and known. */
export function plotsOfFigures(run: FigureRun): Plot[] {
  const drawn = run.record.figures.filter((definition): definition is Drawn => definition.plot !== undefined);
  return drawn.flatMap((definition) => {
    const isKnown = run.trials.some(({ figures }) => (figures[definition.key] ?? 0) > 0);
    if (!isKnown) return [];
    return run.record.across === undefined ? rowsPlot(run, definition) : linesPlot(run, definition);
  });
}

/** A dot for each trial; the figure beside a row is the median. */
function rowsPlot({ record, trials }: FigureRun, definition: Drawn): Plot {
  const looks = looksBy(record.variants);
  const rows = record.variants.flatMap(({ name }) => {
    const own = trials.filter(({ variant }) => variant === name);
    const values = own.map(({ figures }) => figures[definition.key] ?? null);
    const known = values.filter((value) => value !== null);
    if (known.length === 0) return [];
    return {
      ...{
        name,
        colour: looks.get(name)!.colour,
        figure: figureText(definition, typicalOf(own, definition)),
      },
      remarks: known.length === values.length ? [] : [`not known in ${values.length - known.length}`],
      dots: known.filter((value) => value > 0 || definition.kind === 'count').map((value) => ({ value })),
    };
  });
  const format = (value: number) => figureText(definition, value);
  const scale = definition.kind === 'count' ? 'value' : 'log';
  return dotsPlot(rows, { name: definition.title, format, scale }, definition.plot);
}

/** A line for each family, along the quantity that the experiment varies. */
function linesPlot({ record, trials }: FigureRun, definition: Drawn): Plot {
  const { name: across, places } = record.across!;
  const points = record.variants.flatMap(({ name, stage }) => {
    const own = trials.filter(({ variant }) => variant === name);
    const [place, value] = [places[name], typicalOf(own, definition)];
    return place === undefined || value === null || value <= 0 ? [] : { ...place, stage, along: value };
  });
  const families = [...Map.groupBy(points, ({ family }) => family)];
  const looks = looksBy(families.map(([name, [first]]) => ({ name, stage: first!.stage })));
  const { legend, pixels } = legendAbove(
    families.map(([name]) => ({ name, look: { itemStyle: { color: looks.get(name)!.colour } } })),
  );
  const format = (value: number) => figureText(definition, value);
  const values = points.map(({ along }) => along);
  const isWide = Math.max(...values) > logFrom * Math.min(...values);
  const svg = renderSvg(
    definition.plot.file,
    linesPixels + pixels,
    {
      legend,
      grid: { left: 12, right: 24, top: pixels + 44, bottom: 50, containLabel: true },
      xAxis: axisBelow(
        `${across}, logarithmic`,
        formatCount,
        logRange(
          points.map(({ value }) => value),
          'across',
        ),
      ),
      yAxis: axisLeft(
        isWide ? `${definition.title}, logarithmic` : definition.title,
        format,
        isWide ? logRange(values, 'up') : { type: 'value', min: 0 },
      ),
      series: families.map(([name, own]) => {
        const { colour, symbol, dash } = looks.get(name)!;
        const data = own.toSorted((a, b) => a.value - b.value).map(({ value, along }) => [value, along]);
        const mark = { color: colour, borderColor: page, borderWidth: 1 };
        return {
          ...lineOf(name, colour, 2, data, { type: dash }),
          ...{ symbol, symbolSize: 10, itemStyle: mark, label: { color: ink } },
        };
      }),
    },
    plotWidth,
  );
  return { ...definition.plot, svg };
}
