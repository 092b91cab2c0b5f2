/** The answers of the media server other than images: a status, a sentence, and whether to come back. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';

/** An answer that is expected in operation: the request cannot be granted. */
export class Refusal extends Error {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;

  /** `detail`: one sentence for the person, without a full stop. */
  constructor(status: number, detail: string, headers: OutgoingHttpHeaders = {}) {
    super(detail);
    this.status = status;
    this.headers = headers;
  }
}

/** A refusal that says when another attempt makes sense. */
export function busy(status: 429 | 503, detail: string, retryAfterSeconds: number): Refusal {
  return new Refusal(status, detail, { 'retry-after': String(retryAfterSeconds) });
}

/** Chosen: how long the rest of an upload that was refused is read and dropped. */
const lingerMs = 2_000;

/** On every answer: what is uploaded by anybody must not run as a page or a script of this origin. */
const headersOfAll: OutgoingHttpHeaders = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; sandbox",
  'referrer-policy': 'no-referrer',
  // Pages of other origins show the images: the chat page is one.
  'cross-origin-resource-policy': 'cross-origin',
};

/** Writes the head of an answer, with the headers that every answer has. */
export function writeHead(response: ServerResponse, status: number, headers: OutgoingHttpHeaders): void {
  response.writeHead(status, { ...headersOfAll, ...headers });
}

/**
 * Answers with a sentence. Where the request has a body that was not read, the rest is dropped for a while
 * before the connection ends: a reset would take the answer away from a client that is still writing.
 */
export function answer(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  sentence: string,
  headers: OutgoingHttpHeaders = {},
): void {
  const body = request.method === 'HEAD' ? '' : `${sentence}\n`;
  const hasUnread = !request.complete;
  writeHead(response, status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(`${sentence}\n`),
    'cache-control': 'no-store',
    ...(hasUnread && { connection: 'close' }),
    ...headers,
  });
  if (!hasUnread) return void response.end(body);
  response.write(body);
  const end = () => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, lingerMs);
  request.once('end', end).once('close', end).resume();
}
