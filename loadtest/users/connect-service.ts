/**
 * Asks a connect service where a user shall connect: `GET /connect?room=…`, over connections that are kept.
 */
import { lookup } from 'node:dns/promises';
import http from 'node:http';
import type { Address } from '../model/assignment.ts';
import { parseRetryAfterMs } from '../wire/handshake.ts';

/** Requests of one worker at the same time, at most. Chosen, not measured. */
const requestsMax = 64;
/** A longer answer is none. Chosen, not measured. */
const answerCharsMax = 4096;

/** An address to connect to, or why there is none: an HTTP status or an error code. */
export type Answer = { url: URL; at: Address } | { why: string; retryAfterMs?: number | undefined };

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

  constructor(origins: readonly string[], headers: Readonly<Record<string, string>>, timeoutMs: number) {
    this.#origins = origins;
    this.#headers = headers;
    this.#timeoutMs = timeoutMs;
  }

  /** Asks one of the services: each next `turn` another one. An empty room is the global one. */
  async ask(turn: number, room: string): Promise<Answer> {
    const origin = this.#origins[turn % this.#origins.length]!;
    const query = room === '' ? '' : `?room=${encodeURIComponent(room)}`;
    const beganMs = performance.now();
    this.counts.asked++;
    const answer = await this.#request(`${origin}/connect${query}`).catch(
      (error: NodeJS.ErrnoException): Answer => ({ why: error.code ?? error.message }),
    );
    if ('url' in answer) this.counts.answerUs.push(Math.round((performance.now() - beganMs) * 1000));
    else this.counts.refused[answer.why] = (this.counts.refused[answer.why] ?? 0) + 1;
    return answer;
  }

  /** A step begins. */
  begin(): void {
    Object.assign(this.counts, { asked: 0, refused: {}, answerUs: [] });
  }

  #request(url: string): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const signal = AbortSignal.timeout(this.#timeoutMs);
      const request = http.get(url, { agent: this.#agent, headers: this.#headers, signal }, (response) => {
        const { statusCode = 0, headers } = response;
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          if (text.length < answerCharsMax) text += part;
        });
        response.on('error', reject);
        response.on('end', () => {
          if (statusCode === 200) return this.#read(text).then(resolve, reject);
          resolve({ why: String(statusCode), retryAfterMs: parseRetryAfterMs(headers['retry-after']) });
        });
      });
      request.on('error', (error) => reject(signal.aborted ? new Error('timeout') : error));
    });
  }

  async #read(text: string): Promise<Answer> {
    let url: URL | null;
    try {
      url = URL.parse(String(Object(JSON.parse(text)).url));
    } catch {
      url = null;
    }
    if (url?.protocol !== 'ws:') return { why: 'no URL in the answer' };
    return { url, at: { address: await this.#lookUp(url.hostname), port: Number(url.port || 80) } };
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
