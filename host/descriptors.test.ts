import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { openSync } from 'node:fs';
import { test } from 'node:test';
import { descriptorLimit, openDescriptors } from './descriptors.ts';

test('the limit is the one that the process runs under', () => {
  const url = new URL('./descriptors.ts', import.meta.url).href;
  const program = `import { descriptorLimit } from '${url}'; console.log(descriptorLimit());`;
  const args = [
    '-c',
    'ulimit -n 123; exec "$@"',
    'sh',
    process.execPath,
    '--input-type=module',
    '-e',
    program,
  ];
  assert.equal(execFileSync('sh', args, { encoding: 'utf8' }).trim(), '123');
});

test('open descriptors are counted, and without /proc there is no limit', () => {
  const before = openDescriptors();
  openSync('/dev/null', 'r');
  assert.equal(openDescriptors(), before + 1);
  assert.equal(descriptorLimit('/nowhere'), Number.POSITIVE_INFINITY);
  assert.equal(openDescriptors('/nowhere'), 0);
});
