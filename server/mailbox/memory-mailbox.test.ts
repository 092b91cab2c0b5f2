import { mailboxStoreContract } from './mailbox-store.contract.ts';
import { MemoryMailbox } from './memory-mailbox.ts';

mailboxStoreContract('memory', (limits, nowMs) => new MemoryMailbox(limits, nowMs));
