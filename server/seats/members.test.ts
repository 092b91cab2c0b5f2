import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeLivingNode, encodeLivingNode, type LivingNode } from './living-node.ts';
import { keptMsMax, Members } from './members.ts';
import type { Registry } from './registry.ts';

const key = 'members';
const node = (url: string, more: Partial<LivingNode> = {}): LivingNode => ({
  url,
  accepting: true,
  sessions: 0,
  sessionsMax: 10,
  sessionsByPartition: new Map(),
  ...more,
});

/** Redis of the test: its list of others, whether it answers, and the last word of this node. */
class FakeRegistry implements Registry {
  others: string[] = [];
  away = false;
  readonly said: (LivingNode | undefined)[] = [];
  readonly removed: string[] = [];
  async renew(_node: string, text: string) {
    if (this.away) throw new Error('away');
    this.said.push(decodeLivingNode(text, key, ''));
    return [...this.others.map((url) => encodeLivingNode(node(url), key, '')), text, 'no node'];
  }
  async remove(url: string) {
    this.removed.push(url);
  }
  close() {}
}

function setUp() {
  const registry = new FakeRegistry();
  const clock = { nowMs: 1_000 };
  const own = { accepting: true };
  const lists: string[][] = [];
  const members = new Members({
    registry,
    key,
    secret: '',
    self: () => node('ws://self:1', own),
    changed: (nodes) => lists.push(nodes.map(({ url }) => url)),
    nowMs: () => clock.nowMs,
  });
  const urls = () => members.nodes.map(({ url }) => url);
  const renewAfter = async (ms: number) => {
    clock.nowMs += ms;
    await members.renew();
    return urls();
  };
  return { registry, clock, own, lists, members, urls, renewAfter };
}

test('the list is what was read last, with this node as it is now, by address', async () => {
  const { registry, own, lists, members, renewAfter } = setUp();
  assert.equal(members.nodes.length, 0, 'nothing is known before the first answer');
  registry.others = ['ws://z:1', 'ws://a:1'];
  assert.deepEqual(await renewAfter(0), ['ws://a:1', 'ws://self:1', 'ws://z:1']);
  registry.others = ['ws://a:1'];
  assert.deepEqual(await renewAfter(1_000), ['ws://a:1', 'ws://self:1']);
  assert.deepEqual(lists.at(-1), ['ws://a:1', 'ws://self:1']);
  own.accepting = false;
  await members.renewAfresh();
  assert.equal(registry.said.at(-1)?.accepting, false);
  assert.equal(members.nodes.find(({ url }) => url === 'ws://self:1')?.accepting, false);
});

test('while Redis is away the last list goes on, is not fresh, and ends after its bound', async () => {
  const { registry, clock, members, urls, renewAfter } = setUp();
  registry.others = ['ws://a:1'];
  await renewAfter(0);
  assert.equal(members.fresh, true);
  registry.away = true;
  assert.deepEqual(await renewAfter(3_001), ['ws://a:1', 'ws://self:1']);
  assert.equal(members.fresh, false);
  clock.nowMs += keptMsMax - 3_001;
  assert.equal(urls().length, 2);
  clock.nowMs += 1;
  assert.deepEqual(urls(), []);
  registry.away = false;
  registry.others = ['ws://b:1'];
  assert.deepEqual(await renewAfter(0), ['ws://b:1', 'ws://self:1']);
});

test('after an outage those of before count as living until they had time to come back', async () => {
  const { registry, renewAfter } = setUp();
  registry.others = ['ws://a:1', 'ws://b:1'];
  await renewAfter(0);
  await renewAfter(3_000);
  registry.away = true;
  await renewAfter(5_000);
  registry.away = false;
  registry.others = [];
  assert.equal((await renewAfter(1_000)).length, 3, 'Redis came back empty');
  registry.others = ['ws://b:1'];
  assert.equal((await renewAfter(1_000)).length, 3);
  assert.deepEqual(await renewAfter(2_000), ['ws://b:1', 'ws://self:1']);
});

test('a node that closes is taken out of the list', async () => {
  const { registry, members } = setUp();
  await members.start();
  await members.close();
  assert.deepEqual(registry.removed, ['ws://self:1']);
});
