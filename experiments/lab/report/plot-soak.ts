/** Long trials over time: latency, memory, heap and descriptors, window by window. */
import { type SoakFigure, type SoakFinding, soakFindings } from '../analysis/soak.ts';
import type { LoadRun } from '../records/schema.ts';
import { formatBytes, formatMs, formatNumber, formatShare } from './format.ts';
import { looksBy } from './look.ts';
import { axisBelow, axisLeft, legendAbove, lineOf, type Plot, renderSvg } from './plot.ts';

/** Two panels in a row, in pixels. */
const panel = { left: 72, width: 212, gap: 58, height: 140, title: 36, below: 34 };
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
  const looks = looksBy(findings.map((finding) => ({ name: nameOf(finding), stage: finding.variant.stage })));
  const { legend, pixels } = legendAbove(findings.map((finding) => ({ name: nameOf(finding) })));
  const rowPixels = panel.title + panel.height + panel.below;
  const svg = renderSvg('soak', pixels + 8 + Math.ceil(drawn.length / 2) * rowPixels + 20, {
    legend,
    grid: drawn.map((_, index) => ({
      left: panel.left + (index % 2) * (panel.width + panel.gap),
      width: panel.width,
      top: pixels + 8 + Math.floor(index / 2) * rowPixels + panel.title,
      height: panel.height,
    })),
    xAxis: drawn.map((_, gridIndex) => {
      const name = gridIndex >= drawn.length - 2 ? 'minutes' : '';
      return axisBelow(name, formatNumber, { type: 'value', gridIndex, min: 0, splitNumber: 4 });
    }),
    yAxis: drawn.map(({ title, format }, gridIndex) =>
      axisLeft(title, format, { type: 'value', gridIndex, min: 0 }),
    ),
    series: drawn.flatMap(({ figure }, index) =>
      findings.map((finding) => {
        const { colour, dash } = looks.get(nameOf(finding))!;
        const line = lineOf(nameOf(finding), colour, 1.75, pointsOf(finding, figure), { type: dash });
        return { ...line, xAxisIndex: index, yAxisIndex: index, showSymbol: false };
      }),
    ),
  });
  return {
    title: 'Over the long trials',
    caption: 'One point for each window. The p99 of a window is the highest of its seconds.',
    svg,
    file: 'soak',
  };
}

function nameOf({ variant, trial: { share, load } }: SoakFinding): string {
  return `${variant.name}, ${share === undefined ? formatNumber(load) : formatShare(share)}`;
}

function pointsOf({ soak }: SoakFinding, figure: SoakFigure) {
  return soak.atSeconds.map((at, index) => [(at + soak.windowSeconds / 2) / 60, soak[figure][index]]);
}
