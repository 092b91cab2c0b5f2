import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeLivingNode, encodeLivingNode, type LivingNode } from './living-node.ts';

const key = '{chat:1}:members';
const node: LivingNode = {
  url: 'ws://localhost:8080',
  accepting: true,
  sessions: 7,
  sessionsMax: 15_000,
  sessionsByPartition: new Map([
    [3, 5],
    [60, 2],
  ]),
};

test('what a node says about itself is read as it was written, with a secret and without', () => {
  const count = fc.nat();
  const noUnusualPrototypes = { noNullPrototype: true };
  const properties = {
    url: fc.constantFrom('ws://a:1', 'wss://chat.example', 'ws://[::1]:8080'),
    accepting: fc.boolean(),
    sessions: count,
    sessionsMax: fc.oneof(count, fc.constant(Number.POSITIVE_INFINITY)),
    sessionsByPartition: fc.array(fc.tuple(count, count)).map((entries) => new Map(entries)),
  };
  const anyNode = fc.record(properties, noUnusualPrototypes);
  fc.assert(
    fc.property(anyNode, fc.constantFrom('', 'secret'), (value, secret) => {
      assert.deepEqual(decodeLivingNode(encodeLivingNode(value, key, secret), key, secret), value);
    }),
  );
});

test('no other text is a node, and none throws', () => {
  const valid = JSON.parse(encodeLivingNode(node, key, '')) as Record<string, unknown>;
  for (const wrong of [
    { url: 'http://localhost:8080' },
    { url: 'ws://localhost:8080/elsewhere' },
    { url: 'ws://user@localhost:8080' },
    { accepting: 1 },
    { sessions: -1 },
    { sessionsMax: '9' },
    { partitions: [1, 'x'] },
    { partitions: null },
  ])
    assert.equal(decodeLivingNode(JSON.stringify({ ...valid, ...wrong }), key, ''), undefined);
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), fc.constantFrom('', 'secret'), (text, secret) => {
      assert.equal(decodeLivingNode(text, key, secret), undefined);
    }),
  );
});

test('a node that does not know the secret, or speaks of another chat, is no node', () => {
  const signed = encodeLivingNode(node, key, 'secret');
  assert.equal(decodeLivingNode(signed, key, 'other'), undefined);
  assert.equal(decodeLivingNode(signed, '{other:1}:members', 'secret'), undefined);
  assert.equal(decodeLivingNode(encodeLivingNode(node, key, ''), key, 'secret'), undefined);
  assert.equal(decodeLivingNode(signed.replace('8080', '6666'), key, 'secret'), undefined);
});
