import assert from 'node:assert/strict';
import { test } from 'node:test';
import { agreeOnVersion } from './batch-version.ts';

type Client = Parameters<typeof agreeOnVersion>[0];

const place = { channel: 'tea:db2:1', heartbeatIntervalMs: 500 };

function fakeRedis(found: string | null, refusal?: Error) {
  const written: unknown[][] = [];
  const client = {
    get: async () => {
      if (refusal) throw refusal;
      return found;
    },
    set: async (...args: unknown[]) => written.push(args),
  } as unknown as Client;
  return { client, written };
}

test('a node renews the version of its batches where nobody else has one, or the same', async () => {
  for (const found of [null, '1']) {
    const { client, written } = fakeRedis(found);
    await agreeOnVersion(client, place);
    assert.deepEqual(written, [['tea:db2:batch-version', 1, 'PX', 3000]]);
  }
});

test('on Redis Cluster the key is in the slot of its channel', async () => {
  const { client, written } = fakeRedis(null);
  await agreeOnVersion(client, { ...place, channel: 'tea:1:{7}' });
  assert.equal(written[0]![0], 'tea:batch-version:{7}');
});

test('another version is refused with what to do, and stays', async () => {
  const { client, written } = fakeRedis('2');
  await assert.rejects(
    agreeOnVersion(client, place),
    /version 2 run on it.*this version, 1.*stop them first/,
  );
  assert.deepEqual(written, []);
});

test('where the question is forbidden it is not asked; a lost connection is an error', async () => {
  const forbidden = Object.assign(new Error('NOPERM'), { name: 'ReplyError' });
  await agreeOnVersion(fakeRedis(null, forbidden).client, place);
  await assert.rejects(agreeOnVersion(fakeRedis(null, new Error('Connection is closed.')).client, place));
});
