/** The chat page in a browser, for tests: who enters, and what the page reported as errors. */
import assert from 'node:assert/strict';
import axe from 'axe-core';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { isNetworkReport, load } from '../testing/browser.ts';
import type { ServerProcess } from '../testing/server.ts';

export const password = 'a password for tests';
/** Hashing is made cheap for tests that are not about it. */
export const cheapHashes = ['--password-memory', '64KiB', '--password-passes', '1'];

/** Opens pages, and collects what they report as errors. */
export class Pages {
  readonly #browser: Browser;
  readonly #errors: string[] = [];

  constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** A page of a browser of its own, in the room tea. */
  async open(server: ServerProcess, options: BrowserContextOptions = {}) {
    const context = await this.#browser.newContext(options);
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (error) => this.#errors.push(error.message));
    page.on('console', (line) => {
      const isRefusal = /the server responded with a status of 4\d\d/.test(line.text());
      if (line.type() === 'error' && !isNetworkReport(line.text()) && !isRefusal)
        this.#errors.push(line.text());
    });
    await load(page, `${server.origin.replace(/^ws/, 'http')}/#tea`);
    return Object.assign(page, { [Symbol.asyncDispose]: () => context.close() });
  }

  /** Fails where a page has reported an error since the last time. */
  check(): void {
    assert.deepEqual(this.#errors.splice(0), []);
  }
}

/** Makes an account in the page, or logs in. */
export async function enter(page: Page, user: string, button: 'Make an account' | 'Join'): Promise<void> {
  await page.getByLabel('Your name').fill(user);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: button }).click();
  const connected = page.getByText('Connected', { exact: true });
  await connected.waitFor().catch(async ({ message }: Error) => {
    throw new Error(`${message}The page says: ${await page.locator('body').ariaSnapshot()}`);
  });
  await page.locator('#account-name', { hasText: user }).waitFor({ state: 'attached' });
}

/** What axe finds, in short. */
export async function violations(page: Page): Promise<string[]> {
  if (!(await page.evaluate("'axe' in globalThis"))) await page.evaluate(axe.source);
  const result = await page.evaluate<axe.AxeResults>('axe.run()');
  return result.violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, any }) => `${id}: ${html} ${any[0]?.message}`),
  );
}
