import { test } from 'node:test';
import { checkMailboxModel } from './mailbox-model.fixture.ts';
import { MemoryMailbox } from './memory-mailbox.ts';

test('whatever was acknowledged is received once, in order, by every device', () =>
  checkMailboxModel((limits, nowMs) => new MemoryMailbox(limits, nowMs), 100, 15_000));
