import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseClusterNodes, primaryOf, seesMajority } from './cluster-nodes.ts';

/** As Redis 7 answers, and later ones with more after the address; seen from the first node. */
const answer = [
  'aaa 127.0.0.1:7001@17001 myself,master - 0 0 1 connected 0-5460 [93-<-bbb]',
  'bbb 10.0.0.2:7002@17002,,shard-id=69bc master - 0 1732 2 connected 5461-5470 5472-10922',
  'ccc 2001:db8::1:7003@17003 master,fail? - 0 1732 3 connected 5471 10923-16383',
  'ddd 10.0.0.4:7004@17004,redis-4.example slave aaa 0 1732 1 connected',
  'eee :0@0 master,noaddr - 0 0 0 disconnected',
  '',
].join('\n');

test('the answer to CLUSTER NODES says who has which slots, and where', () => {
  const nodes = parseClusterNodes(answer);
  assert.deepEqual(
    nodes.map(({ id }) => id),
    ['aaa', 'bbb', 'ccc', 'ddd', 'eee'],
  );
  const [first, second, third, fourth] = nodes;
  assert.deepEqual([first!.isSelf, second!.isSelf], [true, false]);
  assert.deepEqual(first!.slots, [[0, 5460]], 'not one that has not come yet');
  assert.deepEqual([third!.host, third!.port, third!.isReachable], ['2001:db8::1', 7003, false]);
  assert.deepEqual([fourth!.hostname, fourth!.isPrimary, fourth!.slots], ['redis-4.example', false, []]);
  for (const [slot, id] of [
    [0, 'aaa'],
    [5460, 'aaa'],
    [5461, 'bbb'],
    [5471, 'ccc'],
    [16_383, 'ccc'],
  ] as const)
    assert.equal(primaryOf(nodes, slot)?.id, id, String(slot));
  assert.equal(primaryOf(parseClusterNodes(answer.replace('5471 ', '')), 5471), undefined);
});

test('most of the primaries that have slots must be in sight', () => {
  assert.equal(seesMajority(parseClusterNodes(answer)), true, 'two of three');
  const alone = answer.replace('shard-id=69bc master -', 'shard-id=69bc master,fail -');
  assert.equal(seesMajority(parseClusterNodes(alone)), false, 'one of three');
  assert.equal(seesMajority([]), false);
});
