/** `POST /accounts`: creates an account from a JSON object with `user` and `password`. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { type Credentials, parseCredentials } from '#protocol';
import type { Accounts, Registered } from './accounts.ts';

/** A user and a password with every byte escaped (`\u0061`) need less than 2 KiB. */
const bodyBytesMax = 4096;
const jsonPattern = /^application\/json\s*(;\s*charset="?utf-8"?\s*)?$/i;

type Answer = {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string | number>>;
};

type Options = {
  readonly accounts: Accounts;
  /** Whether a request comes from a page that may ask, or from no page. */
  readonly isAllowedOrigin: (origin: string | undefined) => boolean;
  /** Whether it carries the shared token of the chat, where one is set. */
  readonly hasToken: (request: IncomingMessage) => boolean;
  readonly addressOf: (request: IncomingMessage) => string;
};

/** Every answer ends its connection: who registers does so once. */
export function createAccountEndpoint(options: Options): RequestListener {
  return (request, response) => {
    void answerTo(request, options).then((answer) => send(response, answer));
  };
}

async function answerTo(request: IncomingMessage, options: Options): Promise<Answer | undefined> {
  const { accounts, isAllowedOrigin, hasToken, addressOf } = options;
  const refused = (status: number, detail: string, headers = {}): Answer => {
    accounts.meter.account('malformed');
    return { status, body: `${detail}\n`, headers };
  };
  if (request.method !== 'POST') return refused(405, 'send POST', { allow: 'POST' });
  if (!isAllowedOrigin(request.headers.origin)) return refused(403, 'this origin is not allowed');
  if (!hasToken(request))
    return refused(401, 'send the token of this chat', { 'www-authenticate': 'Bearer' });
  if (!jsonPattern.test(request.headers['content-type'] ?? ''))
    return refused(415, 'send content-type: application/json');
  if (Number(request.headers['content-length'] ?? 0) > bodyBytesMax) return refused(413, tooLarge);
  // The address is gone with the connection.
  const address = addressOf(request);
  const body = await readBody(request);
  if (body === 'cut') return undefined;
  if (body === 'too large') return refused(413, tooLarge);
  const credentials = parse(body);
  if ('detail' in credentials) return refused(400, credentials.detail);
  return encode(await accounts.register(credentials, address), credentials.user);
}

const tooLarge = `send at most ${bodyBytesMax} bytes`;

function encode(registered: Registered, user: string): Answer {
  switch (registered.result) {
    case 'created':
      return {
        status: 201,
        body: `${JSON.stringify({ user })}\n`,
        headers: { 'content-type': 'application/json' },
      };
    case 'taken':
      return { status: 409, body: 'this user name is taken\n' };
    case 'closed':
      return { status: 403, body: 'this chat creates no accounts\n' };
    case 'limited':
      return later(429, 'too many accounts from this address', registered.retryAfterMs);
    case 'busy':
      return later(503, 'no account can be created at present', registered.retryAfterMs);
  }
}

function later(status: number, detail: string, retryAfterMs: number): Answer {
  return { status, body: `${detail}\n`, headers: { 'retry-after': Math.ceil(retryAfterMs / 1000) } };
}

/** `cut`: the client was gone before its end. */
async function readBody(request: IncomingMessage): Promise<Buffer | 'too large' | 'cut'> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      bytes += (chunk as Buffer).length;
      if (bytes > bodyBytesMax) return 'too large';
      chunks.push(chunk as Buffer);
    }
  } catch {
    return 'cut';
  }
  return Buffer.concat(chunks);
}

function parse(body: Buffer): Credentials | { readonly detail: string } {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return { detail: 'send a JSON object in UTF-8' };
  }
  if (typeof value !== 'object' || value === null) return { detail: 'send a JSON object' };
  return parseCredentials(value as Record<string, unknown>);
}

function send(response: ServerResponse, answer: Answer | undefined): void {
  if (!answer || response.destroyed) return;
  const { status, body, headers } = answer;
  response.writeHead(status, {
    'cache-control': 'no-store',
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
    ...headers,
  });
  response.end(body);
}
