import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Registry } from 'prom-client';
import { createBackplaneMeter, meterOfPart } from './meter.ts';

test('the queue of a backplane with parts is the sum of theirs', async () => {
  const registry = new Registry();
  const meter = createBackplaneMeter(registry);
  const parts = [meterOfPart(meter), meterOfPart(meter)] as const;
  parts[0].queueBytes.set(100);
  parts[1].queueBytes.set(30);
  parts[0].queueBytes.set(10);
  assert.match(await registry.metrics(), /^chat_backplane_publish_queue_bytes 40$/m);
});
