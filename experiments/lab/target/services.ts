/** Services that stages need beside their nodes, and who provides each. */
import { redisProvider } from './redis.ts';
import type { ServiceProvider } from './target.ts';

/** By the names that the server's stage table uses in `needs`. */
export const serviceProviders: readonly ServiceProvider[] = [redisProvider];
