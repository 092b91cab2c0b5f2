import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stageColours } from './palette.ts';
import { axisBelow, axisLeft, legendAbove, plotWidth, renderSvg, svgFile } from './plot.ts';

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
