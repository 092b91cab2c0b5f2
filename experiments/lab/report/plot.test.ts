import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerFixture, runFixture, trialFixture, variantFixture } from '../records/run.fixture.ts';
import { stageColours } from './palette.ts';
import { axisBelow, axisLeft, legendAbove, plotWidth, renderSvg, svgFile } from './plot.ts';
import { findingPlot } from './plot-capacity.ts';
import { edgePlot } from './plot-edge.ts';

test('a stage has its colour in every run, and no other stage has it', () => {
  const ladder = stageColours(['01-naive', '02-bounded', '03-cursor', '04-cores', '05-backplane']);
  assert.equal(new Set(ladder.values()).size, 5);
  const peers = stageColours(['bun-uws', '03-cursor', 'ws']);
  assert.equal(peers.get('03-cursor'), ladder.get('03-cursor'));
  assert.equal(new Set([...peers.values(), ...ladder.values()]).size, 7);
});

test('a picture file has shades for light and dark pages, and colours come from them only', () => {
  const number = (value: number) => String(value);
  const colour = stageColours(['03-cursor']).get('03-cursor')!;
  const svg = renderSvg('some', 200, {
    grid: {},
    xAxis: axisBelow('x', number, { type: 'value' }),
    yAxis: axisLeft('y', number, { type: 'value' }),
    series: { type: 'line', itemStyle: { color: colour }, data: [[1, 2]] },
  });
  assert.match(svg, /var\(--stage-3\)/);
  assert.doesNotMatch(svg, /#0000[0-9a-f]{2}/);
  const file = svgFile({ svg, title: 'A title', caption: '' });
  assert.match(file, /^<svg role="img" aria-label="A title"/);
  assert.match(file, /:root \{ color-scheme: light dark; --ink: #1c2024;/);
  assert.match(file, /@media \(prefers-color-scheme: dark\) \{ :root \{ --ink: #e6e9ed;/);
  assert.match(file, /<rect width="100%" height="100%" rx="6" fill="var\(--page\)"\/>/);
});

test('a legend takes as many rows as its names need, so that it covers nothing below it', () => {
  const names = Array.from({ length: 10 }, (_, index) => ({ name: `0${index}-stage, 16384 B` }));
  const { legend, pixels } = legendAbove(names);
  assert.equal(legend.flatMap(({ data }) => data).length, 10);
  assert.equal(pixels, legend.at(-1)!.top + legend[1]!.top);
  for (const { data } of legend)
    assert.ok(data.length * (60 + 18 * 8.4) <= plotWidth, `${data.length} in a row`);
});

test('latency near the capacity: trials of the search only, at their share of the capacity of their own variant', () => {
  const variant = variantFixture('03-cursor', { answer: answerFixture(1000) });
  const trials = [
    ...[900, 950].map((load, index) =>
      trialFixture(index, load, 50, { variant: '03-cursor', stage: '03-cursor' }),
    ),
    ...[1050, 1100].map((load, index) =>
      trialFixture(2 + index, load, 700, { variant: '03-cursor', stage: '03-cursor', outcome: 'fail' }),
    ),
  ];
  const marks = (run: ReturnType<typeof runFixture>) =>
    edgePlot(run)!.svg.match(/fill="var\(--stage-3\)"/g)!.length;
  const all = marks(runFixture([variant], trials));
  const warmUp = { variant: '03-cursor', stage: '03-cursor', purpose: 'warm-up' as const };
  const more = [
    ...trials,
    trialFixture(9, 1000, 60, warmUp),
    trialFixture(10, 100, 5, { ...warmUp, purpose: 'search' }),
  ];
  // One at a tenth of the capacity lies outside.
  assert.equal(marks(runFixture([variant], more)), all);
  assert.equal(edgePlot(runFixture([variant], [])), null);
});

test('the picture of the finding has no trials, and is none without a capacity', () => {
  const variant = variantFixture('01-naive', { answer: answerFixture(100) });
  const run = runFixture(
    [variant],
    [trialFixture(1, 100, 50), trialFixture(2, 120, 500, { outcome: 'fail' })],
  );
  assert.doesNotMatch(findingPlot(run)!.caption, /each trial/);
  assert.equal(findingPlot(runFixture([variant], [])), null);
});
