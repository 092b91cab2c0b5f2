/** Accounts: who may create one, who is let in with a password or a token, and how often one may try. */
import { lowerPoolPriority } from '#host/thread-priority.ts';
import type { Credentials, Login } from '#protocol';
import type { AccountMeter } from './account-meter.ts';
import type { AccountOptions } from './account-settings.ts';
import type { AccountStore, StoredLogin } from './account-store.ts';
import { Attempts } from './attempts.ts';
import { Hashing } from './hashing.ts';
import { createLoginToken, digestOf } from './login-token.ts';
import { fitsPassword, type HashCost, hashPassword, unmatchableHash } from './password-hash.ts';
import type { Person } from './person.ts';

/** `retryAfterMs`: another attempt makes sense then. */
type Busy = { readonly result: 'busy' | 'limited'; readonly retryAfterMs: number };

export type Registered = { readonly result: 'created' | 'taken' | 'closed' } | Busy;

/** `digest` names the login in the store. */
export type LoggedIn =
  | { readonly result: 'ok'; readonly login: StoredLogin; readonly token: string }
  | { readonly result: 'fail' }
  | Busy;

/** The wait for which a client is asked where the store does not answer. Chosen, not measured. */
const storeRetryMs = 1_000;

export class Accounts {
  readonly store: AccountStore;
  readonly meter: AccountMeter;
  readonly #options: AccountOptions;
  readonly #cost: HashCost;
  /** Checked in the place of the one that an unknown user has not. */
  readonly #dummy: string;
  readonly #hashing: Hashing;
  readonly #failuresOfUsers: Attempts;
  readonly #failuresOfAddresses: Attempts;
  readonly #registrations: Attempts;

  constructor(store: AccountStore, options: AccountOptions, meter: AccountMeter) {
    this.store = store;
    this.#options = options;
    this.meter = meter;
    this.#cost = {
      memoryKib: Math.floor(options.passwordMemoryBytes / 1024),
      passes: options.passwordPasses,
    };
    this.#dummy = unmatchableHash(this.#cost);
    this.#hashing = new Hashing(options.loginsAtOnce, options.loginsWaitingMax);
    const { loginFailureExpiryMs, registrationIntervalMs } = options;
    this.#failuresOfUsers = new Attempts(options.loginFailuresPerUserMax, loginFailureExpiryMs);
    this.#failuresOfAddresses = new Attempts(options.loginFailuresPerAddressMax, loginFailureExpiryMs);
    this.#registrations = new Attempts(options.registrationsPerAddressMax, registrationIntervalMs);
  }

  /** What is remembered of attempts: users, addresses that failed, addresses that registered. */
  get remembered(): readonly number[] {
    return [this.#failuresOfUsers, this.#failuresOfAddresses, this.#registrations].map(({ size }) => size);
  }

  /** Rejects where the store cannot be reached. */
  async start(): Promise<void> {
    await this.store.start();
    // It starts the threads, and tells how long a hash takes here.
    await this.#hashing.run(() => fitsPassword('', this.#dummy));
    lowerPoolPriority();
  }

  /** Creates an account. Never rejects. */
  async register({ user, password }: Credentials, address: string): Promise<Registered> {
    const registered = await this.#register(user, password, address);
    this.meter.account(registered.result);
    return registered;
  }

  /**
   * Checks a password, and creates the token of a login. Never rejects. `isWanted`: false once nobody waits
   * for the answer, which is then not looked for.
   */
  async login(login: Login, address: string, isWanted: () => boolean): Promise<LoggedIn> {
    const startedAtMs = performance.now();
    const outcome = await this.#login(login, address, isWanted);
    this.meter.login(outcome.result);
    if (outcome.result === 'ok' || outcome.result === 'fail')
      this.meter.checked((performance.now() - startedAtMs) / 1000);
    return outcome;
  }

  /** Whose token this is; undefined where it is nobody's. Rejects where the store does not answer. */
  async personOf(token: string): Promise<StoredLogin | undefined> {
    const digest = digestOf(token);
    const person = await this.store.personOf(digest).catch((error: Error) => {
      this.meter.login('token_busy');
      throw error;
    });
    this.meter.login(person ? 'token_ok' : 'token_fail');
    return person && { person, digest };
  }

  async #register(user: string, password: string, address: string): Promise<Registered> {
    if (this.#options.registration === 'closed') return { result: 'closed' };
    const waitMs = this.#registrations.waitMs(address, performance.now());
    if (waitMs > 0) return { result: 'limited', retryAfterMs: waitMs };
    if (this.#hashing.full) return this.#busy();
    this.#registrations.begin(address, performance.now());
    let isFree = false;
    try {
      // Hashing costs more than asking, and a name that is taken is no secret here.
      if (await this.store.exists(user)) return { result: 'taken' };
      const hash = await this.#hashing.run(() => hashPassword(password, this.#cost));
      isFree = hash === undefined;
      if (hash === undefined) return this.#busy();
      return { result: (await this.store.create(user, hash)) ? 'created' : 'taken' };
    } catch {
      return { result: 'busy', retryAfterMs: storeRetryMs };
    } finally {
      this.#registrations.end(address, performance.now(), isFree);
    }
  }

  async #login(login: Login, address: string, isWanted: () => boolean): Promise<LoggedIn> {
    const { user, password, device } = login;
    const nowMs = performance.now();
    const waitMs = Math.max(
      this.#failuresOfUsers.waitMs(user, nowMs),
      this.#failuresOfAddresses.waitMs(address, nowMs),
    );
    if (waitMs > 0) return { result: 'limited', retryAfterMs: waitMs };
    if (this.#hashing.full) return this.#busy();
    // Before the check: else as many could try at the same time as find a place in the queue.
    this.#failuresOfUsers.begin(user, nowMs);
    this.#failuresOfAddresses.begin(address, nowMs);
    const fits = await this.#fits(user, password, isWanted).catch(() => null);
    this.#failuresOfUsers.end(user, performance.now(), fits !== false);
    this.#failuresOfAddresses.end(address, performance.now(), fits !== false);
    if (fits === false) return { result: 'fail' };
    if (fits === undefined) return this.#busy();
    const begun = fits === null ? undefined : await this.#begin({ user, device }).catch(() => undefined);
    return begun ?? { result: 'busy', retryAfterMs: storeRetryMs };
  }

  /** Undefined: it was not looked at. Rejects where the store does not answer. */
  async #fits(user: string, password: string, isWanted: () => boolean): Promise<boolean | undefined> {
    const kept = await this.store.passwordHashOf(user);
    return this.#hashing.run(() => fitsPassword(password, kept ?? this.#dummy), isWanted);
  }

  async #begin(person: Person): Promise<LoggedIn> {
    const token = createLoginToken();
    const login = { person, digest: digestOf(token) };
    await this.store.addLogin(login, this.#options.loginExpiryMs, this.#options.loginsPerUserMax);
    return { result: 'ok', login, token };
  }

  /** Half of the wait is random, so that those who are sent away do not all come back at once. */
  #busy(): Busy {
    const retryAfterMs = Math.ceil((this.#hashing.waitMs + storeRetryMs) * (0.5 + Math.random() / 2));
    return { result: 'busy', retryAfterMs };
  }
}
