/** The live page over HTTP: its events, its return after an absence, and what it refuses. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { LivePage } from './live-page.ts';
import { newState } from './result-page.ts';
import { applyEvent, newTrial, type PageEvent, type PageState } from './state.ts';

const begun: PageEvent = {
  event: 'trial',
  trial: newTrial({ number: 1, variant: 'a', load: 5, about: '5 messages/s', purpose: 'step' }),
};
const clock = (elapsedSeconds: number): PageEvent => ({ event: 'clock', elapsedSeconds, leftSeconds: null });

test('a page gets the state and then each event; one that comes later has the same state', async () => {
  await using page = await LivePage.open(0, newState(['ws://x'], []));
  await using first = await Listener.open(page.url);
  await first.until(1);
  page.publish(begun);
  page.publish(clock(1));
  await first.until(3);
  await using late = await Listener.open(page.url);
  page.publish(clock(2));
  await Promise.all([first.until(4), late.until(2)]);
  assert.deepEqual(first.state(), page.state);
  assert.deepEqual(late.state(), page.state);
  assert.equal(late.state().clock?.elapsedSeconds, 2);
});

test('at the end every page gets the report, and its connection ends', async () => {
  await using page = await LivePage.open(0, newState(['ws://x'], []));
  await using listener = await Listener.open(page.url);
  await listener.until(1);
  const report = { state: { ...page.state, isEnded: true }, title: 't', before: '<h1>x</h1>', after: '' };
  await page.end(report);
  await listener.ended;
  assert.deepEqual(listener.events.at(-1), { name: 'end', data: report });
});

test('it answers to its own name only, and to nothing but reading', async () => {
  await using page = await LivePage.open(0, newState(['ws://x'], []));
  const { port } = new URL(page.url);
  const status = async (path: string, options: { method?: string; host?: string } = {}) => {
    const { method = 'GET', host = `127.0.0.1:${port}` } = options;
    const request = get({ port: Number(port), host: '127.0.0.1', path, method, headers: { host } });
    const [response] = await once(request, 'response');
    response.destroy();
    return response.statusCode;
  };
  assert.equal(await status('/'), 200);
  assert.equal(await status('/', { host: `localhost:${port}` }), 200);
  assert.equal(await status('/', { host: `attacker.example:${port}` }), 421);
  assert.equal(await status('/events', { host: 'attacker.example' }), 421);
  assert.equal(await status('/', { method: 'POST' }), 405);
  assert.equal(await status('/package.json'), 404);
  const request = get(page.url);
  const [response] = await once(request, 'response');
  assert.match(await text(response), /data-events="\/events"/);
});

test('a port in use is an error', async () => {
  await using page = await LivePage.open(0, newState(['ws://x'], []));
  await assert.rejects(LivePage.open(Number(new URL(page.url).port), page.state), /EADDRINUSE/);
});

/** A page without a browser. */
class Listener implements AsyncDisposable {
  readonly events: { name: string; data: unknown }[] = [];
  readonly ended: Promise<void>;
  readonly #abort: AbortController;
  #waiting: { count: number; resolve: () => void } | null = null;

  static async open(url: string): Promise<Listener> {
    const abort = new AbortController();
    const response = await fetch(new URL('/events', url), { signal: abort.signal });
    return new Listener(response, abort);
  }

  constructor(response: Response, abort: AbortController) {
    this.#abort = abort;
    this.ended = this.#read(response.body!).catch((error: Error) => {
      if (!abort.signal.aborted) throw error;
    });
  }

  state(): PageState {
    const events = this.events.map(({ data }) => data as PageEvent);
    return events.reduce(applyEvent, newState([], []));
  }

  until(count: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting = { count, resolve };
    this.#tell();
    return promise;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#abort.abort();
    await this.ended;
  }

  async #read(body: NonNullable<Response['body']>): Promise<void> {
    let rest = '';
    const decoder = new TextDecoder();
    for await (const chunk of body) {
      const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
      rest = blocks.pop()!;
      for (const block of blocks) {
        const [, name, data] = /^event: (\w+)\ndata: (.*)$/.exec(block) ?? [];
        if (name !== undefined) this.events.push({ name, data: JSON.parse(data!) });
      }
      this.#tell();
    }
  }

  #tell(): void {
    if (this.#waiting !== null && this.events.length >= this.#waiting.count) this.#waiting.resolve();
  }
}
