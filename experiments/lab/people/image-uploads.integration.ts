/** The audit of images, against a media server that keeps them, forgets them, or breaks off. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { after, beforeEach, test } from 'node:test';
import { until } from '../../../testing/until.ts';
import { ImageUploads } from './image-uploads.ts';

const { signal } = new AbortController();
const stored = new Map<string, Buffer>();
/** Whether an image is stored and not answered when it comes for the first time. */
let breaksOff = false;
let seen = new Set<string>();
let statuses: number[] = [];
let addresses = 0;

const server = createServer(async (request, response) => {
  if (request.method === 'PUT') return take(request, response);
  const image = stored.get(request.url!);
  response.writeHead(image ? 200 : 404).end(image);
}).listen(0, '127.0.0.1');
await once(server, 'listening');
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
after(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  stored.clear();
  breaksOff = false;
  seen = new Set();
  statuses = [];
  addresses = 0;
});

async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await buffer(request);
  const status = stored.has(request.url!) ? 409 : 201;
  if (status === 201) stored.set(request.url!, body);
  const isFirst = !seen.has(body.toString('latin1'));
  seen.add(body.toString('latin1'));
  if (breaksOff && isFirst) return void request.socket.destroy();
  statuses.push(status);
  response.writeHead(status).end();
}

const uploader = {
  address: async () => {
    const image = `${origin}/${addresses++}`;
    return { upload: image, image };
  },
};

/** At least so many uploads, all acknowledged. */
async function uploaded(count: number): Promise<ImageUploads> {
  const uploads = new ImageUploads([uploader], { seed: 1, signal });
  uploads.begin(100);
  await until(() => uploads.ledger.audit().unanswered >= count, 'enough uploads have begun');
  uploads.rest();
  await uploads.settle(5000);
  return uploads;
}

test('what is stored is found, and every image is another', async () => {
  using uploads = await uploaded(4);
  await uploads.check();
  const { acked, ...faults } = uploads.ledger.audit();
  assert.ok(acked >= 4);
  assert.deepEqual(faults, { unanswered: 0, lost: 0, changed: 0 });
  assert.equal(seen.size, acked);
});

test('a media server whose directory was emptied, or that keeps other bytes, is convicted', async () => {
  using uploads = await uploaded(4);
  const [[path, image], [otherPath, other]] = [...stored] as [[string, Buffer], [string, Buffer]];
  stored.clear();
  stored.set(path, image).set(otherPath, other.fill(0, other.length - 1));
  await uploads.check();
  const { acked, ...faults } = uploads.ledger.audit();
  assert.deepEqual(faults, { unanswered: 0, lost: acked - 2, changed: 1 });
});

test('what broke off is acknowledged by 409 at its address, or stored again at a new one', async () => {
  breaksOff = true;
  using uploads = await uploaded(4);
  await uploads.check();
  const { acked, ...faults } = uploads.ledger.audit();
  assert.deepEqual(faults, { unanswered: 0, lost: 0, changed: 0 });
  const again = Math.ceil(acked / 2);
  assert.equal(stored.size, acked + again);
  assert.deepEqual(statuses.toSorted(), [...Array(again).fill(201), ...Array(acked - again).fill(409)]);
});

test('a 409 at an address that was not tried before acknowledges nothing', async () => {
  stored.set('/0', Buffer.from('of somebody else'));
  using uploads = await uploaded(2);
  await uploads.check();
  const { acked, ...faults } = uploads.ledger.audit();
  assert.deepEqual(faults, { unanswered: 0, lost: 0, changed: 0 });
  assert.equal(stored.size, acked + 1);
});
