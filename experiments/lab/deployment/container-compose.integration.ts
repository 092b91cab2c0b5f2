import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { freePorts } from '#host/free-ports.ts';
import { parseResult } from '../../../loadtest/result/schema.ts';
import { Person } from '../../../testing/person.ts';
import { findEngine } from './container-engine.ts';
import { ensureImage } from './container-image.ts';
import { isReady, signal, until } from './deployment.fixture.ts';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../../../', import.meta.url));

const found = await findEngine();
const composed = await run('docker', ['compose', 'ls']).then(
  () => true,
  () => false,
);
const skip = !found.found
  ? `no container engine answers: ${found.why}`
  : !composed && 'the docker command has no compose, or reaches no engine';

test('compose starts a server within its limits and a simulator, and removes both', { skip }, async () => {
  assert.ok(found.found);
  const project = `chat-compose-test-${process.pid}`;
  const [chat, internal, metrics] = await freePorts(3);
  const env = {
    ...process.env,
    CHAT_IMAGE: await ensureImage(found.engine, signal),
    CHAT_PORT: String(chat),
    CHAT_INTERNAL_PORT: String(internal),
    LOADTEST_METRICS_PORT: String(metrics),
    LOADTEST_CLIENTS: '10',
    LOADTEST_RATE: '20/s',
    LOADTEST_DURATION: '1s',
    LOADTEST_WARM_UP: '200ms',
    LOADTEST_PROGRESS: 'none',
    LOADTEST_LIMIT: 'p99<10s lost=0',
    LOADTEST_JSON: '-',
  };
  const compose = (...args: string[]) =>
    run('docker', ['compose', '-p', project, ...args], { cwd: repository, env });
  try {
    await compose('up', '-d', '--no-build', 'server');
    await until(() => isReady(`http://127.0.0.1:${internal}`), 30_000);
    const person = await Person.join(`ws://127.0.0.1:${chat}/ws`, 'alice');
    person.say('hello');
    assert.deepEqual((await person.hears(1)).messages, [{ clientId: 'alice', Message: 'hello' }]);
    await person.leave();
    const exported = await (await fetch(`http://127.0.0.1:${internal}/metrics`)).text();
    assert.match(exported, /^chat_build_info\{stage="03-cursor"/m);
    assert.match(exported, /^chat_cgroup_cpu_limit_cores 0\.25$/m);
    assert.match(exported, /^chat_cgroup_memory_limit_bytes 536870912$/m);
    // A busy machine may make the result void: the test is only that it ran, with the settings above.
    const { stdout } = await compose('--profile', 'load', 'run', '--rm', '--no-deps', 'simulator').catch(
      (error: { stdout: string }) => error,
    );
    const { audit } = parseResult(stdout, 'the simulator');
    assert.deepEqual([audit.expected, audit.delivered, audit.lost], [200, 200, 0]);
  } finally {
    await compose('--profile', '*', 'down', '--volumes', '--timeout', '5');
  }
  assert.deepEqual(await leftOf(project), []);
});

test('compose gives the nodes of people a Redis that syncs each write, and one key for images', {
  skip: !composed && 'the docker command has no compose, or reaches no engine',
}, async () => {
  const [url, key] = ['http://localhost:8079', 'k'.repeat(32)];
  const args = ['compose', '--profile', 'mailbox', 'config', '--format', 'json'];
  const env = { ...process.env, CHAT_MEDIA_URL: url, CHAT_MEDIA_SECRET: key };
  const { stdout } = await run('docker', args, { cwd: repository, env });
  const { services } = JSON.parse(stdout) as { services: Services };
  const redis = services['redis-mailbox']!;
  assert.match(redis.command.join(' '), /--appendonly yes --appendfsync always$/);
  assert.deepEqual(
    redis.volumes.map(({ target }) => target),
    ['/data'],
  );
  for (const name of ['mailbox-1', 'mailbox-2', 'mailbox-3', 'media']) {
    const { CHAT_MEDIA_SECRET, CHAT_MEDIA_URL, CHAT_REDIS_URL } = services[name]!.environment;
    assert.deepEqual([CHAT_MEDIA_SECRET, CHAT_MEDIA_URL], [key, url], name);
    assert.equal(CHAT_REDIS_URL, 'redis://redis-mailbox:6379');
  }
});

type Services = Readonly<
  Record<string, { command: string[]; environment: Record<string, string>; volumes: { target: string }[] }>
>;

/** Ids of the project's containers, networks and volumes that are still on the engine. */
async function leftOf(project: string): Promise<string[]> {
  const filter = ['--filter', `label=com.docker.compose.project=${project}`];
  const commands = ['ps --all --quiet', 'network ls --quiet', 'volume ls --quiet'];
  const lists = commands.map((command) => run('docker', [...command.split(' '), ...filter]));
  return (await Promise.all(lists)).flatMap(({ stdout }) => stdout.split('\n').filter(Boolean));
}
