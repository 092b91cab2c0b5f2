/** Posts on the chat page, in a real browser, on the real server. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, describe, test } from 'node:test';
import type { Browser } from 'playwright-core';
import { freePorts } from '#host/free-ports.ts';
import { launchBrowser, load, noChromium } from '../testing/browser.ts';
import { findRedis, noRedis } from '../testing/redis.ts';
import { ServerProcess } from '../testing/server.ts';
import { register } from './core/account-service.ts';
import { PersonClient } from './core/person-client.ts';
import { wsSockets } from './terminal/ws-socket.ts';
import { cheapHashes, enter, Pages, password } from './web-page.fixture.ts';
import {
  bodiesAre,
  chooseByKeyboard,
  isAccessible,
  publish,
  tryNow,
  writePost,
} from './web-posts.fixture.ts';

const startRedis = await findRedis();
const skip = noChromium || (startRedis === null && noRedis);
const hostile = '<img src="x" onerror="alert(1)"><b>bold</b> \u202etxet \u001b[31m';
const inPorto = {
  to: [
    [0, 1],
    [0, 0],
  ],
  body: '',
};
let chats = 0;

describe('posts on the chat page', { skip }, () => {
  let browser: Browser;
  let pages: Pages;
  let redis: { url: string } & AsyncDisposable;
  /** For tests that need no other settings; each has a place of its own. */
  let generous: ServerProcess;
  before(async () => {
    browser = await launchBrowser();
    pages = new Pages(browser);
    redis = await startRedis!();
    const sizes = ['--posts-per-person-max', '100000', '--post-items-max', '64'];
    generous = await newChat(...sizes, '--message-rate-max', '10000/s', '--messages-burst-max', '10000')();
  });
  after(async () => {
    await generous?.[Symbol.asyncDispose]();
    await browser.close();
    await redis[Symbol.asyncDispose]();
  });
  const people: PersonClient[] = [];
  afterEach(() => {
    for (const { chat } of people.splice(0)) chat.close();
    pages.check();
  });

  /** A way to start the nodes of one chat. */
  function newChat(...args: string[]): (...more: string[]) => Promise<ServerProcess> {
    const namespace = `posts-${process.pid}-${chats++}`;
    const ofChat = ['--redis-url', redis.url, '--redis-namespace', namespace, ...cheapHashes, ...args];
    return (...more) => ServerProcess.start('07-mailbox', [...ofChat, ...more]);
  }

  /** Somebody who is no page. */
  async function comeIn(server: ServerProcess, user: string): Promise<PersonClient> {
    await register({ chatUrl: server.url(), headers: {} }, { user, password });
    const person = new PersonClient({ url: server.url(), clientId: user, openSocket: wsSockets() }, 'test');
    people.push(person);
    person.chat.connect();
    assert.equal((await person.account.login({ user, password })).result, 'ok');
    return person;
  }

  test('old and live posts come once; one is published and deleted; a reload and a restart lose nothing', async () => {
    const [port] = await freePorts(1);
    const start = newChat('--port', String(port), '--posts-per-person-max', '100');
    const bodies = ['old', hostile, 'live'];
    {
      await using server = await start();
      const bob = await comeIn(server, 'bob');
      await publish(bob, { ...inPorto, body: 'old', features: [4], ranges: { price: 900 } });
      await publish(bob, {
        ...inPorto,
        to: [
          [1, 0],
          [0, 0],
        ],
        body: 'in Madrid',
      });
      await using page = await pages.open(server);
      await enter(page, 'alice', 'Make an account');
      await page.getByRole('button', { name: 'Posts' }).click();
      await page.getByText('You get no posts').waitFor();
      await chooseByKeyboard(page);
      await bodiesAre(page, ['old']);
      for (const words of ['bob', 'Portugal › Porto', 'automatic', 'price 900'])
        await page.locator('.post', { hasText: words }).waitFor();
      await publish(bob, { ...inPorto, body: hostile });
      await publish(bob, { ...inPorto, body: 'live' });
      await bodiesAre(page, bodies);
      assert.equal(await page.locator('#posts-log img, #posts-log b').count(), 0);

      await writePost(page, 'Portugal › Porto', 'mine');
      await page.getByText('Your post is published.').waitFor();
      await bodiesAre(page, [...bodies, 'mine']);
      assert.equal(await page.getByRole('button', { name: /^Delete/ }).count(), 1);
      page.once('dialog', (dialog) => void dialog.accept());
      await page.getByRole('button', { name: 'Delete your post: mine' }).click();
      await page.getByText('Your post is deleted.').waitFor();
      await bodiesAre(page, bodies);

      await page.getByRole('button', { name: 'tea' }).click();
      await publish(bob, { ...inPorto, body: 'unseen' });
      await page.getByRole('button', { name: 'Posts 1 unread' }).waitFor();
      assert.equal(await page.title(), '(1) tea · Chat');
      await page.getByRole('button', { name: 'Posts' }).click();
      bodies.push('unseen');
      await bodiesAre(page, bodies);
      await page.getByRole('button', { name: 'Posts', exact: true }).waitFor();

      await load(page, 'about:blank');
      await publish(bob, { ...inPorto, body: 'while away' });
      await page.goBack();
      await bodiesAre(page, [...bodies, 'while away']);
      await page.getByText('You get the posts of 1 channel.').waitFor();
      await server.stop();
      await page.locator('#state[data-state=offline]').waitFor();
      await using again = await start();
      await tryNow(page);
      await publish(await comeIn(again, 'eve'), { ...inPorto, body: 'after the restart' });
      await page.getByText('Connected', { exact: true }).waitFor();
      await bodiesAre(page, [...bodies, 'while away', 'after the restart']);
      await page.getByRole('button', { name: 'Log out' }).click();
      await page.getByLabel('Password').waitFor();
      assert.equal(await page.evaluate(() => sessionStorage.getItem('posts')), '""');
    }
  });

  test('every refusal has words, and what is refused leaves the subscription as it was', async () => {
    const [port] = await freePorts(1);
    const start = newChat('--port', String(port), '--posts-per-person-max', '1', '--post-channels-max', '2');
    const menus = mkdtempSync(join(tmpdir(), 'chat-menus-'));
    const trees = [{ name: 'place', depths: [1], children: [{ name: 'Malta' }] }];
    const boats = { name: 'boats', title: 'Boats', trees, features: [], quantities: [] };
    writeFileSync(join(menus, 'boats.json'), JSON.stringify(boats));
    await using server = await start();
    await using page = await pages.open(server);
    await enter(page, 'alice', 'Make an account');
    await page.getByRole('button', { name: 'Posts' }).click();
    await chooseByKeyboard(page);
    await page.getByText('You get the posts of 1 channel.').waitFor();
    await page.getByRole('button', { name: 'Channels' }).click();
    await page.getByLabel('every place').check();
    await page.getByText('That is 4 channels.').waitFor();
    await page.getByRole('button', { name: 'Subscribe', exact: true }).click();
    await page.getByText('Nothing was changed: a connection has at most 2 channels').waitFor();
    await page.getByLabel('every place').uncheck();
    await page.getByRole('button', { name: 'Subscribe', exact: true }).click();
    await page.getByText('Choose at least one place.').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText('You get the posts of 1 channel.').waitFor();

    await writePost(page, 'Portugal › Porto', 'the first');
    await bodiesAre(page, ['the first']);
    await page.getByRole('button', { name: 'Channels' }).click();
    await page.getByRole('checkbox', { name: 'Lisbon' }).check();
    await page.getByRole('button', { name: 'Subscribe', exact: true }).click();
    await page.getByText('You get the posts of 2 channels.').waitFor();
    await bodiesAre(page, ['the first']);
    await page.getByRole('button', { name: 'Channels' }).click();
    await page.getByRole('button', { name: 'Unsubscribe' }).click();
    await page.getByText('You get no posts: choose channels.').waitFor();
    await bodiesAre(page, ['the first']);
    await chooseByKeyboard(page);
    await writePost(page, 'Portugal › Porto', 'é'.repeat(2_000));
    await page.getByText('Not published: a body has at most 2048 bytes of UTF-8, this one 4000.').waitFor();
    await page.getByLabel('Text').fill('the second');
    await page.getByRole('button', { name: 'Publish', exact: true }).click();
    await page.getByText(/you can publish 0 more posts in this menu now; .* again in 30 days/).waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await server.stop();
    await using other = await start('--menus', menus);
    await tryNow(page);
    await page
      .getByText('You get no posts of Cars for sale any more: the server has no such menu.')
      .waitFor();
    await page.locator('#posts-menu option', { hasText: 'Boats' }).waitFor({ state: 'attached' });
    await page.getByText('You get no posts: choose channels.').waitFor();
    await other.reaches('chat_post_subscriptions', 0);
    rmSync(menus, { recursive: true });
  });

  test('several thousand posts: the page keeps the newest, and stays quick; guests are offered none', async () => {
    const bob = await comeIn(generous, 'bob-of-many');
    const inLisbon = {
      to: [
        [0, 0],
        [0, 0],
      ],
    };
    await using page = await pages.open(generous);
    await enter(page, 'alice-of-many', 'Make an account');
    await page.getByRole('button', { name: 'Posts' }).click();
    await chooseByKeyboard(page, 'Lisbon');
    const items = (from: number) =>
      Array.from({ length: 64 }, (_, index) => ({ ...inLisbon, body: `post ${from + index}` }));
    const count = 2_560;
    for (let from = 0; from < count; from += 64) await publish(bob, ...items(from));
    await page.getByText(`post ${count - 1}`, { exact: true }).waitFor();
    const rows = page.locator('.post');
    assert.ok((await rows.count()) <= 2_000, `${await rows.count()} rows`);
    const dropped = count - (await rows.count());
    await page.getByText(`${dropped.toLocaleString('en')} older posts are gone`).waitFor();
    const startedAtMs = performance.now();
    await page.getByRole('button', { name: 'Write a post' }).click();
    await page.getByRole('button', { name: 'Cancel' }).click();
    assert.ok(performance.now() - startedAtMs < 2_000, `${performance.now() - startedAtMs} ms`);
    await load(page);
    await rows.nth(199).waitFor();
    assert.equal(await rows.count(), 200);
    await page.getByText(`${(count - 200).toLocaleString('en')} older posts are gone`).waitFor();
    await publish(bob, { ...inLisbon, body: 'one more' });
    await page.getByText('one more', { exact: true }).waitFor();
    assert.equal(await rows.count(), 201);
    await using guest = await pages.open(generous);
    await guest.getByLabel('Your name').fill('guest');
    await guest.keyboard.press('Enter');
    await guest.getByText('Connected', { exact: true }).waitFor();
    assert.equal(await guest.getByRole('button', { name: 'Posts' }).count(), 0);
  });

  test('it is accessible: light and dark, wide and narrow', async () => {
    const bob = await comeIn(generous, 'bob');
    const facts = { features: [4], ranges: { price: 900 }, filter: 'old' };
    await publish(bob, { ...inPorto, ...facts, body: 'for sale' });
    await using page = await pages.open(generous);
    await enter(page, 'alice', 'Make an account');
    await page.getByRole('button', { name: 'Posts' }).press('Enter');
    await page.getByRole('button', { name: 'Channels' }).click();
    await page.getByText('Only some of their posts').click();
    await page.getByRole('button', { name: 'Inside Portugal' }).click();
    await page.getByLabel('Porto').check();
    await isAccessible(page, 'channels');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await chooseByKeyboard(page);
    await writePost(page, 'Portugal › Porto', 'mine');
    await page.getByText('Your post is published.').waitFor();
    await page.locator('.post', { hasText: 'for sale' }).waitFor();
    await isAccessible(page, 'the list');
    await page.getByRole('button', { name: 'Write a post' }).click();
    await page.getByText('Details (optional)').click();
    await isAccessible(page, 'a post');
  });
});
