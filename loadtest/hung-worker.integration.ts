/** A worker process that hangs: the run ends within a bound, and leaves no process behind. */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
import { startSimulator } from './simulator.fixture.ts';

const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
server.on('connection', (socket) => {
  socket.on('message', (data) => {
    for (const client of server.clients) client.send(String(data));
  });
  socket.on('error', () => socket.terminate());
});
await once(server, 'listening');
const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;

/** Every process that a test has started, for a test that fails. */
const started: number[] = [];

after(async () => {
  for (const pid of started) kill(pid);
  for (const client of server.clients) client.terminate();
  await new Promise((done) => server.close(done));
});

/** A run that measures, with one of its two workers stopped. */
async function startWithStopped() {
  const run = startSimulator(
    `--url ${url} --clients 4 --workers 2 --rate 20/s --duration 120s --warm-up 0s --progress plain`,
  );
  await new Promise<void>((measuring) => {
    run.child.stdout!.on('data', (data) => {
      if (String(data).includes('sent/s')) measuring();
    });
  });
  const workers = workersOf(run.child);
  assert.equal(workers.length, 2);
  started.push(run.child.pid!, ...workers);
  process.kill(workers[1]!, 'SIGSTOP');
  return { ...run, workers };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone, as it should be.
  }
}

function workersOf(child: ChildProcess): number[] {
  const children = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
  return children.split(' ').filter(Boolean).map(Number);
}

/** A killed process is listed for a moment longer. The time limit of the test is the bound. */
async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      if (/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) return;
    } catch {
      return;
    }
    await sleep(10);
  }
}

test('a run whose worker hangs is void within a bound', async () => {
  const { ended, workers } = await startWithStopped();
  const { code, stderr } = await ended;
  assert.equal(code, 3);
  assert.match(stderr, /^The run is void: worker 1 has been silent for 10 s\.\n$/);
  for (const pid of workers) await gone(pid);
});

test('one Ctrl-C is enough although a worker hangs', async () => {
  const { child, workers } = await startWithStopped();
  child.kill('SIGINT');
  const beganMs = performance.now();
  await once(child, 'exit');
  assert.ok(performance.now() - beganMs < 9000, 'sooner than without it');
  for (const pid of workers) await gone(pid);
});

test('a second Ctrl-C ends the run at once, and all its processes', async () => {
  const { child, workers } = await startWithStopped();
  child.kill('SIGINT');
  await sleep(1100);
  const beganMs = performance.now();
  child.kill('SIGINT');
  const [code] = await once(child, 'exit');
  assert.equal(code, 130);
  assert.ok(performance.now() - beganMs < 1500);
  for (const pid of workers) await gone(pid);
});
