/**
 * The chat page over plain HTTP: GET and HEAD of its files, which are made ready at the first request and
 * kept. The page speaks to the chat as every client does; nothing here knows of sessions.
 */
import { once } from 'node:events';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { Worker } from 'node:worker_threads';
import type { Metrics } from '../ops/metrics.ts';
import { choice, group, limit, type ValuesOf } from '../settings.ts';
import { type PageFile, pagePrefix } from './page-files.ts';

/** The bound is chosen, not measured. */
export const webPageSettings = group('Web page', {
  webPage: choice(['on', 'off'], 'on', 'serve the chat page at / (never on 01-naive)'),
  webPageRequestsMax: limit(
    1,
    100_000,
    256,
    'requests of the page that are not yet answered, in this process',
  ),
});

type Settings = ValuesOf<typeof webPageSettings> & {
  readonly handshakeTimeoutMs: number;
  /** The public address of the media server; empty: there is none. */
  readonly mediaUrl: string;
};

/**
 * Nothing from other hosts but images, which it also uploads there; nothing inline, and no script may turn a
 * text into markup.
 */
function contentSecurityPolicy(mediaUrl: string): string {
  const withMedia = mediaUrl === '' ? "'self'" : `'self' ${new URL(mediaUrl).origin}`;
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    `img-src ${withMedia}`,
    `connect-src ${withMedia}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
}

const headersOfAll: OutgoingHttpHeaders = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  // The browser asks whether its copy is still good, and is told so in a few bytes.
  'cache-control': 'no-cache',
  // As for all answers but those of /connect: an idle connection would hold a descriptor that a session
  // needs.
  connection: 'close',
};

export class WebPage {
  readonly #settings: Settings;
  readonly #policy: string;
  readonly #rejections: Metrics['rejections'];
  #files: Promise<ReadonlyMap<string, PageFile>> | undefined;
  #underWay = 0;

  constructor(settings: Settings, { rejections }: Pick<Metrics, 'rejections'>) {
    this.#settings = settings;
    this.#policy = contentSecurityPolicy(settings.mediaUrl);
    this.#rejections = rejections;
  }

  /** Answers a request for a file of the page; false, and nothing done, where it asks for something else. */
  answer(path: string, request: IncomingMessage, response: ServerResponse): boolean {
    if (path !== '/' && !path.startsWith(pagePrefix)) return false;
    if (request.method !== 'GET' && request.method !== 'HEAD') return false;
    response.setHeader('content-security-policy', this.#policy);
    if (this.#underWay >= this.#settings.webPageRequestsMax) {
      this.#rejections.inc({ reason: 'page' });
      end(response, 503, { 'retry-after': '1' }, 'too many requests of the page: try again\n');
      return true;
    }
    this.#underWay += 1;
    // A peer that does not take its answer would keep the connection, and it counts as no session.
    const deadline = setTimeout(() => request.socket.destroy(), this.#settings.handshakeTimeoutMs);
    response.once('close', () => {
      clearTimeout(deadline);
      this.#underWay -= 1;
    });
    this.#files ??= this.#read();
    this.#files.then(
      (files) => send(files.get(path), request, response),
      (error: Error) => end(response, 500, {}, `the page cannot be read: ${error.message}\n`),
    );
    return true;
  }

  #read(): Promise<ReadonlyMap<string, PageFile>> {
    const reading = readFiles();
    // The next request tries again.
    reading.catch(() => {
      this.#files = undefined;
    });
    return reading;
  }
}

/** Reads the files in a thread of its own. Rejects with what the thread threw. */
async function readFiles(): Promise<ReadonlyMap<string, PageFile>> {
  // Node calls the function that strips types experimental; the flag keeps that out of the server's log.
  const execArgv = ['--disable-warning=ExperimentalWarning'];
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { execArgv });
  const [files] = (await once(worker, 'message')) as [PageFile[]];
  return new Map(files.map((file) => [file.path, file]));
}

function send(file: PageFile | undefined, request: IncomingMessage, response: ServerResponse): void {
  if (!file) return end(response, 404, {}, 'not found: the page is at /\n');
  const known = request.headers['if-none-match']?.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  const headers = { 'content-type': file.type, etag: file.etag };
  if (known?.includes(file.etag)) return end(response, 304, { etag: file.etag });
  end(response, 200, headers, file.body);
}

/** Node leaves the body out where the request was HEAD. */
function end(
  response: ServerResponse,
  status: number,
  headers: OutgoingHttpHeaders,
  body?: string | Uint8Array,
): void {
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
  const type = typeof body === 'string' ? { 'content-type': 'text/plain; charset=utf-8' } : {};
  response.writeHead(status, { ...headersOfAll, ...type, ...length, ...headers }).end(body);
}
