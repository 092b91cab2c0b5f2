/** The services that the lab can provide. */
import { redisProvider } from './redis.ts';
import type { ServiceProvider } from './service.ts';

/** By the names that stages use in `services`. */
export const serviceProviders: readonly ServiceProvider[] = [redisProvider];
