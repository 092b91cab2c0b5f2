/** A real browser, for tests of pages. */
import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

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
