/** Where to connect next: the addresses of the chat in turn, or where a connect service sends this client. */
import { type ConnectionEnd, parseRetryAfterMs } from './reconnect.ts';

/** The longest wait for the answer of a connect service. Chosen, not measured. */
const answerMsMax = 3_000;

export type RouteOptions = {
  /** Addresses of the chat, room included. May be empty where there is a connect service. */
  readonly urls: readonly string[];
  /** Requests that ask a connect service for the address, as `http://host:port/connect?room=tea`. */
  readonly connectUrls?: readonly string[];
  /** Headers of these requests. */
  readonly headers?: Readonly<Record<string, string>>;
};

/** An address to connect to, or why there is none now. */
export type Place = { readonly url: string; readonly node?: string } | { readonly end: ConnectionEnd };

/**
 * A client stays with an address that worked. After an attempt that failed the next one has its turn. A
 * connect service is asked before each connection, because the answer changes; the addresses are for the time
 * when none of the services answers.
 */
export class Route {
  readonly #options: RouteOptions;
  #url = 0;
  #service = 0;
  /** The node that the service named last, and the one that the next request excludes: it did not answer. */
  #node: string | undefined;
  #unreached: string | undefined;

  constructor(options: RouteOptions) {
    this.#options = options;
  }

  /** The next place, at once where there is no connect service to ask. */
  locate(): Place | Promise<Place> {
    return (this.#options.connectUrls ?? []).length > 0 ? this.#ask() : this.#known(nowhere);
  }

  /** The last place did not work: the next address has its turn. */
  passOn(): void {
    this.#url += 1;
    this.#unreached = this.#node;
  }

  #known(otherwise: ConnectionEnd): Place {
    const { urls } = this.#options;
    return urls.length > 0 ? { url: urls[this.#url % urls.length]! } : { end: otherwise };
  }

  /** A service that is full is an answer; one that fails is no answer, and the next one is asked. */
  async #ask(): Promise<Place> {
    const services = this.#options.connectUrls!;
    let last: ConnectionEnd = nowhere;
    const unreached = this.#unreached;
    this.#unreached = undefined;
    for (let asked = 0; asked < services.length; asked++) {
      const request = new URL(services[this.#service % services.length]!);
      if (unreached !== undefined) request.searchParams.set('not', unreached);
      const answer = await askService(request.href, this.#options.headers);
      if ('url' in answer) {
        this.#node = answer.node;
        return answer;
      }
      this.#service += 1;
      if (answer.end.kind === 'refused' && [429, 503].includes(answer.end.status)) return answer;
      last = answer.end;
    }
    return this.#known(last);
  }
}

const nowhere: ConnectionEnd = { kind: 'unreachable', cause: 'there is no address to connect to' };

async function askService(request: string, headers: RouteOptions['headers']): Promise<Place> {
  try {
    const signal = AbortSignal.timeout(answerMsMax);
    const response = await fetch(request, { signal, cache: 'no-store', ...(headers && { headers }) });
    if (response.status !== 200) {
      await response.body?.cancel();
      const retryAfterMs = parseRetryAfterMs(response.headers.get('retry-after') ?? undefined, Date.now());
      return { end: { kind: 'refused', status: response.status, retryAfterMs, by: 'connect' } };
    }
    const { url, node } = Object(await response.json()) as { url?: unknown; node?: unknown };
    if (typeof url === 'string' && /^wss?:\/\//.test(url))
      return { url, ...(typeof node === 'string' && { node }) };
    return { end: { kind: 'unreachable', cause: 'the connect service named no WebSocket address' } };
  } catch (error) {
    return { end: { kind: 'unreachable', cause: `the connect service: ${causeOf(error)}` } };
  }
}

/** `fetch` hides the error code of the system in the cause of its error. */
function causeOf(error: unknown): string {
  const { name, message, cause } = error as Error & { cause?: { code?: string; message: string } };
  if (name === 'TimeoutError') return `no answer within ${answerMsMax} ms`;
  return cause?.code ?? cause?.message ?? message;
}

/** Where a chat is, and the headers of requests to its services. */
export type ChatAddress = { readonly chatUrl: string; readonly headers: Readonly<Record<string, string>> };

/**
 * The address of a service beside the chat, over HTTP: `ws://host/ws/tea` → `http://host/accounts`. It
 * keeps the shared token of the chat, where the address has one.
 */
export function serviceUrl(chatUrl: string, path: string): string {
  const url = new URL(chatUrl);
  const token = url.searchParams.get('token');
  url.protocol = url.protocol === 'wss:' ? 'https:' : 'http:';
  url.pathname = url.pathname.replace(/\/ws(\/[^/]*)?$/, `/${path}`);
  url.search = '';
  if (token !== null) url.searchParams.set('token', token);
  return url.href;
}
