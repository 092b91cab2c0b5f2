/** A real browser, for tests of pages. */
import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page, type Request } from 'playwright-core';

const usualPaths = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** The Chromium of `CHROMIUM_PATH`, else one at a usual place; undefined where there is none. */
export const chromiumPath = process.env.CHROMIUM_PATH ?? usualPaths.find((path) => existsSync(path));
/** Why a test is skipped where there is none; false where there is one. */
export const noChromium = chromiumPath === undefined && 'no Chromium: install it, or set CHROMIUM_PATH';

/** Starts it without a window. The sandbox is off: it does not work for root in a container. */
export function launchBrowser(): Promise<Browser> {
  const args = ['--no-sandbox', '--disable-background-networking'];
  return chromium.launch({ executablePath: chromiumPath!, args });
}

/** Each container that comes or goes changes the network of this machine. */
const networkChanged = 'net::ERR_NETWORK_CHANGED';
const loadsMax = 20;

/** Opens an address, or loads the page again. Chromium gives up what is loading while the network changes. */
export async function load(page: Page, url?: string): Promise<void> {
  let failed = true;
  const watch = (request: Request): void => {
    failed ||= request.failure()?.errorText === networkChanged;
  };
  page.on('requestfailed', watch);
  for (let loads = 0; failed && loads < loadsMax; loads++) {
    failed = false;
    const loading = url === undefined || loads > 0 ? page.reload() : page.goto(url);
    await loading.catch((error: Error) => {
      if (!error.message.includes(networkChanged)) throw error;
      failed = true;
    });
  }
  page.off('requestfailed', watch);
}

/** Whether a line on the console of a page reports the network of this machine, not a mistake of the page. */
export function isNetworkReport(line: string): boolean {
  return line.includes(networkChanged) || line.includes('WebSocket connection to');
}
