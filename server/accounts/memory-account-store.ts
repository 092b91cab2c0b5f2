/** Accounts in this process, for tests. Nothing outlives it, and accounts are not bounded. */
import type { AccountStore, StoredLogin } from './account-store.ts';
import type { Person } from './person.ts';

type Kept = { readonly person: Person; readonly expiresAtMs: number };

export class MemoryAccountStore implements AccountStore {
  readonly #accounts = new Map<string, string>();
  readonly #logins = new Map<string, Kept>();
  /** By user, then by device, the oldest first: the digest. */
  readonly #devices = new Map<string, Map<string, string>>();

  async create(user: string, passwordHash: string): Promise<boolean> {
    if (!this.#accounts.has(user)) this.#accounts.set(user, passwordHash);
    return this.#accounts.get(user) === passwordHash;
  }

  async exists(user: string): Promise<boolean> {
    return this.#accounts.has(user);
  }

  async passwordHashOf(user: string): Promise<string | undefined> {
    return this.#accounts.get(user);
  }

  async addLogin({ person, digest }: StoredLogin, expiryMs: number, loginsMax: number): Promise<void> {
    const devices = this.#devices.get(person.user) ?? new Map<string, string>();
    this.#devices.set(person.user, devices);
    this.#drop(devices, person.device);
    devices.set(person.device, digest);
    this.#logins.set(digest, { person, expiresAtMs: performance.now() + expiryMs });
    for (const device of devices.keys()) if (devices.size > loginsMax) this.#drop(devices, device);
  }

  async personOf(digest: string): Promise<Person | undefined> {
    const kept = this.#logins.get(digest);
    return kept && kept.expiresAtMs > performance.now() ? kept.person : undefined;
  }

  async revoke({ person, digest }: StoredLogin): Promise<void> {
    this.#logins.delete(digest);
    const devices = this.#devices.get(person.user);
    if (devices?.get(person.device) === digest) devices.delete(person.device);
  }

  async start(): Promise<void> {}

  async close(): Promise<void> {}

  #drop(devices: Map<string, string>, device: string): void {
    this.#logins.delete(devices.get(device) ?? '');
    devices.delete(device);
  }
}
