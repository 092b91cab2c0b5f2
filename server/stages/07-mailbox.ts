/**
 * 07-mailbox: people have accounts, and who is away misses nothing. Made necessary by 06-partitioned: who is
 * away for longer than the log is kept has missed what was said, and nobody knows who it was.
 */
import { createAccountMeter } from '../accounts/account-meter.ts';
import { accountSettings } from '../accounts/account-settings.ts';
import { Accounts } from '../accounts/accounts.ts';
import { DeviceLogins } from '../accounts/device-logins.ts';
import { RedisAccountStore } from '../accounts/redis-account-store.ts';
import { redisOptionsOf } from '../backplane/redis-pub-sub.ts';
import { RedisStore } from '../redis/store.ts';
import { limitsOf } from '../settings.ts';
import { partitioned } from './06-partitioned.ts';
import type { Stage } from './stage.ts';

export const mailbox: Stage = {
  ...partitioned,
  name: '07-mailbox',
  summary: 'people with accounts, and a mailbox for who is away',
  limits: { ...partitioned.limits, ...limitsOf([accountSettings]) },
  compose: (config, metrics) => {
    const { url, keys } = redisOptionsOf(config);
    const store = new RedisAccountStore(new RedisStore({ url }), keys);
    const accounts = new Accounts(store, config, createAccountMeter(metrics.registry));
    const devices = new DeviceLogins();
    return {
      ...partitioned.compose(config, metrics),
      people: { accounts, devices, parts: [], options: config },
    };
  },
};
