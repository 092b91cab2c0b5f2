/** Creates the accounts of people: POST /accounts over a few connections that stay. */
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Address, Assignment, IndexRange } from '../model/assignment.ts';
import { nameOfPerson, passwordOf } from '../model/people.ts';
import { countUp } from '../record/counts.ts';
import { parseRetryAfterMs } from '../wire/handshake.ts';

/** Requests of one worker at the same time. Chosen: a server that hashes passwords does few at once. */
const requestsMax = 16;
/** The wait where a server that is busy names none, and the longest one. Chosen, not measured. */
const retryMs = 1000;
const retryMsMax = 60_000;
/** Times that a request which failed without an answer is sent. Chosen, not measured. */
const attemptsMax = 5;

export type AccountCounts = {
  created: number;
  /** The name was taken: by an earlier run with the same prefix. */
  existed: number;
  /** By HTTP status or error code. */
  refused: Record<string, number>;
};

type Answer = { why: string; retryAfterMs?: number | undefined };

export class Accounts {
  readonly counts: AccountCounts = { created: 0, existed: 0, refused: {} };
  /** People whose account was there before. */
  readonly existed = new Set<number>();
  readonly #assignment: Assignment;
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: requestsMax });
  /** Until then nobody asks: the server is busy. */
  #pauseUntilMs = 0;

  constructor(assignment: Assignment) {
    this.#assignment = assignment;
  }

  /** Accounts that are there, and those that cannot be made. */
  get settled(): number {
    const refused = Object.values(this.counts.refused).reduce((sum, count) => sum + count, 0);
    return this.counts.created + this.counts.existed + refused;
  }

  /** Resolves when each account is there or has been refused. While the server is busy, it waits. */
  async create({ from, to }: IndexRange): Promise<void> {
    let next = from;
    const work = async () => {
      while (next < to) await this.#createOne(next++);
    };
    await Promise.all(Array.from({ length: requestsMax }, work));
    this.#agent.destroy();
  }

  async #createOne(person: number): Promise<void> {
    for (let attempts = 1; ; ) {
      const pauseMs = this.#pauseUntilMs - performance.now();
      if (pauseMs > 0) await sleep(pauseMs);
      const { why, retryAfterMs } = await this.#request(person);
      if (why === '429' || why === '503') {
        const waitMs = Math.min(retryMsMax, retryAfterMs ?? retryMs);
        this.#pauseUntilMs = Math.max(this.#pauseUntilMs, performance.now() + waitMs);
      } else if (!/^\d/.test(why) && attempts < attemptsMax) {
        attempts++;
        await sleep(retryMs * attempts);
      } else return this.#settle(person, why);
    }
  }

  #settle(person: number, why: string): void {
    if (why === '201') this.counts.created++;
    else if (why === '409') {
      this.counts.existed++;
      this.existed.add(person);
    } else countUp(this.counts.refused, why);
  }

  #request(person: number): Promise<Answer> {
    const { workload, addresses, headers } = this.#assignment;
    const target = person % workload.urls.length;
    const { host } = new URL(workload.urls[target]!);
    const { address, port }: Address = addresses[target]!;
    const { peoplePrefix, connectTimeoutSeconds } = workload;
    const user = nameOfPerson(peoplePrefix, person);
    const body = JSON.stringify({ user, password: passwordOf(peoplePrefix, person) });
    const length = Buffer.byteLength(body);
    return new Promise((resolve) => {
      const request = http.request(
        {
          ...{ host: address, port, path: '/accounts', method: 'POST', agent: this.#agent },
          headers: { ...headers, Host: host, 'Content-Type': 'application/json', 'Content-Length': length },
        },
        (response) => {
          response.resume();
          response.on('error', () => {});
          response.on('close', () => {
            clearTimeout(timer);
            const retryAfterMs = parseRetryAfterMs(response.headers['retry-after']);
            resolve({ why: String(response.statusCode), retryAfterMs });
          });
        },
      );
      // A busy server may hash for long.
      const timer = setTimeout(() => request.destroy(new Error('timeout')), connectTimeoutSeconds * 3000);
      request.on('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(timer);
        resolve({ why: error.code ?? error.message });
      });
      request.end(body);
    });
  }
}
