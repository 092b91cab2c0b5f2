/** The page in a real browser: hover, legend, click, keys, hostile text, and its return after an absence. */
import assert from 'node:assert/strict';
import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import type { Browser, Locator, Page } from 'playwright-core';
import { isNetworkReport, launchBrowser, load, noChromium } from '../../testing/browser.ts';
import { pageDocument } from './document.ts';
import { LivePage } from './live-page.ts';
import { newTrial, type PageState, type PageTrial } from './state.ts';

const hostile = '<img src=x onerror=alert(1)>"&</script>';

describe('the page of a run', { skip: noChromium }, () => {
  let browser: Browser;
  before(async () => {
    browser = await launchBrowser();
  });
  after(() => browser.close());

  /** A report, opened from its file, and the lines that its console had. */
  async function openReport(
    state: PageState,
    { width = 1400, colorScheme = 'light' as 'light' | 'dark' } = {},
  ) {
    const directory = mkdtempDisposableSync(join(tmpdir(), 'page-'));
    const file = join(directory.path, 'report.html');
    const around = { title: 'report', before: '<h1>A report</h1>', after: '', style: '' };
    writeFileSync(file, pageDocument({ ...around, state }));
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 } });
    const page = await context.newPage();
    const lines = linesOf(page);
    await page.goto(pathToFileURL(file).href);
    await page.locator('.plot canvas').first().waitFor();
    const close = async () => {
      await context.close();
      directory.remove();
    };
    return { page, lines, [Symbol.asyncDispose]: close };
  }

  test('a click on a trial shows its timeline, by its mark and by its button', async () => {
    await using report = await openReport(stateOf(trialAt(1), trialAt(2), trialAt(3)));
    const { page } = report;
    const title = page.locator('#timeline-title');
    assert.match((await title.textContent())!, /^Trial 3 · a · 300 messages\/s · pass/);
    // Three marks, one in each third of the chart.
    const area = (await page.locator('.loads .u-over').boundingBox())!;
    await page.mouse.click(area.x + area.width / 6, area.y + area.height / 2);
    assert.match((await title.textContent())!, /^Trial 1 /);
    await page.getByRole('button', { name: 'show trial 2' }).click();
    assert.match((await title.textContent())!, /^Trial 2 /);
    assert.equal(await page.locator('.trials [aria-pressed=true]').textContent(), '2');
    assert.deepEqual(report.lines, []);
  });

  test('the cursor and the arrow keys tell the values of that second, in all charts of the trial', async () => {
    await using report = await openReport(stateOf(trialAt(1), trialAt(2)));
    const { page } = report;
    const latency = page.locator('figure', { has: page.getByText('Delivery latency', { exact: true }) });
    const area = (await latency.locator('.u-over').boundingBox())!;
    // Times run from 0 to 4 s: the middle is the second that begins at 2 s.
    await page.mouse.move(area.x + area.width / 2, area.y + area.height / 2);
    await latency.getByText('at 2 s').waitFor();
    assert.equal(await latency.getByRole('button', { name: /^p99/ }).textContent(), 'p9932 ms');
    const deliveries = page.locator('figure', { has: page.getByText('Deliveries per second') });
    assert.match((await deliveries.getByRole('button').textContent())!, /1,020$/);
    const chart = latency.locator('.plot');
    await chart.focus();
    await page.keyboard.press('Home');
    await latency.getByText('at 0 s').waitFor();
    await page.keyboard.press('ArrowRight');
    await latency.getByText('at 1 s').waitFor();
    assert.equal(await latency.getByRole('button', { name: /^p99/ }).textContent(), 'p9931 ms');
  });

  test('the heat map tells how many deliveries lie under the cursor', async () => {
    await using report = await openReport(stateOf(trialAt(1), trialAt(2)));
    const { page } = report;
    const heat = page.locator('figure', { has: page.getByText('Latency of every delivery') });
    const area = (await heat.locator('.u-over').boundingBox())!;
    // 1,024 µs to 1,448 µs is the lowest of three rows.
    await page.mouse.move(area.x + area.width * 0.26, area.y + area.height * 0.9);
    await heat.getByText('at 1 s: 990 deliveries of 1.02 ms to 1.45 ms').waitFor();
    await page.mouse.move(area.x + area.width * 0.26, area.y + area.height * 0.5);
    await heat.getByText('at 1 s: 0 deliveries').waitFor();
  });

  test('the legend switches lines, and they stay switched for the next trial', async () => {
    await using report = await openReport(stateOf(trialAt(1), trialAt(2)));
    const { page } = report;
    const latency = page.locator('figure', { has: page.getByText('Delivery latency', { exact: true }) });
    // The colour of the third line, in the light scheme.
    const isDrawn = () => hasColour(latency.locator('canvas'), [0x00, 0x80, 0x5d]);
    assert.equal(await isDrawn(), true);
    const button = latency.getByRole('button', { name: /^max/ });
    await button.click();
    assert.equal(await button.getAttribute('aria-pressed'), 'false');
    assert.equal(await isDrawn(), false);
    await button.press('Enter');
    assert.equal(await button.getAttribute('aria-pressed'), 'true');
    assert.equal(await isDrawn(), true);
    await button.click();
    await page.getByRole('button', { name: 'show trial 1' }).click();
    assert.equal(await latency.getByRole('button', { name: /^max/ }).getAttribute('aria-pressed'), 'false');
  });

  test('names and reasons are text, whatever they hold', async () => {
    const variants = [{ name: hostile, colour: 'var(--line-1)' }];
    const trials = [1, 2].map((number) =>
      trialAt(number, { variant: hostile, about: hostile, reasons: [hostile], outcome: 'fail' }),
    );
    await using report = await openReport({ ...stateOf(...trials), variants, unit: hostile, title: hostile });
    assert.equal(await report.page.locator('img').count(), 0);
    assert.equal(await report.page.locator('.reasons li').textContent(), hostile);
    assert.deepEqual(report.lines, []);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1400, 400]) {
      test(`is accessible and fits: ${colorScheme}, ${width} px wide`, async () => {
        const trials = [trialAt(1), trialAt(2, { outcome: 'fail', reasons: ['p99 was 300 ms'] })];
        const state = stateOf(...trials, trialAt(3, { outcome: 'void' }));
        await using report = await openReport(state, { width, colorScheme });
        const { page, lines } = report;
        await page.getByRole('button', { name: 'show trial 2' }).click();
        assert.deepEqual(await violations(page), []);
        assert.equal(await page.evaluate('document.documentElement.scrollWidth'), width);
        assert.deepEqual(lines, []);
      });
    }
  }

  test('a live page that was away shows the state again, and at the end it is the report', async () => {
    const first = await LivePage.open(0, stateOf(trialAt(1)));
    const port = Number(new URL(first.url).port);
    const context = await browser.newContext();
    const page = await context.newPage();
    const lines = linesOf(page);
    try {
      await load(page, first.url);
      await page.getByText('live', { exact: true }).waitFor();
      first.publish({ event: 'trial', trial: newTrial({ ...titleAt(2), about: 'of the first' }) });
      first.publish({ event: 'phase', phase: 'measure' });
      await page.locator('.now', { hasText: 'trial 2 · a · of the first · measure' }).waitFor();
      await first[Symbol.asyncDispose]();
      await page.getByText('The run does not answer').waitFor();
      await using second = await LivePage.open(port, first.state);
      second.publish({ event: 'trial', trial: trialAt(2) });
      second.publish({ event: 'trial', trial: newTrial({ ...titleAt(3), about: 'while it was away' }) });
      await page.locator('.now', { hasText: 'while it was away' }).waitFor();
      assert.equal(await page.locator('.trials tbody tr').count(), 3);
      assert.deepEqual(await violations(page), []);
      const state = { ...stateOf(trialAt(1), trialAt(2)), isEnded: true };
      await second.end({
        state,
        title: 'ended',
        before: '<h1 id="x">The report</h1>',
        after: '<p>below</p>',
      });
      await page.getByRole('heading', { name: 'The report' }).waitFor();
      assert.equal(await page.title(), 'ended');
      assert.equal(await page.locator('.status').count(), 0);
      assert.match((await page.locator('#timeline-title').textContent())!, /^Trial 2 .* pass$/);
      assert.deepEqual(await violations(page), []);
      assert.deepEqual(
        lines.filter((line) => !line.includes('ERR_')),
        [],
      );
    } finally {
      await first[Symbol.asyncDispose]();
      await context.close();
    }
  });
});

function titleAt(number: number) {
  return { number, variant: 'a', load: number * 100, about: `${number * 100} messages/s`, purpose: 'search' };
}

/** Four seconds, from 0 s to 3 s; the last column ends at 4 s. */
function trialAt(number: number, changes: Partial<PageTrial> = {}): PageTrial {
  const atSeconds = [0, 1, 2, 3];
  const each = (of: (at: number) => number) => atSeconds.map(of);
  return {
    ...newTrial(titleAt(number)),
    ...{ outcome: 'pass', p99Ms: 31, deliveriesPerSecond: 1000 },
    estimate: { low: 90, middle: 100 + number, high: 120 },
    phases: [{ phase: 'measure', atSeconds: 0 }],
    seconds: {
      ...{ atSeconds, deliveries: each((at) => 1000 + at * 10), simulatorCores: each(() => 0.2) },
      ...{ p50: each(() => 2), p99: each((at) => 30 + at), max: each((at) => 60 + number * at) },
      counts: atSeconds.map(() => ({ first: 20, counts: [990, 0, 10] })),
    },
    nodes: [
      {
        ...{ name: 'node-1', atSeconds, cpuCores: each(() => 0.4), rssBytes: each(() => 1e8) },
        throttledShare: each(() => 0.1),
      },
    ],
    ...changes,
  };
}

function stateOf(...trials: PageTrial[]): PageState {
  return {
    ...{ title: 'a run', question: 'How many?', unit: 'messages/s', limitMs: 250 },
    ...{ variants: [{ name: 'a', colour: 'var(--line-1)' }], trials, clock: null, isEnded: true },
  };
}

/** The part of a canvas that is used here; the types of a browser are not known to tests. */
type Canvas = {
  width: number;
  height: number;
  getContext(kind: '2d'): {
    getImageData(x: number, y: number, width: number, height: number): { data: number[] };
  };
};

/** Whether a canvas has a pixel of a colour. */
function hasColour(canvas: Locator, colour: readonly number[]): Promise<boolean> {
  return canvas.evaluate((node, wanted) => {
    const drawn = node as unknown as Canvas;
    const { data } = drawn.getContext('2d').getImageData(0, 0, drawn.width, drawn.height);
    return data.some((_, at) => at % 4 === 0 && wanted.every((part, next) => data[at + next] === part));
  }, colour);
}

/** What the page complains about, its policy included. */
function linesOf(page: Page): string[] {
  const lines: string[] = [];
  page.on('console', (message) => {
    if (!isNetworkReport(message.text())) lines.push(message.text());
  });
  page.on('pageerror', (error) => lines.push(String(error)));
  return lines;
}

/** What axe finds, in short. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const result = await page.evaluate<axe.AxeResults>('axe.run()');
  return result.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, any }) => `${id}: ${html} ${any[0]?.message}`),
  );
}
