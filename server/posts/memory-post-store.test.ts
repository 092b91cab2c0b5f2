import { MemoryPostStore } from './memory-post-store.ts';
import { postStoreContract } from './post-store.contract.ts';

postStoreContract({
  name: 'memory',
  create: (limits) => {
    const store = new MemoryPostStore(limits);
    return [store, store];
  },
});
