/** Images in a real browser: which page may upload, which may show, and that an image runs nothing. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import type { Page } from 'playwright-core';
import { launchBrowser, load, noChromium } from '../../testing/browser.ts';
import { address, TestMedia } from './media.fixture.ts';

/** A GIF of one pixel. */
const pixel = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64');
/** Begins as a GIF, and is a script: `GIF89a` is a name, and what stands behind the comment gives it a value. */
const polyglot = Buffer.concat([
  Buffer.from('GIF89a/*'), // The width, 10,799 pixels, begins a comment.
  Buffer.from('0100000000', 'hex'),
  Buffer.from('*/=1;window.hasRun=true;//'),
]);

const pages: Server[] = [];
after(() => pages.forEach((page) => void page.close()));

/** An empty page on an origin of its own. */
async function site(): Promise<string> {
  const headers = { 'content-type': 'text/html', connection: 'close' };
  const server = createServer((_, response) => response.writeHead(200, headers).end('<title>page</title>'));
  pages.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** What comes of an upload by a page: the status, or the name of the error. */
function upload(page: Page, url: string): Promise<number | string> {
  const bytes = JSON.stringify([...pixel]);
  const init = `{ method: 'PUT', headers: { 'content-type': 'image/gif' }, body: new Uint8Array(${bytes}) }`;
  return page.evaluate(`fetch('${url}', ${init}).then(({ status }) => status, ({ name }) => name)`);
}

/** Whether an element that loads something from elsewhere did so. */
function loads(page: Page, tag: 'img' | 'script', src: string): Promise<string> {
  return page.evaluate(`new Promise((resolve) => {
    const element = document.createElement('${tag}');
    element.onload = () => resolve('loaded');
    element.onerror = () => resolve('failed');
    element.src = '${src}';
    document.head.append(element);
  })`);
}

test('a page of a configured origin uploads, every page shows, and none runs an image', {
  skip: noChromium,
}, async () => {
  const [chat, other] = [await site(), await site()];
  await using media = await TestMedia.start({ mediaOrigins: [chat] });
  await using browser = await launchBrowser();
  const page = await browser.newPage();
  await load(page, chat);
  const { path, target } = address({ type: 'image/gif' });
  assert.equal(await upload(page, media.origin + target), 201);
  assert.equal(await upload(page, media.origin + target), 409, 'the page reads the status');
  const evil = address({ type: 'image/gif' });
  const put = await media.put(evil.target, polyglot, { 'content-type': 'image/gif' });
  assert.equal(put.status, 201);

  await load(page, other);
  assert.equal(await upload(page, media.origin + address({ type: 'image/gif' }).target), 'TypeError');
  assert.equal(await loads(page, 'img', media.origin + path), 'loaded');
  assert.equal(await loads(page, 'script', media.origin + evil.path), 'failed');
  assert.equal(await page.evaluate('"hasRun" in window'), false);
  // The same bytes do run where a page takes them as a script.
  await page.evaluate(`new Function(${JSON.stringify(polyglot.toString('latin1'))})()`);
  assert.equal(await page.evaluate('window.hasRun'), true);
});
