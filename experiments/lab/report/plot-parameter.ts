/** Capacity against the quantity that an experiment varies: a line for each family of variants. */
import type { LoadRun } from '../records/schema.ts';
import { capacityText } from './claims.ts';
import { formatNumber } from './format.ts';
import { looksBy, markOf, marksExplained } from './look.ts';
import { ink, page } from './palette.ts';
import type { Family, Parameter } from './parameter.ts';
import {
  axisBelow,
  axisLeft,
  fontPixels,
  legendAbove,
  lineOf,
  logRange,
  marksAt,
  type Plot,
  renderSvg,
} from './plot.ts';
import { whiskerSeries } from './whisker.ts';

const plotPixels = 320;
/** Larger ranges of the parameter, or of the capacity, need a logarithmic axis. Chosen, not measured. */
const logFrom = { across: 12, up: 8 };
/** How far beside its point a trial is drawn, as a share of the width of the axis. */
const besideShare = 0.03;

/** Lines join the capacities; the trials stand beside them. */
export function parameterPlot(
  run: LoadRun,
  { parameter, families }: { parameter: Parameter; families: readonly Family[] },
): Plot {
  const { unit } = run.record.varied;
  const drawn = families.map((family) => ({
    ...family,
    points: family.points.filter(({ finding }) => finding.threshold !== null),
  }));
  const looks = looksBy(drawn);
  const points = drawn.flatMap((family) => family.points);
  const loads = points.flatMap(({ finding: { threshold, atLeast } }) =>
    atLeast === null ? [threshold!.capacity.low, threshold!.capacity.high] : [atLeast],
  );
  const x = xRange(points.map(({ value }) => value));
  const isLog = Math.max(...loads) / Math.min(...loads) > logFrom.up;
  const { legend, pixels } = legendAbove(
    drawn.map(({ name }) => ({ name, look: { icon: looks.get(name)!.symbol } })),
  );
  const svg = renderSvg('capacity', plotPixels + pixels + 44, {
    grid: { left: 8, right: 24, top: pixels + 40, bottom: 44, containLabel: true },
    legend,
    xAxis: axisBelow(parameter.name, formatNumber, x.axis),
    yAxis: axisLeft(
      `${unit}${isLog ? ', logarithmic' : ''}`,
      formatNumber,
      isLog ? logRange(loads, 'up') : { type: 'value', min: 0 },
    ),
    series: drawn.flatMap((family, index) => familySeries(family, looks.get(family.name)!, index, x.beside)),
  });
  return {
    title: `Capacity against ${parameter.name}`,
    caption: `Each point is the load that half of the trials hold, with its 90 % interval; an arrow is a lower bound. Beside it each trial: ${marksExplained}.`,
    svg,
    file: 'capacity',
  };
}

type FamilyLook = ReturnType<ReturnType<typeof looksBy>['get']> & object;

function familySeries({ name, points }: Family, look: FamilyLook, index: number, beside: Beside) {
  const { colour, symbol, dash } = look;
  const whiskers = points.map(({ value, finding: { threshold, atLeast } }) => {
    const { low, middle, high } = threshold!.capacity;
    const along = atLeast ?? middle;
    return { across: value, along, low, high, colour, isOpen: atLeast !== null };
  });
  const label = {
    show: true,
    position: index % 2 === 0 ? 'left' : 'right',
    distance: 10,
    fontSize: fontPixels,
  };
  const data = points.map(({ value, finding }, place) => ({
    value: [value, whiskers[place]!.along],
    symbol,
    label: {
      ...label,
      color: ink,
      textBorderColor: page,
      textBorderWidth: 3,
      formatter: capacityText(finding),
    },
  }));
  const trials = points.flatMap(({ value, finding }) =>
    finding.trials.map(({ load, outcome }) => ({
      value: [beside(value, index % 2 === 0 ? 1 : -1), load],
      ...markOf(outcome, colour, 6),
    })),
  );
  return [
    { ...lineOf(name, colour, 2, data, { type: dash }), symbolSize: 11, z: 4 },
    whiskerSeries(whiskers, 'vertical'),
    { type: 'scatter', data: trials, z: 2 },
  ];
}

type Beside = (value: number, side: number) => number;

/** The axis of the parameter, with room at both ends, and how to move a value to the side. */
function xRange(values: readonly number[]): { axis: object; beside: Beside } {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const marks = marksAt([...new Set(values)]);
  if (high / low > logFrom.across) {
    const room = (high / low) ** 0.13;
    const step = (high / low) ** besideShare;
    const axis = { type: 'log', min: low / room, max: high * room, ...marks };
    return { axis, beside: (value, side) => value * step ** side };
  }
  const room = Math.max(0.5, (high - low) * 0.18);
  const step = Math.max(1, high - low) * besideShare;
  const axis = { type: 'value', min: low - room, max: high + room, ...marks };
  return { axis, beside: (value, side) => value + side * step };
}
