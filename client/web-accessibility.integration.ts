/** The chat page by the rules of axe-core, in both colour schemes, on a wide screen and on a phone. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { launchBrowser, load, noChromium } from '../testing/browser.ts';
import { Person } from '../testing/person.ts';
import { ServerProcess } from '../testing/server.ts';
import { violations } from './web-page.fixture.ts';

describe('the chat page is accessible', { skip: noChromium }, () => {
  let browser: Browser;
  before(async () => {
    browser = await launchBrowser();
  });
  after(() => browser.close());

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1400, 400]) {
      test(`${colorScheme}, ${width} px wide`, async () => {
        await using server = await ServerProcess.start('03-cursor');
        const context = await browser.newContext({ colorScheme, viewport: { width, height: 800 } });
        const page = await context.newPage();
        await load(page, `${server.origin.replace(/^ws/, 'http')}/#a%20b`);
        await page.getByText('cannot be the name of a room').waitFor();
        assert.deepEqual(await violations(page), [], 'the form, with a problem');
        await page.getByLabel('Your name').fill('alice');
        await page.getByRole('textbox', { name: 'Room' }).fill('tea');
        await page.keyboard.press('Enter');
        await page.getByText('Connected', { exact: true }).waitFor();
        assert.deepEqual(await violations(page), [], 'an empty room');
        for (let number = 0; number < 12; number++) {
          const person = await Person.join(server.url('tea'), `person ${number}`);
          person.say(`in colour ${number}`);
        }
        await page.getByLabel('Message', { exact: true }).fill('my own');
        await page.keyboard.press('Enter');
        await page.locator('.own').waitFor();
        await page.locator('.message').nth(12).waitFor();
        assert.deepEqual(await violations(page), [], 'messages');
        await server.stop();
        await page.locator('#state[data-state=offline]').waitFor();
        await page.getByLabel('Message', { exact: true }).fill('while away');
        await page.keyboard.press('Enter');
        await page.locator('#pending li').waitFor();
        assert.deepEqual(await violations(page), [], 'offline, with a line that waits');
        await context.close();
      });
    }
  }
});
