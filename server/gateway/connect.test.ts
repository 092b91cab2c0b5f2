import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { listen } from '../ops/listen.ts';
import { type ConnectOptions, createConnect } from './connect.ts';

const seat = 'ws://chat.example:8080';

async function serve(options: Partial<ConnectOptions> = {}) {
  const counted: number[] = [];
  const asked: [number, string | undefined][] = [];
  const handler = createConnect({
    partitionOf: (room) => room.length,
    seat: (partition, not) => {
      asked.push([partition, not]);
      return seat;
    },
    origins: [],
    waitMsMax: 3_000,
    count: (status) => counted.push(status),
    keep: () => true,
    ...options,
  });
  const server = createServer(handler);
  const { port } = (await listen(server, { host: '127.0.0.1', port: 0 })) as AddressInfo;
  const get = (query: string, init?: RequestInit) => fetch(`http://127.0.0.1:${port}/connect${query}`, init);
  const close = async () => void server.close();
  return { get, counted, asked, [Symbol.asyncDispose]: close };
}

test('it answers with the address, the node and the partition of the room', async () => {
  await using service = await serve();
  const response = await service.get('?room=tea');
  assert.equal(response.status, 200);
  const expected = { url: `${seat}/ws/tea`, node: 'chat.example:8080', partition: 3 };
  assert.deepEqual(await response.json(), expected);
  assert.equal(response.headers.get('content-type'), 'application/json');
  assert.equal(response.headers.get('cache-control'), 'no-store');
  const global = await (await service.get('')).json();
  assert.deepEqual(global, { url: `${seat}/ws`, node: 'chat.example:8080', partition: 0 });
  assert.equal((await service.get('?room=tea&not=chat.example:8080')).status, 200);
  assert.deepEqual(service.asked, [
    [3, undefined],
    [0, undefined],
    [3, 'chat.example:8080'],
  ]);
  assert.deepEqual(service.counted, [200, 200, 200]);
});

test('a bad room is 400, another method 405, a foreign origin 403; none of them asks for a seat', async () => {
  await using service = await serve({ origins: ['https://one.example'] });
  const statuses = [
    (await service.get('?room=no/room')).status,
    (await service.get(`?room=${'x'.repeat(65)}`)).status,
    (await service.get('?room=tea', { method: 'POST' })).status,
    (await service.get('?room=tea', { headers: { origin: 'https://evil.example' } })).status,
  ];
  assert.deepEqual(statuses, [400, 400, 405, 403]);
  assert.deepEqual(service.asked, []);
  const own = await service.get('?room=tea', { headers: { origin: 'https://one.example' } });
  assert.equal(own.status, 200);
  assert.equal(own.headers.get('access-control-allow-origin'), null);
  assert.deepEqual(service.counted, [400, 400, 405, 403, 200]);
});

test('where no node has a place it is 503, with a random wait within the bound', async () => {
  await using service = await serve({ seat: () => undefined });
  const waits = new Set<number>();
  for (let i = 0; i < 50; i++) {
    const response = await service.get('?room=tea');
    assert.equal(response.status, 503);
    waits.add(Number(response.headers.get('retry-after')));
  }
  for (const wait of waits) assert.ok([1, 2, 3].includes(wait), `${wait}`);
  assert.ok(waits.size > 1);
});
