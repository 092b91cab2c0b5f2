/**
 * Accounts in Redis. Keys, each in a slot of its own on a cluster:
 * - `<prefix>:account:{<user>}`: a hash; its field `password` is the hash of the password.
 * - `<prefix>:logins:{<user>}`: a hash of devices; each is `<ms since 1970> <SHA-256 of the token>`.
 * - `<prefix>:login:{<SHA-256 of the token>}`: `<user> <device>`; it expires with the token.
 *
 * A login is valid before it is listed, and what it replaces is revoked after that: of two at the same time,
 * one ends the other. Whoever is interrupted between leaves a token that nobody was given, or an older login
 * that is valid until it expires.
 */
import { defineScript, type Store } from '../redis/store.ts';
import type { AccountStore, StoredLogin } from './account-store.ts';
import type { Person } from './person.ts';

/** KEYS[1]: the account. ARGV[1]: the hash of the password. Its salt tells a repetition from another. */
const createScript = defineScript(`
if redis.call('HSETNX', KEYS[1], 'password', ARGV[1]) == 1 then return 1 end
if redis.call('HGET', KEYS[1], 'password') == ARGV[1] then return 1 end
return 0
`);

/** KEYS[1]: the logins. ARGV: device, digest, expiry in ms, most logins. Returns the digests that must go. */
const listScript = defineScript(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local gone = {}
local logins = {}
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local at, digest = string.match(all[i + 1], '^(%d+) (.*)$')
  if all[i] == ARGV[1] then
    if digest ~= ARGV[2] then gone[#gone + 1] = digest end
  elseif not at or tonumber(at) + ARGV[3] < now then redis.call('HDEL', KEYS[1], all[i])
  else logins[#logins + 1] = {tonumber(at), all[i], digest} end
end
table.sort(logins, function(one, other) return one[1] < other[1] end)
for i = 1, #logins + 1 - ARGV[4] do
  redis.call('HDEL', KEYS[1], logins[i][2])
  gone[#gone + 1] = logins[i][3]
end
redis.call('HSET', KEYS[1], ARGV[1], string.format('%.0f', now) .. ' ' .. ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return gone
`);

/** KEYS[1]: the logins. ARGV: device, digest. */
const unlistScript = defineScript(`
local listed = redis.call('HGET', KEYS[1], ARGV[1])
if listed and string.match(listed, ' (.*)$') == ARGV[2] then redis.call('HDEL', KEYS[1], ARGV[1]) end
return 0
`);

export class RedisAccountStore implements AccountStore {
  readonly #store: Store;
  readonly #prefix: string;

  /** `prefix`: the start of all keys of one chat. The store is started and closed with this one. */
  constructor(store: Store, prefix: string) {
    this.#store = store;
    this.#prefix = prefix;
  }

  async create(user: string, passwordHash: string): Promise<boolean> {
    return (await this.#store.run(createScript, [this.#account(user)], [passwordHash])) === 1;
  }

  async exists(user: string): Promise<boolean> {
    return (await this.#store.call('EXISTS', this.#account(user))) === 1;
  }

  async passwordHashOf(user: string): Promise<string | undefined> {
    const found = await this.#store.call('HGET', this.#account(user), 'password');
    return (found as string | null) ?? undefined;
  }

  async addLogin({ person, digest }: StoredLogin, expiryMs: number, loginsMax: number): Promise<void> {
    const { user, device } = person;
    const args = [device, digest, expiryMs, loginsMax];
    await this.#store.call('SET', this.#login(digest), `${user} ${device}`, 'PX', expiryMs);
    const gone = (await this.#store.run(listScript, [this.#logins(user)], args)) as string[];
    await Promise.all(gone.map((old) => this.#store.call('DEL', this.#login(old))));
  }

  async personOf(digest: string): Promise<Person | undefined> {
    const found = (await this.#store.call('GET', this.#login(digest))) as string | null;
    const [user, device] = found?.split(' ') ?? [];
    return user !== undefined && device !== undefined ? { user, device } : undefined;
  }

  async revoke({ person, digest }: StoredLogin): Promise<void> {
    await this.#store.call('DEL', this.#login(digest));
    await this.#store.run(unlistScript, [this.#logins(person.user)], [person.device, digest]);
  }

  start(): Promise<void> {
    return this.#store.start();
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  #account(user: string): string {
    return `${this.#prefix}:account:{${user}}`;
  }

  #logins(user: string): string {
    return `${this.#prefix}:logins:{${user}}`;
  }

  #login(digest: string): string {
    return `${this.#prefix}:login:{${digest}}`;
  }
}
