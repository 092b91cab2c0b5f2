import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { configOf } from './haproxy-config.ts';

const committed = readFileSync(new URL('../../../../haproxy/haproxy.cfg', import.meta.url), 'utf8');
const nodes = [
  { name: 'node-1', address: '127.0.0.1:5001', readinessPort: 5002 },
  { name: 'node-2', address: 'other:80', readinessPort: 81 },
];

test('the committed configuration keeps all but its addresses', () => {
  const text = configOf(committed, nodes, { chat: '127.0.0.1:7001', observatory: '0.0.0.0:7002' });
  const lines = (config: string) => config.split('\n');
  const own = lines(committed);
  assert.deepEqual(
    lines(text).filter((line) => !own.includes(line)),
    [
      '  bind 127.0.0.1:7001',
      '  server node-1 127.0.0.1:5001 port 5002',
      '  server node-2 other:80 port 81',
      '  bind 0.0.0.0:7002',
    ],
  );
  const gone = own.filter((line) => !lines(text).includes(line)).map((line) => line.trim().split(' ')[0]);
  assert.deepEqual(gone, ['bind', 'server', 'server', 'server', 'bind']);
});

test('a configuration without the expected lines is refused rather than run as it is', () => {
  const binds = { chat: ':1', observatory: ':2' };
  assert.throws(() => configOf(committed.replace('bind :8404', 'bind :1'), nodes, binds), /8404/);
  assert.throws(() => configOf('', nodes, binds), /haproxy\.cfg has no lines like/);
});
