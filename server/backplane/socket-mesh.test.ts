import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { backplaneContract, until } from './backplane.contract.ts';
import { BatchQueue } from './batch.ts';
import { withLength } from './batch-reader.ts';
import { MeshSubscription } from './mesh-subscription.ts';
import { createBackplaneMeter } from './meter.ts';
import { SocketMeshBackplane } from './socket-mesh.ts';

const directory = mkdtempSync(join(tmpdir(), 'chat-cores-'));
after(() => rmSync(directory, { recursive: true }));

backplaneContract({
  name: 'socket mesh',
  create: (count, queueBytesMax) => {
    const options = { directory, workers: count, ...(queueBytesMax && { queueBytesMax }) };
    return Array.from(
      { length: count },
      (_, workerNumber) => new SocketMeshBackplane({ ...options, workerNumber }),
    );
  },
  oneOrderForAll: false,
  crossesProcesses: true,
});

test('a broken batch causes a gap and ends the connection to its worker, and a new one is made', async (t) => {
  const path = join(directory, 'broken.sock');
  const header = { kind: 'messages', publisher: '0123456789abcdef', sequence: 1, publishedAtMs: 0 } as const;
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.write(withLength(new BatchQueue().take(header, 0)));
  }).listen(path);
  await once(server, 'listening');
  const gaps: string[] = [];
  const events = { deliver: () => assert.fail(), gap: (reason: string) => gaps.push(reason) };
  const options = { workerNumber: 0, meter: createBackplaneMeter(), path, batchBytesMax: 1000, events };
  const subscription = new MeshSubscription(options);
  t.after(() => subscription.close());
  t.after(() => server.close());
  subscription.connect();
  await until(() => subscription.state === 'joined', 'joined');
  sockets[0]!.write(withLength(Buffer.from('not a batch')));
  await until(() => sockets.length === 2 && subscription.state === 'joined', 'joined again');
  assert.deepEqual(gaps, ['a batch of another worker could not be read: 11 bytes are no batch']);
});
