/** The report of an experiment by the rules of axe-core, in both colour schemes, wide and on a phone. */
import assert from 'node:assert/strict';
import { mkdtempDisposableSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import axe from 'axe-core';
import { launchBrowser, noChromium } from '../../../testing/browser.ts';
import { answerFixture, runFixture, trialFixture, variantFixture } from '../records/run.fixture.ts';
import { htmlReport } from '../report/html.ts';
import { capacity } from './capacity/capacity.ts';

test('a report is accessible, fits, and its policy hinders nothing in it', { skip: noChromium }, async () => {
  const trials = [90, 110, 95, 105].map((load, index) =>
    trialFixture(index + 1, load, load < 100 ? 40 : 400, {
      ...(load > 100 && { outcome: 'fail', reasons: ['p99 was 400 ms; the limit is p99<250ms'] }),
    }),
  );
  const run = runFixture([variantFixture('01-naive', { answer: answerFixture(100) })], trials);
  using directory = mkdtempDisposableSync(join(tmpdir(), 'report-'));
  const file = join(directory.path, 'report.html');
  writeFileSync(file, htmlReport(run, capacity.report(run), await capacity.plots!(run)));
  await using browser = await launchBrowser();
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1400, 400]) {
      const page = await browser.newPage({ colorScheme, viewport: { width, height: 900 } });
      const lines: string[] = [];
      page.on('console', (message) => lines.push(message.text()));
      page.on('pageerror', (error) => lines.push(String(error)));
      await page.goto(pathToFileURL(file).href);
      await page.locator('.plot canvas').first().waitFor();
      await page.evaluate(axe.source);
      const { violations } = await page.evaluate<axe.AxeResults>('axe.run()');
      const found = violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
      assert.deepEqual([found, lines], [[], []], `${colorScheme}, ${width} px wide`);
      assert.equal(await page.evaluate('document.documentElement.scrollWidth'), width);
    }
  }
});
