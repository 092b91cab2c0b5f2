/** A server that changes the times in the messages: nothing that comes back in a stamp is believed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tolerant, tryServer } from './trial.fixture.ts';

const load = `--clients 20 --rate 300/s --duration 1500ms ${tolerant}`;

test('a server that hides its delay in the stamps of the messages is convicted', async () => {
  const forgers = { 'forge-due': 'p50<50ms', 'forge-lag': 'service.p99<50ms' } as const;
  for (const [flaw, limit] of Object.entries(forgers) as [keyof typeof forgers, string][]) {
    const { code, result } = await tryServer(flaw, `${load} --limit ${limit}`, undefined, 300);
    assert.equal(code, 1, `${flaw}: ${result.reasons.join()}`);
    assert.equal(result.limits.find(({ expression }) => expression === limit)!.held, false);
    assert.equal(result.audit.corrupted, 450 * 20, 'it is not what had been sent');
  }
});
