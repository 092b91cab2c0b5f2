/** Capacity against the quantity that an experiment varies: a line for each family of variants. */
import type { LoadRun } from '../records/schema.ts';
import { capacityText } from './claims.ts';
import { formatCount, formatNumber } from './format.ts';
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
/** Labels of two points collide below this factor between them. Chosen, not measured. */
const nearTimes = 1.6;
/** The labels of more families lie upon each other; the table has their figures. */
export const labelledFamiliesMax = 6;
/** Room for the arrow of a lower bound, as a share of the height of a logarithmic axis. */
const arrowShare = 0.1;
/** How far beside its point a trial is drawn, as a share of the width of the axis. */
const besideShare = 0.03;
/** Distance between the points of two families at one value, as a share of the width of the axis. */
const apartShare = 0.022;

/** Lines join the capacities; trials stand beside them. `only`: of this stage, on the axes of all. */
export function parameterPlot(
  run: LoadRun,
  { parameter, families }: { parameter: Parameter; families: readonly Family[] },
  only?: string,
): Plot {
  const { unit } = run.record.varied;
  const all = families.map((family) => ({
    ...family,
    points: family.points.filter(({ finding }) => finding.threshold !== null),
  }));
  const drawn = all.filter(({ stage }) => only === undefined || stage === only);
  const file = only === undefined ? 'capacity' : `capacity-${only}`;
  const looks = looksBy(drawn);
  const points = all.flatMap((family) => family.points);
  const loads = points.flatMap(({ finding: { threshold, atLeast } }) =>
    atLeast === null ? [threshold!.capacity.low, threshold!.capacity.high] : [atLeast],
  );
  const ends = points.map(({ finding: { threshold, atLeast } }) => atLeast ?? threshold!.capacity.high);
  const lowest = Math.min(...loads);
  const arrowEnds = points.flatMap(({ finding: { atLeast } }) =>
    atLeast === null ? [] : atLeast * (atLeast / lowest) ** arrowShare * 1.1,
  );
  const x = xRange(
    points.map(({ value }) => value),
    drawn.length,
  );
  const isLog = Math.max(...loads) / lowest > logFrom.up;
  const { legend, pixels } = legendAbove(
    drawn.map(({ name }) => ({ name, look: { icon: looks.get(name)!.symbol } })),
    12,
  );
  const svg = renderSvg(file, plotPixels + pixels + 44, {
    grid: { left: 8, right: 24, top: pixels + 40, bottom: 44, containLabel: true },
    legend,
    xAxis: axisBelow(parameter.name, formatCount, x.axis),
    yAxis: axisLeft(
      `${unit}${isLog ? ', logarithmic' : ''}`,
      formatNumber,
      isLog ? logRange([...loads, ...arrowEnds], 'up') : { type: 'value', min: 0 },
    ),
    series: [
      // For the range of the axis, which does not see the whiskers.
      { type: 'scatter', symbolSize: 0, data: points.map(({ value }, index) => [value, ends[index]]) },
      ...drawn.flatMap((family, index) =>
        familySeries(
          family,
          looks.get(family.name)!,
          { at: x.apart(index), beside: x.beside(1 + index + (drawn.length - 1) / 2) },
          drawn,
        ),
      ),
    ],
  });
  return {
    title:
      only === undefined
        ? `Capacity against ${parameter.name}`
        : `${only}: capacity against ${parameter.name}`,
    caption: `Each point is the load that half of the trials hold, with its 90 % interval; an arrow is a lower bound. Beside it each trial: ${marksExplained}.`,
    svg,
    file,
  };
}

type FamilyLook = ReturnType<ReturnType<typeof looksBy>['get']> & object;

function familySeries(
  { name, points }: Family,
  look: FamilyLook,
  { at, beside }: Record<'at' | 'beside', Place>,
  all: readonly Family[],
) {
  const { colour, symbol, dash } = look;
  const whiskers = points.map(({ value, finding: { threshold, atLeast } }) => {
    const { low, middle, high } = threshold!.capacity;
    const along = atLeast ?? middle;
    return { across: at(value), along, low, high, colour, isOpen: atLeast !== null };
  });
  const data = points.map(({ value, finding }, place) => ({
    value: [at(value), whiskers[place]!.along],
    symbol,
    label: {
      show: all.length <= labelledFamiliesMax && nearOf(value, whiskers[place]!.along, all).length <= 1,
      fontSize: fontPixels,
      position: labelPosition(value, whiskers[place]!.along, all),
      color: ink,
      textBorderColor: page,
      textBorderWidth: 3,
      formatter: capacityText(finding),
    },
  }));
  const trials = points.flatMap(({ value, finding }) =>
    finding.trials.map(({ load, outcome }) => ({
      value: [beside(value), load],
      ...markOf(outcome, colour, 6),
    })),
  );
  return [
    { ...lineOf(name, colour, 2, data, { type: dash }), symbolSize: 11, z: 4 },
    whiskerSeries(whiskers, 'vertical'),
    { type: 'scatter', data: trials, z: 2 },
  ];
}

/** To the right, where neither whisker nor trials are: above the point, or below where another is near. */
function labelPosition(value: number, along: number, all: readonly Family[]): [number, number] {
  return nearOf(value, along, all).some((load) => along < load) ? [16, 10] : [16, -14];
}

/** The other capacities at that value whose labels would lie upon this one's. */
function nearOf(value: number, along: number, all: readonly Family[]): number[] {
  const there = all.flatMap(({ points }) => points.filter((point) => point.value === value));
  const loads = there.map(({ finding: { atLeast, threshold } }) => atLeast ?? threshold!.capacity.middle);
  return loads.filter((load) => load !== along && load < nearTimes * along && along < nearTimes * load);
}

/** Where something of a value of the parameter is drawn. */
type Place = (value: number) => number;
/** `apart`: the points of the nth family; `beside`: to the left of them, by so many steps. */
type Range = { axis: object; apart(family: number): Place; beside(steps: number): Place };

/** The axis of the parameter, with room for marks and labels at both ends, and the places along it. */
function xRange(values: readonly number[], families: number): Range {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const marks = marksAt([...new Set(values)]);
  const middle = (families - 1) / 2;
  if (high / low > logFrom.across) {
    const room = (high / low) ** (0.13 + apartShare * middle);
    const moved = (share: number) => (value: number) => value * (high / low) ** share;
    return {
      axis: { type: 'log', min: low / room, max: high * room, ...marks },
      apart: (family) => moved(apartShare * (family - middle)),
      beside: (steps) => moved(-besideShare * steps),
    };
  }
  const width = Math.max(1, high - low);
  const room = Math.max(0.5, width * (0.18 + apartShare * middle));
  const moved = (share: number) => (value: number) => value + width * share;
  return {
    axis: { type: 'value', min: low - room, max: high + room, ...marks },
    apart: (family) => moved(apartShare * (family - middle)),
    beside: (steps) => moved(-besideShare * steps),
  };
}
