/**
 * One lasting connection to Redis: prepared, watched for silence, and after a loss made anew with backoff.
 * Each attempt is a fresh client, so no queued command and no late reply of the old one reaches it.
 */
import { setTimeout as startTimer } from 'node:timers';
import type { Redis } from 'ioredis';
import { abandon, createClient } from '../redis/connection.ts';
import type { RedisPlace } from '../redis/place.ts';
import type { BackplaneMeter } from './meter.ts';

export type RedisOptions = {
  place: RedisPlace;
  meter: BackplaneMeter;
  /** All nodes of one chat share it. It ends with the version of a batch, so that versions never meet. */
  channel: string;
  /** All nodes of one chat share it, to sign their batches; empty: batches are not signed. */
  secret: string;
  /** Largest batch, in bytes; a message that is larger travels alone. */
  batchBytesMax: number;
  /** Bytes accepted and not yet acknowledged by Redis; beyond it `publish` refuses. */
  queueBytesMax: number;
  heartbeatIntervalMs: number;
  /** Heartbeats without a sign of life after which a connection, or an attempt to connect, counts as dead. */
  silentTicksMax: number;
  startDeadlineMs: number;
  closeDeadlineMs: number;
};

type LinkOptions = RedisOptions & {
  /** Name of the connection in Redis's CLIENT LIST. */
  name: string;
  /** Prepares a new connection for service; rejecting ends this attempt. */
  prepare(client: Redis): Promise<void>;
  /** The connection is in service from now on. */
  up(): void;
  /** The connection is no longer in service; the next attempt follows by itself. */
  lost(reason: string): void;
};

// Chosen, not measured: soon after a short break, and gentle to a Redis that a whole cluster waits for.
const retryMsMin = 50;
const retryMsMax = 1000;

export class RedisLink {
  readonly #options: LinkOptions;
  #attempt: Redis | undefined;
  #inService = false;
  #silentTicks = 0;
  #failures = 0;
  #closed = false;
  #retryTimer: NodeJS.Timeout | undefined;
  /** The reason for which the last connection or attempt failed, in words. */
  lastFailure = 'no attempt has ended yet';

  constructor(options: LinkOptions) {
    this.#options = options;
  }

  /** The client while the connection is in service. */
  get client(): Redis | undefined {
    return this.#inService ? this.#attempt : undefined;
  }

  /** True for the client of the present connection, in service or still being prepared. */
  isPresent(client: Redis): boolean {
    return client === this.#attempt;
  }

  open(): void {
    this.#silentTicks = 0;
    const url = this.#options.place.find();
    if (typeof url === 'string') return this.#connect(url);
    url.then(
      (found) => !this.#closed && this.#connect(found),
      ({ message }: Error) => this.#retry(message),
    );
  }

  #connect(url: string): void {
    const client = createClient(url, this.#options.name);
    this.#attempt = client;
    let error = 'the connection was closed';
    client.on('error', (cause: Error) => {
      error = cause.message;
    });
    client.on('close', () => this.#endAttempt(client, error));
    client
      .connect()
      .then(() => this.#options.prepare(client))
      .then(
        () => {
          if (client !== this.#attempt) return;
          this.#inService = true;
          this.#silentTicks = 0;
          this.#failures = 0;
          this.#options.up();
        },
        (cause: Error) =>
          this.#endAttempt(client, cause.message === 'Connection is closed.' ? error : cause.message),
      );
  }

  /** Call on any sign of life. */
  signOfLife(): void {
    this.#silentTicks = 0;
  }

  /** Asks for a sign of life. Without it a connection with nothing on its way would count as silent. */
  ping(): void {
    const { client } = this;
    client?.ping().then(
      () => this.isPresent(client) && this.signOfLife(),
      () => undefined, // The connection is closing, which its own event reports.
    );
  }

  /**
   * Call at every heartbeat. Silence is counted in ticks and not in time, so that a process that was itself
   * frozen does not take its own pause for it: it reads the bytes in its socket before the next tick.
   */
  tick(): void {
    if (!this.#attempt) return;
    if (++this.#silentTicks > this.#options.silentTicksMax) this.fail('Redis is silent');
  }

  /**
   * Drops the present connection at once, without waiting for the other side, and makes a new one. Does
   * nothing where `client` is one of before.
   */
  fail(reason: string, client = this.#attempt): void {
    if (client) this.#endAttempt(client, reason);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retryTimer);
    if (this.#attempt) abandon(this.#attempt);
    this.#attempt = undefined;
    this.#inService = false;
  }

  #endAttempt(client: Redis, reason: string): void {
    if (client !== this.#attempt) return;
    this.#attempt = undefined;
    abandon(client);
    const wasInService = this.#inService;
    this.#inService = false;
    this.#retry(reason);
    if (wasInService && !this.#closed) this.#options.lost(reason);
  }

  #retry(reason: string): void {
    this.lastFailure = reason;
    if (this.#closed) return;
    const waitMs = Math.min(retryMsMax, retryMsMin * 2 ** this.#failures++);
    // Half of the wait is random, so that the nodes of a chat do not all come back at the same moment.
    this.#retryTimer = startTimer(() => this.open(), waitMs * (0.5 + Math.random() / 2));
  }
}
