/** Accounts in memory whose passwords cost little, for tests. */
import { Command } from 'commander';
import { Registry } from 'prom-client';
import { readSettings } from '../settings.ts';
import { createAccountMeter } from './account-meter.ts';
import { type AccountOptions, accountSettings } from './account-settings.ts';
import type { AccountStore } from './account-store.ts';
import { Accounts } from './accounts.ts';
import { MemoryAccountStore } from './memory-account-store.ts';

const defaults = readSettings(new Command(), [accountSettings], []);

export function accountsForTest(
  changes: Partial<AccountOptions> = {},
  store: AccountStore = new MemoryAccountStore(),
) {
  const registry = new Registry();
  const options = { ...defaults, passwordMemoryBytes: 64 * 1024, passwordPasses: 1, ...changes };
  const accounts = new Accounts(store, options, createAccountMeter(registry));
  /** The counts of a metric by the label `result`. */
  const counts = async (metric: string) => {
    const { values } = await registry.getSingleMetric(metric)!.get();
    return Object.fromEntries(values.map(({ labels, value }) => [labels.result, value]));
  };
  return { accounts, options, counts };
}

/** What a login of bob says, on one of his devices. */
export const bobLogin = { user: 'bob', password: 'correct horse', device: 'phone' };
