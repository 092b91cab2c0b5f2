/**
 * 07-mailbox: people have accounts, and who is away misses nothing. Made necessary by 06-partitioned: who is
 * away for longer than the log is kept has missed what was said, and nobody knows who it was.
 */
import { createAccountMeter } from '../accounts/account-meter.ts';
import { accountSettings } from '../accounts/account-settings.ts';
import { Accounts } from '../accounts/accounts.ts';
import { DeviceLogins } from '../accounts/device-logins.ts';
import { RedisAccountStore } from '../accounts/redis-account-store.ts';
import { withSignals } from '../backplane/log-signals.ts';
import { redisOptionsOf } from '../backplane/redis-pub-sub.ts';
import { mailboxOnRedis } from '../mailbox/mailbox.ts';
import { mailboxSettings } from '../mailbox/mailbox-settings.ts';
import { uploadAddresses } from '../media/filenames.ts';
import { mediaAddressSettings } from '../media/settings.ts';
import { postsOnRedis } from '../posts/on-redis.ts';
import { postSettings } from '../posts/post-options.ts';
import { RedisStore } from '../redis/store.ts';
import { limitsOf } from '../settings.ts';
import { partitioned, partitionedParts, streamsOf } from './06-partitioned.ts';
import type { Stage } from './stage.ts';

export const mailbox: Stage = {
  ...partitioned,
  name: '07-mailbox',
  summary: 'people with accounts, and a mailbox for who is away',
  processes: [...partitioned.processes, { role: 'media', count: 'one' }],
  limits: {
    ...partitioned.limits,
    ...limitsOf([accountSettings, mailboxSettings, postSettings, mediaAddressSettings]),
  },
  compose: (config, metrics) => {
    const { registry } = metrics;
    const { url, keys } = redisOptionsOf(config);
    const { rooms, signals } = withSignals(streamsOf(config, metrics));
    const redis = new RedisStore({ url });
    const accountStore = new RedisAccountStore(redis, keys);
    const accounts = new Accounts(accountStore, config, createAccountMeter(registry));
    const posts = postsOnRedis(config, { redis, keys, signals, registry });
    const mail = mailboxOnRedis({
      ...{ settings: config, signals, accounts: accountStore, url, channel: keys, metrics },
    });
    const parts = [mail, posts.part, uploadAddresses(config, registry)];
    return {
      ...partitionedParts(config, metrics, rooms),
      routes: posts.routes,
      people: { accounts, devices: new DeviceLogins(), parts, options: config },
    };
  },
};
