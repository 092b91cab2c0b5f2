/** Where accounts and logins are kept. Passwords and tokens are kept as hashes only. */
import type { Person } from './person.ts';

/** A login that lasts: who it is of, and the SHA-256 of its token. */
export type StoredLogin = { readonly person: Person; readonly digest: string };

/** Every method rejects where the store does not answer in time; it has perhaps done what was asked then. */
export interface AccountStore {
  /** Creates an account in one step; false where the name is taken. The same call again: true again. */
  create(user: string, passwordHash: string): Promise<boolean>;
  exists(user: string): Promise<boolean>;
  /** Undefined where there is no such user. */
  passwordHashOf(user: string): Promise<string | undefined>;
  /**
   * Keeps a login for `expiryMs`. It takes the place of the one of the same device; beyond `loginsMax` of one
   * user, of the oldest one.
   */
  addLogin(login: StoredLogin, expiryMs: number, loginsMax: number): Promise<void>;
  /** Whose login this is; undefined where it is none, has expired or was revoked. */
  personOf(digest: string): Promise<Person | undefined>;
  /** Ends a login before its time; nothing happens where there is none. */
  revoke(login: StoredLogin): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}
