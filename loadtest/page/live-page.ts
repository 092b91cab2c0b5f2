/**
 * The page of a run that goes on, on a port of this machine: a document, and its events as server-sent
 * events. Each connection first gets the whole state, so that a page which was away misses nothing.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { escapeHtml, pageDocument } from './document.ts';
import { applyEvent, type PageEvent, type PageState } from './state.ts';

/** The report that the page becomes; `before` and `after` are the HTML around its charts. */
export type LiveEnd = { state: PageState; title: string; before: string; after: string };

const host = '127.0.0.1';
const eventsPath = '/events';
/** A page that does not read: it is cut off, and gets the state again when it comes back. Chosen. */
const bufferedBytesMax = 8 * 2 ** 20;
/** How long a page waits before it connects again. Chosen. */
const retryMs = 1000;
/** Time for the pages to take the report, after the run. Chosen. */
const endMsMax = 5000;

export class LivePage implements AsyncDisposable {
  readonly url: string;
  readonly #server: Server;
  readonly #style: string;
  readonly #pages = new Set<ServerResponse>();
  #state: PageState;

  /** Listens on 127.0.0.1. Rejects with the error of the system, such as for a port in use. */
  static async open(port: number, state: PageState, style = ''): Promise<LivePage> {
    const server = createServer();
    server.listen(port, host);
    await once(server, 'listening');
    return new LivePage(server, state, style);
  }

  private constructor(server: Server, state: PageState, style: string) {
    this.#server = server;
    this.#state = state;
    this.#style = style;
    this.url = `http://${host}:${(server.address() as AddressInfo).port}/`;
    server.on('request', (request, response) => this.#answer(request, response));
    // A page that stays open must not keep the run from ending.
    server.unref();
  }

  get state(): PageState {
    return this.#state;
  }

  /** Changes the state, here and on every page. */
  publish(event: PageEvent): void {
    this.#state = applyEvent(this.#state, event);
    for (const page of this.#pages) send(page, 'message', event);
  }

  /** Turns every open page into the report, and resolves when they have it, or took too long. */
  async end(report: LiveEnd): Promise<void> {
    this.#state = report.state;
    const taken = [...this.#pages].map((page) => {
      send(page, 'end', report);
      const done = once(page, 'close');
      page.end();
      return done;
    });
    const timeUp = Promise.withResolvers<void>();
    const timer = setTimeout(timeUp.resolve, endMsMax);
    await Promise.race([Promise.all(taken), timeUp.promise]);
    clearTimeout(timer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    // A name that leads here could be anybody's: pages of other sites must not read this one (DNS rebinding).
    const { port } = this.#server.address() as AddressInfo;
    const isOwn = [host, 'localhost'].some((name) => request.headers.host === `${name}:${port}`);
    if (!isOwn) return void response.writeHead(421).end();
    if (request.method !== 'GET') return void response.writeHead(405).end();
    if (request.url === eventsPath) return this.#stream(response);
    if (request.url !== '/') return void response.writeHead(404).end();
    const state = this.#state;
    const before = `<h1>${escapeHtml(state.question)}</h1>`;
    const around = { title: state.title, before, after: '', style: this.#style };
    const text = pageDocument({ ...around, state, eventsUrl: eventsPath });
    response
      .writeHead(200, {
        'content-type': 'text/html; charset=utf-8',
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
      })
      .end(text);
  }

  #stream(response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
    response.write(`retry: ${retryMs}\n\n`);
    response.on('error', () => response.destroy());
    response.on('close', () => this.#pages.delete(response));
    this.#pages.add(response);
    send(response, 'message', { event: 'state', state: this.#state } satisfies PageEvent);
  }
}

/** JSON has no line breaks of its own, so that an event is one line of data. */
function send(page: ServerResponse, event: string, data: unknown): void {
  if (page.writableLength > bufferedBytesMax) page.destroy();
  else if (!page.destroyed) page.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
}
