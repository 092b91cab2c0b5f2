/** Lines to be sent: held until connected, paced below the server's rate limit, confirmed by their echo. */
import type { ChatMessage } from '#protocol';
import type { ChatClient } from './chat-client.ts';

/** The most lines sent and not yet echoed; more would only fill buffers. Chosen, not measured. */
const unconfirmedMax = 64;

/**
 * The sender hears its own message as all others do, so the echo of a line confirms that the room has it.
 * The echo may come over the next connection, with all that was missed. No line is sent twice: one whose
 * echo was lost may have been delivered, and counts as not confirmed.
 */
export class Outbox {
  readonly #client: ChatClient;
  readonly #linesPerSecondMax: number;
  readonly #onUnconfirmed: (lines: readonly string[]) => void;
  readonly #waiting: { readonly line: string; readonly done: (sent: boolean) => void }[] = [];
  readonly #sent: string[] = [];
  /** The first so many of them went over an earlier connection: their echoes may come with the rest. */
  #sentBefore = 0;
  #unconfirmedCount = 0;
  #echo: ChatMessage | undefined;
  #allowance: number;
  #refilledAtMs: number;
  #cancelPump: (() => void) | undefined;
  #onProgress = (): void => {};

  /**
   * `linesPerSecondMax` is also the number of lines that may be sent at once after a pause. `onUnconfirmed`
   * gets the lines whose echo can no longer come.
   */
  constructor(
    client: ChatClient,
    linesPerSecondMax: number,
    onUnconfirmed: (lines: readonly string[]) => void = () => {},
  ) {
    this.#client = client;
    this.#onUnconfirmed = onUnconfirmed;
    this.#linesPerSecondMax = linesPerSecondMax;
    this.#allowance = linesPerSecondMax;
    this.#refilledAtMs = client.clock.nowMs();
    client.events.on('connected', () => this.#pump());
    client.events.on('released', () => this.#pump());
    client.events.on('message', (message) => {
      const isOwn = client.names.has(message.clientId) && this.#confirm(message.Message);
      this.#echo = isOwn ? message : undefined;
    });
    client.events.on('resumed', () => this.#onResumed());
    client.events.on('closed', ({ final }) => this.#onClosed(final));
  }

  /**
   * Whether the message that was just received is the echo of a line sent here. Another client may use the
   * same clientId.
   */
  isEcho(message: ChatMessage): boolean {
    return message === this.#echo;
  }

  /** Lines put and not yet sent. */
  get waitingCount(): number {
    return this.#waiting.length;
  }

  /** Accepts a line. Resolves to true when it was sent, to false when the client ended before that. */
  put(line: string): Promise<boolean> {
    if (this.#client.ended) return Promise.resolve(false);
    return new Promise((done) => {
      this.#waiting.push({ line, done });
      this.#pump();
    });
  }

  /** Waits until all lines are confirmed or no echo came for `echoWaitMs`; resolves to how many are not. */
  settle(echoWaitMs: number): Promise<number> {
    return new Promise((resolve) => {
      let cancel = (): void => {};
      const check = (): void => {
        cancel();
        if (this.#sent.length === 0 && this.#waiting.length === 0) finish();
        else cancel = this.#client.clock.after(echoWaitMs, finish);
      };
      const finish = (): void => {
        this.#onProgress = () => {};
        resolve(this.#unconfirmedCount + this.#sent.length + this.#waiting.length);
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
      if (this.#allowance < 1) {
        const waitMs = ((1 - this.#allowance) / this.#linesPerSecondMax) * 1000;
        this.#cancelPump = this.#client.clock.after(waitMs, () => this.#pump());
        return;
      }
      const next = this.#waiting[0]!;
      // A connection that is closing accepts no more: the line waits for the next one.
      if (!this.#client.send(next.line)) return;
      this.#waiting.shift();
      this.#allowance -= 1;
      this.#sent.push(next.line);
      next.done(true);
    }
  }

  #refill(): void {
    const nowMs = this.#client.clock.nowMs();
    const refill = (Math.max(0, nowMs - this.#refilledAtMs) / 1000) * this.#linesPerSecondMax;
    this.#allowance = Math.min(this.#linesPerSecondMax, this.#allowance + refill);
    this.#refilledAtMs = nowMs;
  }

  /** False if that line is not waited for: then another client uses the same clientId. */
  #confirm(message: string): boolean {
    const at = this.#sent.indexOf(message);
    if (at === -1) return false;
    // The echoes of one sender come in order, so those of earlier lines can no longer come.
    this.#addUnconfirmed(this.#sent.splice(0, at));
    this.#sent.shift();
    this.#sentBefore = Math.max(0, this.#sentBefore - at - 1);
    this.#pump();
    this.#onProgress();
    return true;
  }

  /** All that was missed has come, or never will. */
  #onResumed(): void {
    this.#addUnconfirmed(this.#sent.splice(0, this.#sentBefore));
    this.#sentBefore = 0;
    this.#pump();
    this.#onProgress();
  }

  #onClosed(final: boolean): void {
    this.#sentBefore = this.#sent.length;
    if (final) {
      this.#cancelPump?.();
      this.#addUnconfirmed(this.#sent.splice(0));
      const unsent = this.#waiting.splice(0);
      this.#addUnconfirmed(unsent.map(({ line }) => line));
      for (const { done } of unsent) done(false);
    }
    this.#onProgress();
  }

  #addUnconfirmed(lines: readonly string[]): void {
    if (lines.length === 0) return;
    this.#unconfirmedCount += lines.length;
    this.#onUnconfirmed(lines);
  }
}
