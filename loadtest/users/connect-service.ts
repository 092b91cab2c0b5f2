/**
 * Asks a connect service where a user shall connect: `GET /connect?room=…`, over connections that are kept.
 */
import { lookup } from 'node:dns/promises';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Address } from '../model/assignment.ts';
import { countUp } from '../record/counts.ts';
import { parseRetryAfterMs } from '../wire/handshake.ts';

/** Requests of one worker at the same time, at most. Chosen, not measured. */
const requestsMax = 64;
/** A longer answer is none. Chosen, not measured. */
const answerCharsMax = 4096;

/** Times that a user asks for its first connection while the service answers 503. Chosen, not measured. */
const firstAsksMax = 4;
/** The longest wait between two of them. Chosen, not measured. */
const retryAfterMsMax = 3_000;

/** Who asks. An empty room is the global one; each next `turn` asks another service. */
export type Question = { user: number; room: string; turn: number };

/** An address to connect to, or why there is none: an HTTP status or an error code. */
export type Answer =
  | { url: URL; at: Address; node?: string }
  | { why: string; retryAfterMs?: number | undefined };

/** How a worker's requests to the connect service went. */
export type ConnectCounts = {
  asked: number;
  /** By HTTP status or error code. */
  refused: Record<string, number>;
  /** Time to each answer with an address, with the wait for one of the connections. */
  answerUs: number[];
};

export class ConnectService {
  readonly counts: ConnectCounts = { asked: 0, refused: {}, answerUs: [] };
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: requestsMax });
  readonly #origins: readonly string[];
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timeoutMs: number;
  readonly #hosts = new Map<string, Promise<string>>();
  /** The node to which each user was sent last. */
  readonly #named = new Map<number, string>();
  /** The node that a user could not reach: its next question excludes it. */
  readonly #unreached = new Map<number, string>();

  constructor(origins: readonly string[], headers: Readonly<Record<string, string>>, timeoutMs: number) {
    this.#origins = origins;
    this.#headers = headers;
    this.#timeoutMs = timeoutMs;
  }

  /**
   * Asks for a user that has never been connected: while the service is full, again after the wait that it
   * names, a few times. (Who comes back waits between its attempts anyway.)
   */
  async askFirst(question: Question): Promise<Answer> {
    for (let asks = 1; ; asks++) {
      const answer = await this.ask(question);
      if ('url' in answer || answer.why !== '503' || answer.retryAfterMs === undefined) return answer;
      if (asks === firstAsksMax) return answer;
      await sleep(Math.min(answer.retryAfterMs, retryAfterMsMax));
    }
  }

  /** Asks one of the services where the user shall connect. */
  async ask({ user, room, turn }: Question): Promise<Answer> {
    const request = new URL('/connect', this.#origins[turn % this.#origins.length]);
    if (room !== '') request.searchParams.set('room', room);
    const unreached = this.#unreached.get(user);
    if (unreached !== undefined) request.searchParams.set('not', unreached);
    this.#unreached.delete(user);
    this.#named.delete(user);
    const beganMs = performance.now();
    this.counts.asked++;
    const answer = await this.#request(request).catch(
      (error: NodeJS.ErrnoException): Answer => ({ why: error.code ?? error.message }),
    );
    if ('url' in answer) {
      this.counts.answerUs.push(Math.round((performance.now() - beganMs) * 1000));
      if (answer.node !== undefined) this.#named.set(user, answer.node);
    } else countUp(this.counts.refused, answer.why);
    return answer;
  }

  /** The user could not reach the node to which it was sent. */
  failed(user: number): void {
    const node = this.#named.get(user);
    if (node !== undefined) this.#unreached.set(user, node);
  }

  /** A step begins. */
  begin(): void {
    Object.assign(this.counts, { asked: 0, refused: {}, answerUs: [] });
  }

  #request(url: URL): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const request = http.get(url, { agent: this.#agent, headers: this.#headers }, (response) => {
        const { statusCode = 0, headers } = response;
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          if (text.length < answerCharsMax) text += part;
        });
        response.on('error', (error) => {
          clearTimeout(timer);
          reject(error);
        });
        response.on('end', () => {
          clearTimeout(timer);
          if (statusCode === 200) return this.#read(text).then(resolve, reject);
          resolve({ why: String(statusCode), retryAfterMs: parseRetryAfterMs(headers['retry-after']) });
        });
      });
      const timer = setTimeout(() => request.destroy(new Error('timeout')), this.#timeoutMs);
      request.on('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        // The service has closed a kept connection in the moment in which this request was sent over it.
        if (request.reusedSocket && error.code === 'ECONNRESET') this.#request(url).then(resolve, reject);
        else reject(error);
      });
    });
  }

  async #read(text: string): Promise<Answer> {
    let found: { url?: unknown; node?: unknown };
    try {
      found = Object(JSON.parse(text));
    } catch {
      found = {};
    }
    const url = URL.parse(String(found.url));
    if (url?.protocol !== 'ws:') return { why: 'no URL in the answer' };
    const at = { address: await this.#lookUp(url.hostname), port: Number(url.port || 80) };
    return { url, at, ...(typeof found.node === 'string' && { node: found.node }) };
  }

  /** Each name is looked up once. */
  async #lookUp(name: string): Promise<string> {
    const known = this.#hosts.get(name);
    if (known !== undefined) return known;
    const asked = lookup(name.replace(/^\[|\]$/g, '')).then(({ address }) => address);
    this.#hosts.set(name, asked);
    asked.catch(() => this.#hosts.delete(name));
    return asked;
  }
}
