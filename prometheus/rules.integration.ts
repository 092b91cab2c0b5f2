import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findPrometheus, promtool } from '../testing/prometheus.ts';

const source = await findPrometheus();
const skip = source === null && 'neither promtool on PATH nor a container engine with the Prometheus image';
const directory = fileURLToPath(new URL('.', import.meta.url));

test('Prometheus accepts its configuration and all rules', { skip }, async () => {
  const said = await promtool(source!, directory, ['check', 'config', 'prometheus.yml']);
  assert.match(said, /recording\.yml[\s\S]*SUCCESS: \d+ rules found/);
});

test('rules pass their tests, and an alert fires only for the stage that broke a limit', {
  skip,
}, async () => {
  const said = await promtool(source!, directory, ['test', 'rules', 'tests/rules.yml']);
  assert.match(said, /SUCCESS/);
});
