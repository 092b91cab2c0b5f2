/**
 * A person who writes to others through failures: each message goes out again under its id until the server
 * has answered, and a lost connection is made again, at the next node.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Credentials, LoginAck } from '#protocol';
import { createAccount } from './accounts.ts';
import { Device, type LoginBy } from './device.ts';
import type { Ledger } from './ledger.ts';

export type CorrespondentOptions = {
  ledger: Ledger;
  /** The node of the next attempt. */
  nextUrl(): string;
  /** From 0 to 1. */
  random(): number;
  signal: AbortSignal;
  by?: LoginBy;
};

/** Chosen, not measured: fast enough to see a recovery, slow enough not to flood a node that starts. */
const retryMs = 100;
/** A message without an answer for so long is sent again. Chosen, not measured. */
const resendMs = 1500;
const loginTimeoutMs = 3000;

type Pending = { to: string; text: string; sentAtMs: number };

export class Correspondent {
  readonly person: Credentials;
  /** Accounts that were gone, and had to be made again. */
  accountsLost = 0;
  readonly #options: CorrespondentOptions;
  readonly #device: Device;
  readonly #pending = new Map<string, Pending>();
  #written = 0;
  #wantsIn = false;
  #coming: Promise<void> | undefined;

  constructor(person: Credentials, options: CorrespondentOptions) {
    this.person = person;
    this.#options = options;
    const { ledger } = options;
    this.#device = new Device(person, {
      message: (message) => ledger.heard(person.user, message, performance.now()),
      gap: (from, to) => ledger.gone(from, to),
      ack: ({ id, result }) => {
        // Busy: perhaps not stored. It goes out again with the others that have no answer.
        if (result === 'busy') return;
        this.#pending.delete(id);
        if (result === 'ok') ledger.acked(person.user, id, performance.now());
        else ledger.refused(person.user, id);
      },
      closed: () => this.#comeAgain(),
    });
  }

  get isIn(): boolean {
    return this.#device.isIn;
  }

  /** Messages without an answer. */
  get unanswered(): number {
    return this.#pending.size;
  }

  /** Resolves once it is logged in; from then on it comes back by itself. */
  come(): Promise<void> {
    this.#wantsIn = true;
    this.#coming ??= this.#logIn().finally(() => {
      this.#coming = undefined;
    });
    return this.#coming;
  }

  /** Goes, and comes back only on `come`. */
  go(): void {
    this.#wantsIn = false;
    this.#device.leave();
  }

  /** Goes without a word; for the end of a trial. */
  end(): void {
    this.#wantsIn = false;
    this.#device.drop();
  }

  /** Writes a message, which goes out now or with the next login. */
  write(to: string, text: string): void {
    const id = `m${this.#written++}`;
    const atMs = performance.now();
    this.#pending.set(id, { to, text, sentAtMs: atMs });
    this.#options.ledger.wrote(this.person.user, to, id, text, atMs);
    this.#device.send(to, id, text);
  }

  /** Sends again what has had no answer for a time; call it a few times a second. */
  resend(): void {
    const nowMs = performance.now();
    for (const [id, pending] of this.#pending)
      if (nowMs - pending.sentAtMs > resendMs && this.#device.send(pending.to, id, pending.text))
        pending.sentAtMs = nowMs;
  }

  #comeAgain(): void {
    if (this.#wantsIn) this.come().catch(() => {}); // Only the end of the trial ends the attempts.
  }

  async #logIn(): Promise<void> {
    const { nextUrl, random, signal, by } = this.#options;
    while (this.#wantsIn && !this.#device.isIn) {
      signal.throwIfAborted();
      const url = nextUrl();
      const ack = await this.#device.logIn(url, by, loginTimeoutMs).catch(() => undefined);
      if (ack?.result === 'ok') break;
      if (ack?.result === 'fail') await this.#makeAccountAgain(url);
      else await sleep(waitMs(ack) * (0.5 + random()), undefined, { signal });
    }
    if (!this.#wantsIn) return this.#device.leave();
    // What has no answer goes out again in its order, before anything new.
    for (const [id, pending] of this.#pending) {
      this.#device.send(pending.to, id, pending.text);
      pending.sentAtMs = performance.now();
    }
  }

  /** The password is right: so the server does not know the person any more. */
  async #makeAccountAgain(url: string): Promise<void> {
    await createAccount(url, this.person, this.#options.signal).then(
      () => this.accountsLost++,
      () => sleep(retryMs),
    );
  }
}

function waitMs(ack: LoginAck | undefined): number {
  return ack?.result === 'busy' ? Math.max(retryMs, ack.retryAfterMs) : retryMs;
}
