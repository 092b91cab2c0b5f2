import { accountStoreContract } from './account-store.contract.ts';
import { MemoryAccountStore } from './memory-account-store.ts';

accountStoreContract('accounts in memory', async () =>
  Object.assign(new MemoryAccountStore(), { [Symbol.asyncDispose]: async () => {} }),
);
