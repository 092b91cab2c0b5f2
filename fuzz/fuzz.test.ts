/**
 * A second of each target, with its kept seeds. `npm run fuzz` goes on for a minute, as CI does; with
 * `--time 30m` for longer.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { fuzz } from './fuzz.ts';
import { targets } from './targets.ts';

const forMs = 1000;
// Another one each day, so that a failure can be repeated, and not every run tries the same.
const seed = Math.floor(Date.now() / 86_400_000);

for (const target of targets)
  test(`${target.name}: takes or refuses any input (seed ${seed})`, async () => {
    assert.ok((await fuzz(target, seed, forMs)) > 0, 'some inputs');
  });

test('bad input exits 2, and not as an input that did not hold', () => {
  const main = join(import.meta.dirname, 'main.ts');
  const { status, stderr } = spawnSync(process.execPath, [main, '--time', '5'], { encoding: 'utf8' });
  assert.equal(status, 2);
  assert.match(stderr, /Required a time above 0 .*; given 5\./);
});
