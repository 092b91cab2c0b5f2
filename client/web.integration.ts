/** The chat page in a real browser, on the real server, beside the command line client. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { after, afterEach, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Browser, CDPSession, Page } from 'playwright-core';
import { isNetworkReport, launchBrowser, load, noChromium } from '../testing/browser.ts';
import { Person } from '../testing/person.ts';
import { noRate, ServerProcess } from '../testing/server.ts';

const mainPath = fileURLToPath(new URL('./main.ts', import.meta.url));
const quick = ['--reconnect-wait-max', '200ms'];

describe('the chat page', { skip: noChromium }, () => {
  let browser: Browser;
  before(async () => {
    browser = await launchBrowser();
  });
  after(() => browser.close());

  /** What the pages of a test reported as errors. */
  const errors: string[] = [];
  afterEach(() => assert.deepEqual(errors.splice(0), []));

  /** Opens the page in a tab of its own. */
  async function openPage(server: ServerProcess, hash = ''): Promise<Page & AsyncDisposable> {
    const context = await browser.newContext();
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (line) => {
      if (line.type() === 'error' && !isNetworkReport(line.text())) errors.push(line.text());
    });
    await load(page, `${server.origin.replace(/^ws/, 'http')}/${hash}`);
    return Object.assign(page, { [Symbol.asyncDispose]: () => context.close() });
  }

  async function joinPage(server: ServerProcess, name: string, hash = ''): Promise<Page & AsyncDisposable> {
    const page = await openPage(server, hash);
    await page.getByLabel('Your name').fill(name);
    await page.getByRole('button', { name: 'Join' }).click();
    await page.getByText('Connected', { exact: true }).waitFor();
    return page;
  }

  const say = async (page: Page, line: string): Promise<void> => {
    await page.getByLabel('Message', { exact: true }).fill(line);
    await page.keyboard.press('Enter');
  };
  const hears = (page: Page, line: string) => page.locator('.body', { hasText: line }).waitFor();
  const bodies = (page: Page) => page.locator('.body').allTextContents();

  test('two pages and a command line client talk through a restart of the server', async () => {
    await using first = await ServerProcess.start('03-cursor', quick);
    const port = new URL(first.origin).port;
    await using alice = await joinPage(first, 'alice', '#tea');
    await using bob = await joinPage(first, 'bob', '#tea');
    assert.equal(new URL(bob.url()).hash, '#tea');
    const args = [mainPath, '--url', first.url(), '--room', 'tea', '--id', 'carol', '--json', '--listen'];
    const carol = spawn(process.execPath, args, { env: { PATH: process.env.PATH }, stdio: 'pipe' });
    try {
      const lines = createInterface(carol.stdout)[Symbol.asyncIterator]();
      const carolHears = async () => JSON.parse((await lines.next()).value as string);
      carol.stdin.write('hello from a terminal\n');
      for (const page of [alice, bob]) await hears(page, 'hello from a terminal');
      assert.equal((await carolHears()).clientId, 'carol');
      await say(alice, 'hello from a page');
      for (const page of [alice, bob]) await hears(page, 'hello from a page');
      assert.deepEqual(await carolHears(), { clientId: 'alice', Message: 'hello from a page' });
      assert.equal(await alice.locator('.own .you').count(), 1, 'her own message says so');
      assert.equal(await bob.locator('.you').count(), 0);

      await first.stop();
      for (const page of [alice, bob]) {
        await page.locator('#state[data-state=offline]').waitFor();
        await page.getByText(/Disconnected: the server is restarting/).waitFor();
      }
      await say(alice, 'written while away');
      assert.deepEqual(await alice.locator('#pending li').allTextContents(), ['written while away']);

      await using second = await ServerProcess.start('03-cursor', [...quick, '--port', port]);
      // One comes back by itself, the other does not want to wait.
      if (await bob.getByRole('button', { name: 'Try now' }).isVisible())
        await bob
          .getByRole('button', { name: 'Try now' })
          .click({ timeout: 2_000 })
          .catch(() => {});
      for (const page of [alice, bob])
        await page.getByText('Back in the room: messages may be missing here.').waitFor();
      await hears(alice, 'written while away');
      assert.equal(await alice.locator('#pending li').count(), 0);
      await second.reaches('chat_sessions', 3);
      await say(bob, 'we are all back');
      await hears(alice, 'we are all back');
      for (let last = ''; last !== 'we are all back'; ) last = (await carolHears()).Message;
      assert.equal((await bodies(alice)).at(-1), 'we are all back');
    } finally {
      carol.kill('SIGKILL');
      await once(carol, 'close');
    }
  });

  test('who comes back to a room that keeps a log is told that nothing was missed', async () => {
    await using server = await ServerProcess.start('03-cursor');
    await using page = await openPage(server, '#tea');
    const asked: (string | null)[] = [];
    // A server that resumes, instead of the one behind the page, which does not.
    await page.routeWebSocket(/\/ws\/tea/, (socket) => {
      asked.push(new URL(socket.url()).searchParams.get('after'));
      const recovered = asked.length > 1;
      socket.send(
        JSON.stringify({ type: 'joined', room: 'tea', epoch: 'e', offset: recovered ? 8 : 7, recovered }),
      );
      socket.send(JSON.stringify({ clientId: 'bob', Message: recovered ? 'meanwhile' : 'before' }));
      if (!recovered) void socket.close({ code: 1012, reason: 'reconnect after 1 ms' });
    });
    await page.getByRole('textbox', { name: 'Your name' }).fill('alice');
    await page.keyboard.press('Enter');
    await page.getByText('Back in the room: you missed nothing: 1 message came late.').waitFor();
    assert.deepEqual(asked, ['', 'e.8']);
    assert.deepEqual(await bodies(page), ['before', 'meanwhile']);
  });

  test('hostile names and messages are text, and what is invisible or turns text around is shown', async () => {
    await using server = await ServerProcess.start('03-cursor');
    await using page = await joinPage(server, '<i>me</i>', '#tea');
    const mallory = await Person.join(server.url('tea'), '<img src=x onerror=alert(1)>');
    mallory.say('<script>document.title = "owned"</script>');
    mallory.ws.send('{"clientId":"al\\u200bice","Message":"a\\u202eb\\u001b[2Jc\\nd"}');
    mallory.say('');
    mallory.say('x'.repeat(4_000));
    mallory.say('last');
    await hears(page, 'last');
    assert.deepEqual((await bodies(page)).slice(0, 2), [
      '<script>document.title = "owned"</script>',
      'a\\u{202e}b␛[2Jc␊d',
    ]);
    const names = await page.locator('.name').allTextContents();
    assert.deepEqual(names.slice(0, 2), ['<img src=x onerror=alert(1)>', 'al\\u{200b}ice']);
    assert.equal(await page.locator('#log script, #log img').count(), 0);
    assert.match(await page.title(), /^tea · Chat$/);
    assert.equal(await page.locator('#own-name').textContent(), 'as <i>me</i>');
    const widths = await page.evaluate<number[]>('[document.body.scrollWidth, innerWidth]');
    assert.ok(widths[0]! <= widths[1]!, `a long word does not widen the page: ${widths}`);
  });

  test('what comes unseen is counted in the title, until somebody looks', async () => {
    await using server = await ServerProcess.start('03-cursor');
    await using page = await joinPage(server, 'alice', '#tea');
    const bob = await Person.join(server.url('tea'), 'bob');
    bob.say('seen');
    await hears(page, 'seen');
    assert.equal(await page.title(), 'tea · Chat');
    const hide = (hidden: boolean) =>
      page.evaluate(`Object.defineProperty(document, 'hidden', { configurable: true, value: ${hidden} });
        document.dispatchEvent(new Event('visibilitychange'))`);
    await hide(true);
    for (const line of ['one', 'two', 'three']) bob.say(line);
    await hears(page, 'three');
    assert.equal(await page.title(), '(3) tea · Chat');
    const marked = '.mark + .message .body';
    assert.equal(await page.locator(marked).textContent(), 'one', 'a line where she stopped reading');
    await hide(false);
    assert.equal(await page.title(), 'tea · Chat');

    // Somebody who reads what was said before does not see what comes.
    for (let line = 0; line < 100; line++) bob.say(`line ${line}`);
    await hears(page, 'line 99');
    await page.getByRole('region', { name: 'Conversation' }).focus();
    await page.keyboard.press('Home');
    await holds(page, 'document.querySelector("#scroll").scrollTop === 0');
    bob.say('below');
    await page.getByRole('button', { name: '↓ 1 new' }).click();
    await holds(page, 'document.title === "tea · Chat"');
    assert.equal(await page.getByRole('button', { name: 'new' }).isVisible(), false);
  });

  test('a server that asks for a token gets one, which the address never holds', async () => {
    await using server = await ServerProcess.start('03-cursor', [], [], { env: { CHAT_TOKEN: 's3cret' } });
    await using page = await openPage(server, '#tea');
    await page.getByLabel('Your name').fill('alice');
    await page.keyboard.press('Enter');
    await page.getByText('This server asks for a token.').waitFor();
    await page.getByLabel('Token').fill('wrong');
    await page.keyboard.press('Enter');
    await page.getByText('That is not the token.').waitFor();
    await page.getByLabel('Token').fill('s3cret');
    await page.keyboard.press('Enter');
    await page.getByText('Connected', { exact: true }).waitFor();
    assert.equal(new URL(page.url()).href, `${server.origin.replace(/^ws/, 'http')}/#tea`);
    await load(page);
    await page.getByText('Connected', { exact: true }).waitFor();
  });

  test('bad input is answered in words: a name, a room in the form, a room in the address, a line too long', async () => {
    await using server = await ServerProcess.start('03-cursor');
    await using page = await openPage(server, '#a%20b');
    await page.getByText(/“a%20b” cannot be the name of a room/).waitFor();
    await page.getByLabel('Your name').fill('  ');
    await page.keyboard.press('Enter');
    await page.getByText('Give a name').waitFor();
    await page.getByLabel('Your name').fill('alice');
    await page.getByRole('textbox', { name: 'Room' }).fill('a/b');
    await page.keyboard.press('Enter');
    await page.getByText(/“a\/b” cannot be the name of a room/).waitFor();
    await page.getByRole('textbox', { name: 'Room' }).fill('');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'the global room' }).waitFor();
    await page.getByText('Connected', { exact: true }).waitFor();
    await say(page, 'é'.repeat(2_049));
    await page.getByText('Not sent: it has 4098 bytes, the limit is 4096.').waitFor();
    await say(page, 'shorter');
    await hears(page, 'shorter');
    await page.keyboard.press('ArrowUp');
    assert.equal(await page.getByLabel('Message', { exact: true }).inputValue(), 'shorter');
    await page.evaluate('location.hash = "tea"');
    await page.getByRole('heading', { name: 'tea' }).waitFor();
    await page.getByText('Nothing has been said').waitFor();
    await page.getByRole('button', { name: 'Leave' }).click();
    await server.reaches('chat_sessions', 0);
    assert.equal(await page.getByRole('textbox', { name: 'Room' }).inputValue(), 'tea');
  });

  test('a room of 10,000 lines costs per line about what a new one does, and the page keeps no more', async (t) => {
    await using server = await ServerProcess.start('03-cursor', noRate);
    await using page = await joinPage(server, 'alice', '#tea');
    const bob = await Person.join(server.url('tea'), 'bob');
    const devtools = await page.context().newCDPSession(page);
    await devtools.send('Performance.enable');
    let said = 0;
    const burst = async (lines: number): Promise<number> => {
      const before = await taskSeconds(devtools);
      for (let line = 0; line < lines; line++) bob.say(`line ${said++} of a busy room`);
      await holds(
        page,
        `document.querySelector("#log .chunk:last-child li:last-child .body")
        ?.textContent === "line ${said - 1} of a busy room"`,
      );
      return (await taskSeconds(devtools)) - before;
    };
    await burst(1_000); // The code is compiled.
    const early = (await burst(500)) + (await burst(500));
    for (let round = 0; round < 8; round++) await burst(1_000);
    const late = (await burst(500)) + (await burst(500));
    t.diagnostic(
      `main thread: ${early.toFixed(3)} s for 1,000 lines after 1,000, ${late.toFixed(3)} s after 10,000`,
    );
    assert.ok(late < 3 * early, `${late.toFixed(3)} s against ${early.toFixed(3)} s`);
    await burst(1_000);
    const rows = await page.locator('#log li').count();
    assert.ok(rows > 9_500 && rows <= 10_000, `${rows} rows`);
    await page.getByText(/older lines are gone/).waitFor({ state: 'attached' });
    const left =
      'document.querySelector("#scroll").scrollHeight - document.querySelector("#scroll").scrollTop';
    const height = await page.evaluate<number>(`${left} - document.querySelector("#scroll").clientHeight`);
    assert.ok(height < 40, `the newest line is in view: ${height} px below`);
  });
});

/** Waits until an expression is true. Playwright's own way needs `eval`, which the page forbids. */
async function holds(page: Page, expression: string): Promise<void> {
  const endAtMs = performance.now() + 30_000;
  while (!(await page.evaluate<boolean>(expression))) {
    if (performance.now() > endAtMs) throw new Error(`never came to hold: ${expression}`);
    await sleep(20);
  }
}

/** Time that the page's main thread has worked, in seconds. */
async function taskSeconds(devtools: CDPSession): Promise<number> {
  const { metrics } = await devtools.send('Performance.getMetrics');
  return metrics.find(({ name }) => name === 'TaskDuration')!.value;
}
