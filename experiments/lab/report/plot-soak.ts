/** Long trials over time: latency, memory, heap and descriptors, window by window. */
import { type SoakFigure, type SoakFinding, soakFindings } from '../analysis/soak.ts';
import type { LoadRun } from '../records/schema.ts';
import { formatBytes, formatMs, formatNumber, formatShare } from './format.ts';
import { looksOf } from './look.ts';
import { axisLeft, axisStyle, legendAbove, lineOf, type Plot, renderSvg } from './plot.ts';

const panelHeight = 110;
const panelGap = 70;
const panels: readonly { title: string; figure: SoakFigure; format: (value: number) => string }[] = [
  { title: 'p99 delivery latency', figure: 'latencyMsP99', format: formatMs },
  { title: 'p50 delivery latency', figure: 'latencyMsP50', format: formatMs },
  { title: 'server memory (resident)', figure: 'rssBytes', format: formatBytes },
  { title: 'heap, lowest of a window', figure: 'heapBytes', format: formatBytes },
  { title: 'open descriptors', figure: 'openFiles', format: formatNumber },
];

/** Null where no long trial has a result. */
export function soakPlot(run: LoadRun): Plot | null {
  const findings = soakFindings(run);
  if (findings.length === 0) return null;
  const drawn = panels.filter(({ figure }) =>
    findings.some(({ soak }) => soak[figure].some((value) => value !== null)),
  );
  const looks = looksOf(run);
  const { legend, pixels } = legendAbove(findings.map((finding) => ({ name: nameOf(finding) })));
  const top = pixels + 40;
  const svg = renderSvg('soak', top + drawn.length * (panelHeight + panelGap) - panelGap + 44, {
    legend,
    grid: drawn.map((_, index) => ({
      left: 72,
      right: 24,
      top: top + index * (panelHeight + panelGap),
      height: panelHeight,
    })),
    xAxis: drawn.map((_, gridIndex) => ({
      ...{ type: 'value', gridIndex, min: 0 },
      ...axisStyle('', (value) => `${formatNumber(value)} min`),
      splitLine: { show: false },
    })),
    yAxis: drawn.map(({ title, format }, gridIndex) =>
      axisLeft(title, format, { type: 'value', gridIndex, min: 0, splitNumber: 3 }),
    ),
    series: drawn.flatMap(({ figure }, index) =>
      findings.map((finding) => ({
        ...lineOf(
          nameOf(finding),
          looks.get(finding.variant.name)!.colour,
          widthOf(finding),
          pointsOf(finding, figure),
        ),
        ...{ xAxisIndex: index, yAxisIndex: index, showSymbol: false },
      })),
    ),
  });
  return {
    file: 'soak',
    title: 'Over the long trials',
    caption:
      'One point for each window. The thin line of a colour is the lower load. The p99 of a window is the highest of its seconds.',
    svg,
  };
}

function nameOf({ variant, trial: { share, load } }: SoakFinding): string {
  return `${variant.name}, ${share === undefined ? formatNumber(load) : formatShare(share)}`;
}

/** Two loads of one variant have one colour. */
function widthOf({ trial: { share = 1 } }: SoakFinding): number {
  return share <= 0.6 ? 1 : 2.25;
}

function pointsOf({ soak }: SoakFinding, figure: SoakFigure) {
  return soak.atSeconds.map((at, index) => [(at + soak.windowSeconds / 2) / 60, soak[figure][index]]);
}
