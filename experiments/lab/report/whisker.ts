/** A value with its interval, drawn as a whisker: an arrow where only a lower bound is known. */
import type { CustomSeriesRenderItem } from 'echarts';

export type Whisker = {
  /** In the units of the axes; `across` runs along the interval. */
  across: number;
  along: number;
  low: number;
  high: number;
  colour: string;
  isOpen: boolean;
};

const capPixels = 6;
const arrowPixels = 24;

/** A series of whiskers; `direction` is that of the interval. */
export function whiskerSeries(whiskers: readonly Whisker[], direction: 'horizontal' | 'vertical') {
  const isHorizontal = direction === 'horizontal';
  const renderItem: CustomSeriesRenderItem = (_parameters, api) => {
    const whisker = whiskers[Number(api.value(2))]!;
    const pixelOf = (value: number) =>
      api.coord(isHorizontal ? [value, whisker.across] : [whisker.across, value]) as [number, number];
    const style = { stroke: whisker.colour, lineWidth: 2.25, fill: 'none' };
    const path = whisker.isOpen ? arrowFrom(pixelOf(whisker.along), isHorizontal) : undefined;
    const [from, to] = [pixelOf(whisker.low), pixelOf(whisker.high)];
    const strokes = path ?? [
      [from, to],
      ...[from, to].map(([x, y]) =>
        isHorizontal
          ? [[x, y - capPixels] as const, [x, y + capPixels] as const]
          : [[x - capPixels, y] as const, [x + capPixels, y] as const],
      ),
    ];
    return {
      type: 'group',
      children: strokes.map((points) => ({
        type: 'polyline',
        shape: { points: points as number[][] },
        style,
      })),
    };
  };
  const data = whiskers.map(({ across, along }, index) =>
    isHorizontal ? [along, across, index] : [across, along, index],
  );
  return { type: 'custom', renderItem, data, z: 3, silent: true };
}

function arrowFrom([x, y]: readonly [number, number], isHorizontal: boolean) {
  const end = arrowPixels;
  const head = arrowPixels - capPixels;
  const points = [
    [
      [0, 0],
      [end, 0],
    ],
    [
      [head, -capPixels],
      [end, 0],
      [head, capPixels],
    ],
  ];
  return points.map((line) =>
    line.map(([along, across]) => (isHorizontal ? [x + along!, y + across!] : [x + across!, y - along!])),
  );
}
