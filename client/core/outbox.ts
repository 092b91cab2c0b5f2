/** The lines on their way out: held until connected, paced below the server's rate limit, confirmed by their echo. */
import type { ChatClient, Clock } from './chat-client.ts';

export type OutboxOptions = {
  /** Also the size of the burst that may leave at once after a pause. */
  readonly linesPerSecondMax: number;
  readonly clock: Clock;
};

/** Lines sent and not yet echoed; more would only fill buffers. Chosen, not measured. */
const unconfirmedMax = 64;

type Waiting = { readonly line: string; readonly done: (sent: boolean) => void };

/**
 * The sender hears its own message through the same path as everybody, so the echo of a line says that the room has
 * it. Nothing is sent twice: a line whose echo was lost with a connection counts as `unconfirmed`, because it may
 * have been heard.
 */
export class Outbox {
  readonly #client: ChatClient;
  readonly #options: OutboxOptions;
  readonly #onUnheard: (lines: readonly string[]) => void;
  readonly #waiting: Waiting[] = [];
  readonly #sent: string[] = [];
  #givenUp = 0;
  #tokens: number;
  #refilledAtMs: number;
  #cancelPump: (() => void) | undefined;
  #onProgress = (): void => {};

  /** `onUnheard` is told the lines that will not come back any more. */
  constructor(
    client: ChatClient,
    options: OutboxOptions,
    onUnheard: (lines: readonly string[]) => void = () => {},
  ) {
    this.#client = client;
    this.#onUnheard = onUnheard;
    this.#options = options;
    this.#tokens = options.linesPerSecondMax;
    this.#refilledAtMs = options.clock.nowMs();
    client.events.on('connected', () => this.#pump());
    client.events.on('message', ({ clientId, Message }) => {
      if (clientId === client.clientId) this.#confirm(Message);
    });
    client.events.on('closed', ({ final }) => this.#onClosed(final));
  }

  /** Lines put and not yet sent. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Takes a line; resolves to true once it was sent, to false when the client ended before that. */
  put(line: string): Promise<boolean> {
    if (this.#client.ended) return Promise.resolve(false);
    return new Promise((done) => {
      this.#waiting.push({ line, done });
      this.#pump();
    });
  }

  /** Waits until every line sent has been echoed, or none was for `patienceMs`; resolves to how many never were. */
  settle(patienceMs: number): Promise<number> {
    return new Promise((resolve) => {
      let cancel = (): void => {};
      const check = (): void => {
        cancel();
        if (this.#sent.length === 0 && this.#waiting.length === 0) finish();
        else cancel = this.#options.clock.after(patienceMs, finish);
      };
      const finish = (): void => {
        this.#onProgress = () => {};
        resolve(this.#givenUp + this.#sent.length + this.#waiting.length);
      };
      this.#onProgress = check;
      check();
    });
  }

  #pump(): void {
    this.#cancelPump?.();
    this.#cancelPump = undefined;
    this.#refill();
    while (this.#waiting.length > 0 && this.#sent.length < unconfirmedMax && this.#client.connected) {
      if (this.#tokens < 1) {
        const waitMs = ((1 - this.#tokens) / this.#options.linesPerSecondMax) * 1000;
        this.#cancelPump = this.#options.clock.after(waitMs, () => this.#pump());
        return;
      }
      this.#tokens -= 1;
      const next = this.#waiting.shift();
      if (!next || !this.#client.send(next.line)) return;
      this.#sent.push(next.line);
      next.done(true);
    }
  }

  #refill(): void {
    const nowMs = this.#options.clock.nowMs();
    const { linesPerSecondMax } = this.#options;
    const elapsedMs = Math.max(0, nowMs - this.#refilledAtMs);
    this.#tokens = Math.min(linesPerSecondMax, this.#tokens + (elapsedMs / 1000) * linesPerSecondMax);
    this.#refilledAtMs = nowMs;
  }

  #confirm(message: string): void {
    const at = this.#sent.indexOf(message);
    // Somebody else may use our clientId; a line that we never sent confirms nothing.
    if (at === -1) return;
    // A sender's lines come back in their order: those before the one that came will not come any more.
    this.#giveUp(this.#sent.splice(0, at));
    this.#sent.shift();
    this.#pump();
    this.#onProgress();
  }

  #onClosed(final: boolean): void {
    this.#giveUp(this.#sent.splice(0));
    if (final) {
      this.#cancelPump?.();
      const unsent = this.#waiting.splice(0);
      this.#giveUp(unsent.map(({ line }) => line));
      for (const { done } of unsent) done(false);
    }
    this.#onProgress();
  }

  #giveUp(lines: readonly string[]): void {
    if (lines.length === 0) return;
    this.#givenUp += lines.length;
    this.#onUnheard(lines);
  }
}
