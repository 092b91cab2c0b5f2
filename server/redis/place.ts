/** Where a connection to Redis goes: to the one server, or to the primary of a slot, which may change. */
import type { Redis } from 'ioredis';

/** What a server says of itself. */
export type Standing = {
  /** A name of this server that no other one has; empty where it need not be told from others. */
  readonly server: string;
  /** Why it must not be used; undefined where it may be. */
  readonly fault?: string;
};

export type RedisPlace = {
  /** All URLs, without what is secret in them. */
  readonly shown: string;
  /** True where channels belong to slots. */
  readonly isSharded: boolean;
  /** The URL to connect to now. Rejects where it is not known. */
  find(): string | Promise<string>;
  /** Asks the server of a connection. Rejects where it does not answer. */
  check(client: Redis): Promise<Standing>;
};
