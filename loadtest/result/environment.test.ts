import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readEnvironment } from './environment.ts';

test('the environment of this process names its machine', () => {
  const environment = readEnvironment();
  assert.equal(environment.node, process.version);
  assert.ok(environment.cpus >= 1 && environment.memoryBytes > 0);
});
