import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Redis } from 'ioredis';
import { BatchQueue } from './batch.ts';
import { createBackplaneMeter } from './meter.ts';
import { createPartitionMeter } from './partition-meter.ts';
import type { RawEntry } from './stream-entry.ts';
import { streamDefaults } from './stream-options.ts';
import { StreamPartition } from './stream-partition.ts';

/** A partition over a log in Redis that ends at `last`, with so many messages of each room. */
function setUp() {
  const log = { last: '100-1', messages: new Map<string, number>(), looks: 0 };
  const client = {
    lookAtLog: async (...args: (string | number)[]) => {
      log.looks++;
      const names = args.slice(8).map(String);
      return ['e', log.last, '0', ...names.map((name) => `0 ${log.messages.get(name) ?? 0}`)];
    },
  } as unknown as Redis;
  const delivered: string[] = [];
  const partition = new StreamPartition(0, {
    ...streamDefaults,
    channel: 'chat:1',
    secret: '',
    meter: createBackplaneMeter(),
    partitionMeter: createPartitionMeter(),
    publisher: '1'.repeat(16),
    events: { deliver: (_room: string, payload: Buffer) => delivered.push(String(payload)), gap: () => {} },
    client: () => client,
    server: () => '',
    failed: (error: Error) => assert.fail(error),
    logChanged: () => {},
    mayReadBack: () => false,
  } as unknown as ConstructorParameters<typeof StreamPartition>[1]);
  return { log, partition, delivered };
}

/** An entry with one message of the room, as Redis returns it. */
function entryOf(id: string, previous: string, room: string, first: number): RawEntry {
  const queue = new BatchQueue();
  queue.push(room, Buffer.from(`${room} ${first}`));
  const header = { kind: 'messages', publisher: '0'.repeat(16), sequence: 1, publishedAtMs: 0 } as const;
  const batch = queue.take(header, 1e9);
  return [
    Buffer.from(id),
    [Buffer.from('b'), batch, Buffer.from('m'), Buffer.from(`e ${previous} 0 ${first}`)],
  ];
}

/** The outcome of a wait so far, and a promise of it. */
function wait(partition: StreamPartition, room: string) {
  const outcome: { prepared: boolean | undefined; done: Promise<void> } = {
    prepared: undefined,
    done: Promise.resolve(),
  };
  outcome.done = new Promise((resolve) => {
    partition.wait(room, { position: undefined }, (prepared) => {
      outcome.prepared = prepared;
      resolve();
    });
  });
  return outcome;
}

test('what Redis says of a room holds only once its entries up to there have been read', async () => {
  const { log, partition, delivered } = setUp();
  await wait(partition, 'coffee').done;
  const read = partition.log!;
  // Others say two things in a room that nobody here knows: Redis has them before this node has read them.
  log.last = '300-1';
  log.messages.set('tea', 2);
  const joining = wait(partition, 'tea');
  partition.want('tea');
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  assert.equal(joining.prepared, undefined, 'it has been asked, and the cursor is behind');
  partition.receive(read, [entryOf('200-1', '100-1', 'tea', 0)]);
  partition.receive(read, [entryOf('300-1', '200-1', 'tea', 1)]);
  await joining.done;
  assert.equal(joining.prepared, true);
  assert.deepEqual(delivered, ['tea 0', 'tea 1']);
  const { offset } = partition.recover('tea', { position: undefined });
  assert.equal(offset, 2);
  partition.close();
});

test('a quiet room among others waits for the cursor as well', async () => {
  const { log, partition } = setUp();
  await wait(partition, 'coffee').done;
  const read = partition.log!;
  log.last = '200-1';
  log.messages.set('tea', 7);
  const joining = wait(partition, 'tea');
  partition.want('tea');
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  assert.equal(joining.prepared, undefined);
  partition.receive(read, [entryOf('200-1', '100-1', 'other', 0)]);
  assert.equal(joining.prepared, true);
  assert.equal(partition.recover('tea', { position: undefined }).offset, 7);
  partition.close();
});

test('a heartbeat out of turn asks Redis nothing, unless somebody waits for the answer', async () => {
  const { log, partition } = setUp();
  const looksAt = async (looks: boolean) => {
    const before = log.looks;
    partition.tick(looks);
    for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
    return log.looks - before;
  };
  assert.equal(await looksAt(false), 1, 'its log is not known yet');
  assert.equal(await looksAt(false), 0);
  assert.equal(await looksAt(true), 1);
  log.last = '200-1'; // The cursor is behind, so that nobody can be let in.
  const joining = wait(partition, 'tea');
  await looksAt(false);
  assert.equal(await looksAt(false), 1);
  assert.equal(joining.prepared, undefined);
  partition.close();
});
