/** The chat page of people with accounts, in a real browser, on the real server. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { freePorts } from '#host/free-ports.ts';
import { launchBrowser, load, noChromium } from '../testing/browser.ts';
import { findRedis, noRedis } from '../testing/redis.ts';
import { secretFile } from '../testing/secret-file.ts';
import { ServerProcess } from '../testing/server.ts';
import { register } from './core/account-service.ts';
import { PersonClient } from './core/person-client.ts';
import { wsSockets } from './terminal/ws-socket.ts';
import { cheapHashes, enter, Pages, password, violations } from './web-page.fixture.ts';

const startRedis = await findRedis();
const skip = noChromium || (startRedis === null && noRedis);
/** A PNG of one dot. */
const dot = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
let chats = 0;

describe('the chat page of people with accounts', { skip }, () => {
  let browser: Browser;
  let pages: Pages;
  let redis: { url: string } & AsyncDisposable;
  before(async () => {
    browser = await launchBrowser();
    pages = new Pages(browser);
    redis = await startRedis!();
  });
  after(async () => {
    await browser.close();
    await redis[Symbol.asyncDispose]();
  });

  const people: PersonClient[] = [];
  afterEach(() => {
    for (const { chat } of people.splice(0)) chat.close();
    pages.check();
  });

  const startNode = (...args: string[]) =>
    ServerProcess.start('07-mailbox', [
      ...['--redis-url', redis.url, '--redis-namespace', `page-${process.pid}-${chats++}`],
      ...cheapHashes,
      ...args,
    ]);

  const open = async (page: Page, name: string): Promise<void> => {
    await page.getByLabel('Write to a person').fill(name);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name }).waitFor();
  };
  const say = async (page: Page, line: string): Promise<void> => {
    await page.getByLabel('Message', { exact: true }).fill(line);
    await page.keyboard.press('Enter');
  };
  const body = (page: Page, line: string) => page.locator('.body:visible', { hasText: line }).waitFor();
  const mark = (page: Page, words: string) =>
    page.locator('.delivery:visible', { hasText: new RegExp(`^${words}$`) }).waitFor();

  test('an account, a message to somebody who is away, its marks, typing, presence, and a reload', async () => {
    await using server = await startNode();
    await using bobs = await pages.open(server);
    await enter(bobs, 'bob', 'Make an account');
    await bobs.getByRole('button', { name: 'Log out' }).click();
    await bobs.getByLabel('Password').waitFor();
    await server.reaches('chat_sessions', 0);
    await using alice = await pages.open(server);
    await enter(alice, 'alice', 'Make an account');
    await say(alice, 'hello room');
    await body(alice, 'hello room');
    await open(alice, 'bob');
    await alice.getByRole('button', { name: /^bob away/ }).waitFor();
    await say(alice, '<b>hello</b> bob');
    await mark(alice, 'stored');

    await enter(bobs, 'bob', 'Join');
    await bobs.getByRole('button', { name: /^alice.*1 unread/ }).waitFor();
    await mark(alice, 'received');
    await alice.getByRole('button', { name: /^bob online/ }).waitFor();
    assert.equal(await bobs.title(), '(1) tea · Chat');
    await bobs.getByRole('button', { name: /^alice/ }).click();
    await body(bobs, '<b>hello</b> bob');
    assert.equal(await bobs.locator('#direct b').count(), 0);
    await mark(alice, 'read');
    assert.equal(await bobs.title(), 'tea · Chat');
    await bobs.getByLabel('Message', { exact: true }).pressSequentially('wri');
    await alice.getByText('bob is typing …').waitFor();
    await say(bobs, 'written');
    await body(alice, 'written');
    await mark(bobs, 'read');
    assert.equal(await alice.getByText('bob is typing …').count(), 0);

    await load(alice);
    await alice.getByText('Connected', { exact: true }).waitFor();
    await alice.getByRole('button', { name: /^bob/ }).click();
    await body(alice, '<b>hello</b> bob');
    await body(alice, 'written');
    await mark(alice, 'read');
    assert.deepEqual(await alice.locator('#direct .body').allTextContents(), ['<b>hello</b> bob', 'written']);
    assert.doesNotMatch(alice.url(), /login|password/);
    await say(alice, 'after the reload');
    await body(bobs, 'after the reload');
  });

  test('wrong passwords, taken names and bad names are told in words; a guest chats as before', async () => {
    await using server = await startNode();
    await using page = await pages.open(server);
    await enter(page, 'alice', 'Make an account');
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByLabel('Your name').fill('alice');
    await page.getByLabel('Password').fill('not the password');
    await page.keyboard.press('Enter');
    await page.getByText('The name or the password is wrong.').waitFor();
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Make an account' }).click();
    await page.getByText('Somebody has the name alice already').waitFor();
    await page.getByLabel('Your name').fill('Alice!');
    await page.getByLabel('Password').fill(password);
    await page.keyboard.press('Enter');
    await page.getByText('“Alice!” cannot be the name of an account').waitFor();
    await page.getByLabel('Password').fill('');
    await page.keyboard.press('Enter');
    await page.getByText('Connected', { exact: true }).waitFor();
    assert.equal(await page.locator('#people').isVisible(), false);
    await say(page, 'as a guest');
    await body(page, 'as a guest');
    await page.getByText('as Alice!').waitFor();
  });

  test('a server that wants a login says so; a stage without accounts asks for no password', async () => {
    await using server = await startNode('--accounts', 'required');
    await using page = await pages.open(server);
    await page.getByLabel('Password').waitFor();
    await page.getByLabel('Your name').fill('alice');
    await page.keyboard.press('Enter');
    await page.getByText('Connected', { exact: true }).waitFor();
    await say(page, 'may I?');
    await page.getByText('This server asks who you are').waitFor();
    await enter(page, 'alice', 'Make an account');
    await say(page, 'now I may');
    await body(page, 'now I may');
    await using plain = await ServerProcess.start('03-cursor');
    await using other = await pages.open(plain);
    await other.getByLabel('Your name').waitFor();
    assert.equal(await other.getByLabel('Password').isVisible(), false);
  });

  test('an image that is picked is uploaded, and shown to both; a guest is offered none', async () => {
    const [port] = await freePorts(1);
    const secret = ['--media-secret-file', secretFile('k'.repeat(32))];
    const directory = mkdtempSync(join(tmpdir(), 'chat-images-'));
    const origins = ['--media-origins', `http://127.0.0.1:${port}`];
    await using media = await ServerProcess.start('07-mailbox', [
      ...['--role', 'media', '--media-directory', directory, '--media-free-size-min', '0B'],
      ...[...secret, ...origins],
    ]);
    await using server = await startNode('--port', String(port), '--media-url', media.origin, ...secret);
    await using alice = await pages.open(server);
    assert.equal(await alice.getByRole('button', { name: 'Image' }).isVisible(), false);
    await enter(alice, 'alice', 'Make an account');
    await using guest = await pages.open(server);
    await guest.getByLabel('Your name').fill('guest');
    await guest.keyboard.press('Enter');
    await guest.getByText('Connected', { exact: true }).waitFor();
    const picking = alice.waitForEvent('filechooser');
    await alice.getByRole('button', { name: 'Image' }).click();
    const file = { name: 'dot.png', mimeType: 'image/png', buffer: dot };
    await (await picking).setFiles(file);
    for (const page of [alice, guest]) {
      const shown = page.getByRole('img', { name: 'image of alice' });
      await shown.waitFor();
      const src = await shown.getAttribute('src');
      assert.ok(src!.startsWith(media.origin.replace(/^ws/, 'http')), src!);
    }
    assert.equal(await guest.getByRole('button', { name: 'Image' }).isVisible(), false);
    const again = alice.waitForEvent('filechooser');
    await alice.getByRole('button', { name: 'Image' }).click();
    await (await again).setFiles({ ...file, buffer: Buffer.from('<svg/>') });
    await alice.getByText('The image was not sent: it is not an image').waitFor();
    rmSync(directory, { recursive: true });
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [1400, 400]) {
      test(`it is accessible: ${colorScheme}, ${width} px wide`, async () => {
        await using server = await startNode();
        await using page = await pages.open(server, { colorScheme, viewport: { width, height: 800 } });
        await page.getByLabel('Password').waitFor();
        assert.deepEqual(await violations(page), [], 'the form');
        await enter(page, 'alice', 'Make an account');
        const options = { url: server.url('tea'), clientId: 'bob', openSocket: wsSockets() };
        const bob = new PersonClient(options, 'test');
        const address = { chatUrl: server.url(), headers: {} };
        await register(address, { user: 'bob', password });
        people.push(bob);
        bob.chat.connect();
        await bob.account.login({ user: 'bob', password });
        bob.say('alice', 'one');
        bob.say('alice', 'two');
        bob.presence.write('alice');
        const list = page.getByRole('button', { name: /^Chats/ });
        if (width === 400) await list.click();
        await page.getByRole('button', { name: /^bob.*2 unread/ }).waitFor();
        assert.deepEqual(await violations(page), [], 'the list');
        await page.getByRole('button', { name: /^bob/ }).press('Enter');
        await body(page, 'two');
        await say(page, 'three');
        await mark(page, 'received');
        assert.deepEqual(await violations(page), [], 'a conversation');
      });
    }
  }
});
