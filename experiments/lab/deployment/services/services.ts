/** Services that stages need beside their nodes, and who provides each. */

import type { ServiceProvider } from '../deployment.ts';
import { redisProvider } from './redis.ts';

/** By the names that the server's stage table uses in `needs`. */
export const serviceProviders: readonly ServiceProvider[] = [redisProvider];
