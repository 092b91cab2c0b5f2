/**
 * The committed HAProxy configuration before real nodes: messages cross, a drain refuses no newcomer, and
 * nodes know the addresses of clients.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { startChildUntil } from '#host/child-process.ts';
import { freePorts } from '#host/free-ports.ts';
import { closeCode } from '#protocol';
import { configOf } from '../experiments/lab/deployment/services/haproxy-config.ts';
import { Person } from '../testing/person.ts';
import { findRedis, noRedis } from '../testing/redis.ts';
import { ServerProcess } from '../testing/server.ts';

const image = process.env.HAPROXY_IMAGE ?? 'haproxy:3.2';
const committed = new URL('./haproxy.cfg', import.meta.url);
const startDeadlineMs = 60_000;
const stopGraceMs = 5000;

const engine = await promisify(execFile)('docker', ['version']).catch(() => null);
const startRedis = await findRedis();
const skip = engine ? startRedis === null && noRedis : 'no Docker engine answers';

test('two nodes behind HAProxy are one chat; clients of a draining node find the other', {
  skip,
}, async () => {
  await using service = await startRedis!();
  const args = ['--redis-url', service.url, '--reconnect-wait-max', '0s'];
  await using one = await ServerProcess.start('05-backplane', args);
  await using two = await ServerProcess.start('05-backplane', args);
  const [port, observatoryPort] = await freePorts(2);
  await using _proxy = await startProxy([one, two], port!, observatoryPort!);
  const url = `ws://127.0.0.1:${port}/ws`;

  const [alice, bob] = [await Person.join(url, 'alice'), await Person.join(url, 'bob')];
  assert.equal((await one.metrics())('chat_sessions'), 1, 'least connections: one each');
  assert.equal((await two.metrics())('chat_sessions'), 1);
  alice.say('across');
  assert.deepEqual((await bob.hears(1)).messages, [{ clientId: 'alice', Message: 'across' }]);
  await alice.hears(1);

  const drained = one.stop();
  const moved = await Promise.race([alice, bob].map((person) => person.closed.then(() => person)));
  assert.equal((await moved.closed).code, closeCode.restart);
  // At once, before a health check can have noticed: no client may see the refusal of the draining node.
  const back = await Promise.all(['carol', 'dave', 'eve'].map((id) => Person.join(url, id)));
  assert.equal((await drained).code, 0);
  const stayed = moved === alice ? bob : alice;
  stayed.say('still here');
  await Promise.all([...back, stayed].map((person) => person.hears(person === stayed ? 2 : 1)));
  const metrics = await (await fetch(`http://127.0.0.1:${observatoryPort}/metrics`)).text();
  assert.match(metrics, /^haproxy_server_current_sessions\{proxy="nodes",server="node-2"\} \d+$/m);
});

test('a node behind HAProxy counts each client by its own address, whatever the client says of itself', {
  skip,
}, async () => {
  await using service = await startRedis!();
  const limits = ['--registrations-per-address-max', '2', '--password-memory', '64KiB'];
  const args = ['--redis-url', service.url, '--proxies-trusted', '1', ...limits];
  await using node = await ServerProcess.start('07-mailbox', args);
  const [port, observatoryPort] = await freePorts(2);
  await using _proxy = await startProxy([node], port!, observatoryPort!);
  const register = async (user: string, address: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/accounts`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Forwarded-For': address },
      body: JSON.stringify({ user, password: 'a long password' }),
    });
    await response.arrayBuffer();
    return response.status;
  };
  const statuses = [];
  for (const [user, address] of Object.entries({ alice: '1.1.1.1', bob: '2.2.2.2', eve: '3.3.3.3' }))
    statuses.push(await register(user, address));
  assert.deepEqual(statuses, [201, 201, 429]);
});

/** The committed file with other addresses: the nodes of this test, and ports that are free here. */
async function startProxy(nodes: readonly ServerProcess[], port: number, observatoryPort: number) {
  const balanced = nodes.map((node, index) => ({
    name: `node-${index + 1}`,
    address: new URL(node.origin).host,
    readinessPort: Number(new URL(node.internal).port),
  }));
  const binds = { chat: `127.0.0.1:${port}`, observatory: `127.0.0.1:${observatoryPort}` };
  const config = configOf(readFileSync(committed, 'utf8'), balanced, binds);
  const directory = mkdtempSync(join(tmpdir(), 'chat-haproxy-'));
  chmodSync(directory, 0o755);
  writeFileSync(join(directory, 'haproxy.cfg'), config);
  const name = `chat-haproxy-test-${process.pid}-${port}`;
  const run = ['run', '--rm', '--name', name, '--network', 'host'];
  const args = [...run, '-v', `${directory}:/usr/local/etc/haproxy:ro`, image];
  const readiness = {
    name: 'HAProxy',
    readLine: (line: string) => line.includes('Loading success') || undefined,
    deadlineMs: startDeadlineMs,
  };
  const { child } = await startChildUntil({ command: 'docker', args }, readiness);
  return {
    [Symbol.asyncDispose]: async () => {
      await child.stop('SIGTERM', stopGraceMs);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
