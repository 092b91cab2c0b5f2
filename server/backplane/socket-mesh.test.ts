import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from '../../testing/until.ts';
import { backplaneContract, Listener } from './backplane.contract.ts';
import { BatchQueue } from './batch.ts';
import { withLength } from './batch-reader.ts';
import { LiveWorkers } from './live-workers.ts';
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

test('a worker is not ready while it does not reach one that runs, and is once it does', async (t) => {
  const live = new LiveWorkers();
  const place = { directory: mkdtempSync(join(directory, 'late-')), workers: 3 };
  const early = new Listener(new SocketMeshBackplane({ ...place, workerNumber: 0, live }));
  t.after(() => early.backplane.close());
  await early.start();
  assert.equal(early.backplane.ready, true, 'nobody else runs');
  live.set([0, 1]);
  assert.equal(early.backplane.ready, false);
  const late = new Listener(new SocketMeshBackplane({ ...place, workerNumber: 1 }));
  t.after(() => late.backplane.close());
  await late.start();
  await until(() => early.backplane.ready, 'ready');
  assert.equal(late.publish('tea', 'hello'), true);
  await until(() => early.received.length === 1, 'received');
  assert.deepEqual(early.gaps, []);
  await late.backplane.close();
  await until(() => !early.backplane.ready, 'unready while it should run and does not');
  live.set([0]);
  await until(() => early.backplane.ready, 'ready when it has ended');
});

test('a socket that somebody removes is there again at the next heartbeat, with its directory', async (t) => {
  const place = { directory: join(directory, 'removed'), workers: 2, heartbeatIntervalMs: 20 };
  mkdirSync(place.directory);
  const [first, second] = [0, 1].map(
    (workerNumber) => new Listener(new SocketMeshBackplane({ ...place, workerNumber, live: bothLive() })),
  ) as [Listener, Listener];
  t.after(() => Promise.all([first.backplane.close(), second.backplane.close()]));
  const started = first.start();
  await until(() => existsSync(join(place.directory, 'worker-0.sock')), 'listening');
  rmSync(place.directory, { recursive: true });
  await until(() => existsSync(join(place.directory, 'worker-0.sock')), 'listening again');
  await Promise.all([started, second.start()]);
  first.publish('tea', 'hello');
  await until(() => second.received.length === 1, 'received');
});

function bothLive(): LiveWorkers {
  const live = new LiveWorkers();
  live.set([0, 1]);
  return live;
}

const header = { kind: 'messages', publisher: '0123456789abcdef', sequence: 1, publishedAtMs: 0 } as const;

test('a worker that runs is tried again until its socket is there', async (t) => {
  const path = join(directory, 'missing.sock');
  const events = { deliver: () => assert.fail(), gap: () => assert.fail() };
  const meter = createBackplaneMeter();
  const options = { workerNumber: 0, meter, path, batchBytesMax: 1000, events, expected: () => true };
  const subscription = new MeshSubscription(options);
  t.after(() => subscription.close());
  subscription.connect();
  await sleep(20);
  const server = createServer((socket) => socket.write(withLength(new BatchQueue().take(header, 0))));
  t.after(() => server.close());
  server.listen(path);
  await until(() => subscription.state === 'joined', 'joined');
});

test('a broken batch causes a gap and ends the connection to its worker, and a new one is made', async (t) => {
  const path = join(directory, 'broken.sock');
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.write(withLength(new BatchQueue().take(header, 0)));
  }).listen(path);
  await once(server, 'listening');
  const gaps: string[] = [];
  const events = { deliver: () => assert.fail(), gap: (reason: string) => gaps.push(reason) };
  const options = {
    workerNumber: 0,
    meter: createBackplaneMeter(),
    path,
    batchBytesMax: 1000,
    events,
    expected: () => false,
  };
  const subscription = new MeshSubscription(options);
  t.after(() => subscription.close());
  t.after(() => server.close());
  subscription.connect();
  await until(() => subscription.state === 'joined', 'joined');
  sockets[0]!.write(withLength(Buffer.from('not a batch')));
  await until(() => sockets.length === 2 && subscription.state === 'joined', 'joined again');
  assert.deepEqual(gaps, ['a batch of another worker could not be read: 11 bytes are no batch']);
});
